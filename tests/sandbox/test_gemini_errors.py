"""Every documented error that a key can meet at the Gemini API: code, status, message, details."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import iam_admin_v1
from google.cloud.api_keys_v2 import Key
from google.cloud.iam_admin_v1.services.iam.transports import IAMGrpcTransport
from google.genai import errors

from .conftest import Running, start
from .gemini_help import ACCOUNT, GEMINI, NUMBER, SEED, ask, client, keys_client, models, string_of

LIST = "google.ai.generativelanguage.v1beta.ModelService.ListModels"
FLASH = "gemini-2.5-flash"
NAME = "projects/keyed-project/locations/global/keys"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path: Path = tmp_path_factory.mktemp("gemini") / "seed.json"
    path.write_text(json.dumps(SEED))
    running = start(seed=str(path))
    yield running
    running.stop()


@pytest.fixture
def sandbox(shared: Running) -> Running:
    shared.control("reset", {})
    return shared


def expect(answer: tuple[int, Any], code: int, status: str, message: str, reason: str, metadata: dict[str, str]) -> None:
    """The whole error, but for a LocalizedMessage, which repeats the message."""
    assert answer[0] == code
    error = answer[1]["error"]
    assert (error["code"], error["status"], error["message"]) == (code, status, message)
    info, *others = error["details"]
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }
    for other in others:
        assert other["@type"].endswith("LocalizedMessage")
        assert other["message"] == message


def test_no_key(sandbox: Running) -> None:
    status, body, _ = ask(sandbox, "/v1beta/models")
    assert status == 403
    assert body["error"] == {
        "code": 403,
        "message": "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
        "other form of API consumer identity to call this API.",
        "status": "PERMISSION_DENIED",
    }


@pytest.mark.parametrize("kind", ["AQ.SANDBOX-", "AIza" + "SANDBOX", "nonsense"])
def test_an_unknown_key(sandbox: Running, kind: str) -> None:
    message = "API key not valid. Please pass a valid API key."
    answer = models(sandbox, f"{kind}{'x' * 20}")
    expect(answer, 400, "INVALID_ARGUMENT", message, "API_KEY_INVALID", {"service": GEMINI})
    with pytest.raises(errors.ClientError) as caught:
        client(sandbox, f"{kind}{'x' * 20}").models.generate_content(model=FLASH, contents="hi")
    assert (caught.value.code, caught.value.status, caught.value.message) == (400, "INVALID_ARGUMENT", message)


def test_a_deleted_key_is_rejected_at_once_and_works_again_when_undeleted(sandbox: Running) -> None:
    keys, good = keys_client(sandbox), string_of(sandbox, "good")
    assert models(sandbox, good)[0] == 200
    keys.delete_key(name=f"{NAME}/good").result()
    message = "API key not valid. Please pass a valid API key."
    expect(models(sandbox, good), 400, "INVALID_ARGUMENT", message, "API_KEY_INVALID", {"service": GEMINI})
    keys.undelete_key(request={"name": f"{NAME}/good"}).result()
    assert models(sandbox, good)[0] == 200


def test_a_deleted_key_is_accepted_until_all_servers_know_of_it(sandbox: Running) -> None:
    sandbox.control("propagation", {"keyDeletion": "23m", "key": "30s"})
    keys, good = keys_client(sandbox), string_of(sandbox, "good")
    sandbox.control("clock", {"advance": "31s"})
    keys.delete_key(name=f"{NAME}/good").result()
    sandbox.control("clock", {"advance": "22m"})
    assert models(sandbox, good)[0] == 200
    sandbox.control("clock", {"advance": "1m"})
    message = "API key not valid. Please pass a valid API key."
    expect(models(sandbox, good), 400, "INVALID_ARGUMENT", message, "API_KEY_INVALID", {"service": GEMINI})


def test_a_new_key_is_rejected_until_all_servers_know_it(sandbox: Running) -> None:
    sandbox.control("propagation", {"key": "30s"})
    keys = keys_client(sandbox)
    request = {
        "parent": "projects/keyed-project/locations/global",
        "key_id": "fresh",
        "key": {"restrictions": {"api_targets": [{"service": GEMINI}]}},
    }
    sandbox.control("seed", {"gemini": {"rejectStandardKeys": False}})  # the protobuf cannot make an auth key
    fresh = keys.create_key(request).result().key_string
    message = "API Key not found. Please pass a valid API key."
    expect(models(sandbox, fresh), 400, "INVALID_ARGUMENT", message, "API_KEY_INVALID", {"service": GEMINI})
    sandbox.control("clock", {"advance": "31s"})
    assert models(sandbox, fresh)[0] == 200
    keys.delete_key(name=f"{NAME}/fresh").result()
    assert models(sandbox, fresh)[0] == 400
    keys.undelete_key(request={"name": f"{NAME}/fresh"}).result()
    assert models(sandbox, fresh)[0] == 400  # undeleting takes as long
    sandbox.control("clock", {"advance": "31s"})
    assert models(sandbox, fresh)[0] == 200
    renamed = Key(name=f"{NAME}/fresh", display_name="renamed")
    keys.update_key(key=renamed, update_mask={"paths": ["display_name"]}).result()
    assert models(sandbox, fresh)[0] == 200  # a change does not


def test_an_expired_key(sandbox: Running) -> None:
    message = "API key expired. Please renew the API key."
    answer = models(sandbox, string_of(sandbox, "expired"))
    expect(answer, 400, "INVALID_ARGUMENT", message, "API_KEY_INVALID", {"service": GEMINI})


def test_a_leaked_key(sandbox: Running) -> None:
    status, body = models(sandbox, string_of(sandbox, "leaked"))
    assert (status, body["error"]) == (
        403,
        {
            "code": 403,
            "message": "Your API key was reported as leaked. Please use another API key.",
            "status": "PERMISSION_DENIED",
        },
    )


def blocked(method: str) -> tuple[str, dict[str, str]]:
    return f"Requests to this API {GEMINI} method {method} are blocked.", {
        "consumer": f"projects/{NUMBER}",
        "service": GEMINI,
        "apiName": GEMINI,
        "methodName": method,
    }


def test_a_key_for_other_apis(sandbox: Running) -> None:
    message, metadata = blocked(LIST)
    answer = models(sandbox, string_of(sandbox, "maps"))
    expect(answer, 403, "PERMISSION_DENIED", message, "API_KEY_SERVICE_BLOCKED", metadata)
    with pytest.raises(errors.ClientError) as caught:
        client(sandbox, string_of(sandbox, "maps"), "v1").models.generate_content(model=FLASH, contents="hi")
    assert caught.value.message == blocked("google.ai.generativelanguage.v1.GenerativeService.GenerateContent")[0]


@pytest.mark.parametrize("name", ["good", "unrestricted", "all-apis"])
def test_keys_that_the_api_targets_let_through(sandbox: Running, name: str) -> None:
    assert models(sandbox, string_of(sandbox, name))[0] == 200


def test_a_key_for_some_methods(sandbox: Running) -> None:
    counting, one = string_of(sandbox, "counting"), string_of(sandbox, "one-method")
    genai = client(sandbox, counting)
    assert genai.models.count_tokens(model=FLASH, contents="hi").total_tokens == 1
    assert genai.models.get(model=FLASH).name
    message, metadata = blocked(LIST)
    expect(models(sandbox, counting), 403, "PERMISSION_DENIED", message, "API_KEY_SERVICE_BLOCKED", metadata)
    assert models(sandbox, one)[0] == 200
    with pytest.raises(errors.ClientError, match=r"v1\.ModelService\.ListModels are blocked"):
        list(client(sandbox, one, "v1").models.list())


@pytest.mark.parametrize(
    ("referrer", "allowed"),
    [
        ("https://www.example.com/shop/cart?x=1", True),
        ("http://deep.down.example.com/", True),
        ("https://shop.example.com", True),
        ("https://exact.example.org/page", True),
        ("https://exact.example.org/page?tab=2", True),
        ("http://exact.example.org/page", False),
        ("https://plain.example.net/", True),
        ("https://plain.example.net/page", False),
        ("https://exact.example.org/page/deeper", False),
        ("https://example.com.evil.example.net/", False),
        ("https://example.net/?www.example.com/", False),
        ("", False),
    ],
)
def test_a_key_for_websites(sandbox: Running, referrer: str, allowed: bool) -> None:
    headers = {"referer": referrer} if referrer else {}
    answer = models(sandbox, string_of(sandbox, "browser"), **headers)
    if allowed:
        assert answer[0] == 200
        return
    shown = referrer or "<empty>"
    metadata = {"consumer": f"projects/{NUMBER}", "service": GEMINI, "httpReferrer": shown}
    message = f"Requests from referer {shown} are blocked."
    expect(answer, 403, "PERMISSION_DENIED", message, "API_KEY_HTTP_REFERRER_BLOCKED", metadata)


@pytest.mark.parametrize(
    ("key", "address", "allowed"),
    [
        ("here", None, True),  # the peer's own address
        ("here", "::1", True),
        ("here", "203.0.113.7", False),
        ("elsewhere", None, False),
        ("elsewhere", "203.0.113.7", True),
        ("elsewhere", "203.0.113.8", False),
        ("elsewhere", "2001:db8:1::5", True),
        ("elsewhere", "2001:db9::5", False),
        ("elsewhere", "10.9.9.9", True),
        ("elsewhere", "11.9.9.9", False),
        ("elsewhere", "nonsense", False),
    ],
)
def test_a_key_for_servers(sandbox: Running, key: str, address: str | None, allowed: bool) -> None:
    headers = {"x_forwarded_for": address} if address else {}
    answer = models(sandbox, string_of(sandbox, key), **headers)
    if allowed:
        assert answer[0] == 200
        return
    message = (
        "The provided API key has an IP address restriction. "
        f"The originating IP address of the call ({address or '127.0.0.1'}) violates this restriction."
    )
    metadata = {"consumer": f"projects/{NUMBER}", "service": GEMINI}
    expect(answer, 403, "PERMISSION_DENIED", message, "API_KEY_IP_ADDRESS_BLOCKED", metadata)


@pytest.mark.parametrize(
    ("package", "certificate", "allowed"),
    [
        ("com.example.app", "AB" * 20, True),
        ("com.example.app", ":".join(["ab"] * 20), True),
        ("com.example.app", "CD" * 20, False),
        ("com.example.other", "AB" * 20, False),
        ("", "", False),
    ],
)
def test_a_key_for_android_apps(sandbox: Running, package: str, certificate: str, allowed: bool) -> None:
    headers = {"x_android_package": package, "x_android_cert": certificate} if package else {}
    answer = models(sandbox, string_of(sandbox, "android"), **headers)
    if allowed:
        assert answer[0] == 200
        return
    shown = package or "<empty>"
    metadata = {"consumer": f"projects/{NUMBER}", "service": GEMINI, "androidPackage": shown}
    message = f"Requests from this Android client application {shown} are blocked."
    expect(answer, 403, "PERMISSION_DENIED", message, "API_KEY_ANDROID_APP_BLOCKED", metadata)


@pytest.mark.parametrize(("bundle", "allowed"), [("com.example.ios", True), ("com.example.IOS", False), ("", False)])
def test_a_key_for_ios_apps(sandbox: Running, bundle: str, allowed: bool) -> None:
    headers = {"x_ios_bundle_identifier": bundle} if bundle else {}
    answer = models(sandbox, string_of(sandbox, "ios"), **headers)
    if allowed:
        assert answer[0] == 200
        return
    shown = bundle or "<empty>"
    metadata = {"consumer": f"projects/{NUMBER}", "service": GEMINI, "iosBundleId": shown}
    message = f"Requests from this iOS client application {shown} are blocked."
    expect(answer, 403, "PERMISSION_DENIED", message, "API_KEY_IOS_APP_BLOCKED", metadata)


UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def test_standard_keys_are_rejected_unless_the_seed_says_otherwise(sandbox: Running) -> None:
    old = string_of(sandbox, "old")
    assert old.startswith("AIza" + "SANDBOX")
    metadata = {"service": GEMINI, "method": LIST}
    answer = models(sandbox, old)
    expect(answer, 401, "UNAUTHENTICATED", UNAUTHENTICATED, "ACCESS_TOKEN_TYPE_UNSUPPORTED", metadata)
    with pytest.raises(errors.ClientError) as caught:
        client(sandbox, old).models.generate_content(model=FLASH, contents="hi")
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
    sandbox.control("seed", {"gemini": {"rejectStandardKeys": False}})
    assert models(sandbox, old)[0] == 200
    sandbox.control("seed", {"gemini": {"rejectStandardKeys": True}})
    assert models(sandbox, old)[0] == 401


def test_the_api_is_off(sandbox: Running) -> None:
    off = string_of(sandbox, "off", "switched-off")
    url = f"https://console.developers.google.com/apis/api/{GEMINI}/overview?project=300000000002"
    status, body = models(sandbox, off)
    error = body["error"]
    assert (status, error["status"]) == (403, "PERMISSION_DENIED")
    assert error["message"].startswith(
        "Generative Language API has not been used in project 300000000002 before or it is disabled."
    )
    assert url in error["message"]
    help_link, info = error["details"]
    assert help_link["links"][0]["url"] == url
    assert info["reason"] == "SERVICE_DISABLED"
    assert info["metadata"]["service"] == GEMINI
    assert info["metadata"]["consumer"] == "projects/300000000002"


def test_an_api_just_enabled_still_answers_that_it_is_off(sandbox: Running) -> None:
    sandbox.control("propagation", {"service": "60s"})
    off = string_of(sandbox, "off", "switched-off")
    headers = {"Authorization": "Bearer owner@example.com"}
    path = f"/v1/projects/switched-off/services/{GEMINI}:enable"
    assert ask(sandbox, path, headers, {})[0] == 200
    assert models(sandbox, off)[1]["error"]["details"][1]["reason"] == "SERVICE_DISABLED"
    sandbox.control("clock", {"advance": "61s"})
    assert models(sandbox, off)[0] == 200


def test_a_suspended_project(sandbox: Running) -> None:
    held = string_of(sandbox, "held", "suspended-one")
    message = f"Permission denied: Consumer 'api_key:{held}' has been suspended."
    metadata = {"service": GEMINI, "consumer": "projects/300000000003"}
    expect(models(sandbox, held), 403, "PERMISSION_DENIED", message, "CONSUMER_SUSPENDED", metadata)


def test_a_deleted_project(sandbox: Running) -> None:
    gone = string_of(sandbox, "gone", "deleted-one")
    metadata = {"service": GEMINI, "consumer": "projects/300000000004"}
    message = "Project #300000000004 has been deleted."
    expect(models(sandbox, gone), 403, "PERMISSION_DENIED", message, "CONSUMER_INVALID", metadata)


def test_the_service_account_of_an_auth_key_goes_away(sandbox: Running) -> None:
    good = string_of(sandbox, "good")
    iam = iam_admin_v1.IAMClient(transport=IAMGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))
    name = f"projects/keyed-project/serviceAccounts/{ACCOUNT}"
    metadata = {"service": GEMINI, "method": LIST, "email": ACCOUNT}
    iam.disable_service_account(request={"name": name})
    expect(models(sandbox, good), 401, "UNAUTHENTICATED", UNAUTHENTICATED, "ACCOUNT_STATE_INVALID", metadata)
    iam.enable_service_account(request={"name": name})
    assert models(sandbox, good)[0] == 200
    iam.delete_service_account(name=name)
    expect(models(sandbox, good), 401, "UNAUTHENTICATED", UNAUTHENTICATED, "ACCOUNT_STATE_INVALID", metadata)


@pytest.mark.parametrize("bearer", ["owner@example.com", "AQ.SANDBOX-" + "x" * 30])
def test_a_key_and_a_bearer_token(sandbox: Running, bearer: str) -> None:
    status, body = models(sandbox, string_of(sandbox, "good"), authorization=f"Bearer {bearer}")
    assert (status, body["error"]) == (
        400,
        {
            "code": 400,
            "message": "Multiple authentication credentials received. Please pass only one.",
            "status": "INVALID_ARGUMENT",
        },
    )


def test_a_bearer_token_alone(sandbox: Running) -> None:
    status, body, _ = ask(sandbox, "/v1beta/models", {"Authorization": "Bearer AQ.SANDBOX-x"})
    assert (status, body["error"]["details"][0]["reason"]) == (401, "ACCESS_TOKEN_TYPE_UNSUPPORTED")
    owner = {"Authorization": "Bearer owner@example.com"}
    status, body, _ = ask(sandbox, "/v1beta/models", owner)
    assert status == 403
    assert "requires a quota project" in body["error"]["message"]
    assert body["error"]["details"][0]["metadata"]["consumer"] == "projects/764086051850"
    assert ask(sandbox, "/v1beta/models", owner | {"X-Goog-User-Project": "keyed-project"})[0] == 200
    status, body, _ = ask(sandbox, "/v1beta/models", owner | {"X-Goog-User-Project": "switched-off"})
    assert body["error"]["details"][1]["reason"] == "SERVICE_DISABLED"


def test_answers_that_a_fault_brings_on(sandbox: Running) -> None:
    """Regions, refused projects and rate limits have no state of their own in the sandbox."""
    good = string_of(sandbox, "good")
    for code, http, message in (
        ("FAILED_PRECONDITION", 400, "User location is not supported for the API use."),
        ("PERMISSION_DENIED", 403, "Your project has been denied access. Please contact support."),
    ):
        sandbox.control("faults", {"method": "ListModels", "code": code, "message": message})
        assert models(sandbox, good) == (http, {"error": {"code": http, "message": message, "status": code}})
    sandbox.control("quota", {"method": "ListModels", "per_minute": 1})
    assert models(sandbox, good)[0] == 200
    status, body = models(sandbox, good)
    assert (status, body["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert body["error"]["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"


def test_interactions_are_refused_in_the_same_words(sandbox: Running) -> None:
    old = string_of(sandbox, "old")
    status, body, _ = ask(sandbox, "/v1beta/interactions", {"x-goog-api-key": old}, {"model": FLASH, "input": "hi"})
    assert (status, body["error"]["details"][0]["reason"]) == (401, "ACCESS_TOKEN_TYPE_UNSUPPORTED")
    with pytest.raises(Exception, match="invalid authentication credentials"):
        client(sandbox, old).interactions.create(model=FLASH, input="hi")
