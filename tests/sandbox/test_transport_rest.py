"""The REST transport: system parameters, encodings, spellings, errors; connections kept alive; foreign hosts refused."""

from __future__ import annotations

import gzip
import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from .conftest import Running
from .wire import KEYS, create, done, send

CROWDED = "/v2/projects/crowded-project/locations/global/keys"
SERVICE = "/v1/projects/crowded-project/services/generativelanguage.googleapis.com"


def test_pretty_print_is_on_by_default_and_can_be_turned_off(sandbox: Running) -> None:
    create(sandbox, "k", {"displayName": "é <&>"})
    for target in (KEYS, f"{KEYS}/k"):
        pretty, plain = send(sandbox, "GET", target), send(sandbox, "GET", f"{target}?prettyPrint=false")
        assert pretty.body.startswith(b'{\n  "')
        assert b"\n" not in plain.body.strip()
        assert pretty.data == plain.data
        assert "é <&>".encode() in plain.body
        assert send(sandbox, "GET", f"{target}?%24prettyPrint=false").body == plain.body


@pytest.mark.parametrize(
    "alt", ["alt=json", "%24alt=json", "$alt=json;enum-encoding=int", "%24alt=json%3Benum-encoding%3Dint", ""]
)
def test_alt_in_all_its_spellings(shared_sandbox: Running, alt: str) -> None:
    reply = send(shared_sandbox, "GET", f"{SERVICE}?{alt}")
    assert reply.status == 200, reply.body
    assert reply.data["state"] == (2 if "enum-encoding" in alt else "ENABLED")


@pytest.mark.parametrize("alt", ["alt=media", "alt=proto", "alt=xml", "$alt=csv"])
def test_alt_that_is_not_there(shared_sandbox: Running, alt: str) -> None:
    reply = send(shared_sandbox, "GET", f"{KEYS}?{alt}")
    assert (reply.status, reply.data["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("keys.displayName", {"keys": [{"displayName": "a"}]}),
        ("keys/displayName", {"keys": [{"displayName": "a"}]}),
        ("keys(displayName,restrictions/apiTargets/service)", {"keys": [{"displayName": "a", "restrictions": "TARGET"}]}),
        ("keys(display_name)", {"keys": [{"displayName": "a"}]}),
        ("nextPageToken", {}),
        ("*/displayName", {"keys": [{"displayName": "a"}]}),
    ],
)
def test_fields(sandbox: Running, fields: str, wanted: dict[str, Any]) -> None:
    create(
        sandbox, "k", {"displayName": "a", "restrictions": {"apiTargets": [{"service": "a.googleapis.com", "methods": ["x"]}]}}
    )
    target = {"apiTargets": [{"service": "a.googleapis.com"}]}
    data = json.loads(json.dumps(wanted).replace('"TARGET"', json.dumps(target)))
    assert send(sandbox, "GET", f"{KEYS}?fields={quote(fields)}").data == data
    assert send(sandbox, "GET", f"{KEYS}?$fields={quote(fields)}").data == data


@pytest.mark.parametrize("fields", ["(", "a(", "a)", "a(b", ",", "a//b", "a,,b"])
def test_bad_fields(shared_sandbox: Running, fields: str) -> None:
    assert send(shared_sandbox, "GET", f"{KEYS}?fields={quote(fields)}").status == 400


def test_fields_are_checked_before_anything_is_changed(sandbox: Running) -> None:
    assert send(sandbox, "POST", f"{KEYS}?fields=((", {}).status == 400
    assert send(sandbox, "POST", f"{KEYS}?alt=media", {}).status == 400
    assert send(sandbox, "GET", KEYS).data == {"keys": []}


def test_system_parameters_that_change_nothing(shared_sandbox: Running) -> None:
    query = "quotaUser=x&%24.xgafv=2&uploadType=a&upload_protocol=b&$unique=1&callback=f&access_token=&key="
    assert send(shared_sandbox, "GET", f"{KEYS}?{query}").status == 200


def test_unknown_fields_and_parameters_are_refused_in_googles_words(shared_sandbox: Running) -> None:
    reply = send(shared_sandbox, "POST", KEYS, {"displayname": "x"})
    message = "Invalid JSON payload received. Unknown name \"displayname\" at 'key': Cannot find field."
    assert reply.data["error"] == {
        "code": 400,
        "message": message,
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{"field": "key", "description": message}],
            }
        ],
    }
    message = (
        'Invalid JSON payload received. Unknown name "nonsense": Cannot bind query parameter. '
        "Field 'nonsense' could not be found in request message."
    )
    reply = send(shared_sandbox, "GET", f"{KEYS}?nonsense=1")
    assert reply.data["error"]["message"] == message
    assert reply.data["error"]["details"][0]["fieldViolations"] == [{"description": message}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"displayName": 5}, "Invalid value at 'key.display_name' (TYPE_STRING), 5"),
        ({"displayName": ["x"]}, "Proto field is not repeating, cannot start list."),
        ({"displayName": {}}, "Starting an object on a scalar field"),
        (
            {"restrictions": "x"},
            "Invalid value at 'key.restrictions' (type.googleapis.com/google.api.apikeys.v2.Restrictions), \"x\"",
        ),
        ({"annotations": []}, "Invalid value at 'key.annotations' (Map)"),
        ({"annotations": {"a": 1}}, "Invalid value at 'key.annotations[a].value' (TYPE_STRING), 1"),
        ({"createTime": "yesterday"}, "'key.create_time' (type.googleapis.com/google.protobuf.Timestamp)"),
        ([], "Invalid value at 'key' (type.googleapis.com/google.api.apikeys.v2.Key)"),
        (b"{", "Invalid JSON payload received."),
        (b'{"displayName": "\xff"}', "Invalid JSON payload received."),
        (b"\x1f\x8b", "Invalid JSON payload received."),
        (b'{"displayName": "\\ud800"}', "not valid UTF-8"),
        (b'{"annotations": {"\\ud800": ""}}', "not valid UTF-8"),
    ],
)
def test_malformed_bodies(shared_sandbox: Running, body: Any, words: str) -> None:
    reply = send(shared_sandbox, "POST", KEYS, body)
    assert (reply.status, reply.data["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert words in reply.data["error"]["message"]


def test_snake_case_and_null_and_a_lone_value_for_a_list_are_taken(sandbox: Running) -> None:
    body = {"display_name": "x", "annotations": None, "restrictions": {"api_targets": {"service": "a.googleapis.com"}}}
    key = create(sandbox, "k", body)
    assert key["displayName"] == "x"
    assert key["restrictions"] == {"apiTargets": [{"service": "a.googleapis.com"}]}
    assert len(send(sandbox, "GET", f"{CROWDED}?page_size=3").data["keys"]) == 3


def test_a_key_parameter_names_a_consumer_and_harms_nothing(shared_sandbox: Running) -> None:
    assert send(shared_sandbox, "GET", f"{KEYS}?key=AQ.unknown").status == 200


def test_query_parameters_of_nested_fields(sandbox: Running) -> None:
    """A PATCH whose name stands in the path only; booleans as gcloud writes them."""
    create(sandbox, "k")
    assert done(sandbox, send(sandbox, "PATCH", f"{KEYS}/k?updateMask=displayName", {"displayName": "x"}))["displayName"] == "x"
    assert send(sandbox, "GET", f"{KEYS}?showDeleted=False").status == 200
    assert send(sandbox, "GET", f"{KEYS}?showDeleted=maybe").status == 400
    assert send(sandbox, "GET", f"{KEYS}?pageSize=many").status == 400


def test_gzip_both_ways(sandbox: Running) -> None:
    packed = gzip.compress(json.dumps({"displayName": "zipped"}).encode())
    assert done(sandbox, send(sandbox, "POST", KEYS, packed, {"Content-Encoding": "gzip"}))["displayName"] == "zipped"
    reply = send(sandbox, "GET", CROWDED, None, {"Accept-Encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(reply.body))["keys"]) == 296
    assert "content-encoding" not in send(sandbox, "GET", CROWDED).headers
    assert send(sandbox, "POST", KEYS, b"not gzip", {"Content-Encoding": "gzip"}).status == 400


def test_method_override_of_long_gets(sandbox: Running) -> None:
    """googleapiclient turns GETs over 2,048 characters into POST with the query in the body."""
    form = {"x-http-method-override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
    reply = send(sandbox, "POST", CROWDED, b"pageSize=2&alt=json&quotaUser=" + b"x" * 3000, form)
    assert len(reply.data["keys"]) == 2
    done(sandbox, send(sandbox, "POST", f"{CROWDED}/worker-003", b"", {"x-http-method-override": "DELETE"}))
    assert send(sandbox, "GET", f"{CROWDED}/worker-003").data["deleteTime"]


def test_connections_are_kept_alive_after_answers_and_errors(sandbox: Running) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox.rest).netloc, timeout=60)
    connection.connect()
    own = connection.sock.getsockname()
    for target, status in ((KEYS, 200), (f"{KEYS}/none", 404), ("/nothing", 501), (f"{KEYS}?x=1", 400), (KEYS, 200)):
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    assert connection.sock.getsockname() == own
    connection.close()


def test_what_is_not_implemented(shared_sandbox: Running) -> None:
    for method, target in (("GET", "/v9/nothing"), ("PUT", KEYS), ("GET", "/"), ("BREW", KEYS)):
        reply = send(shared_sandbox, method, target)
        if target == "/":
            assert reply.headers["content-type"].startswith("text/html")
        elif method == "BREW":
            assert (reply.status, reply.data["error"]["status"]) == (400, "INVALID_ARGUMENT")
        else:
            assert (reply.status, reply.data["error"]["status"]) == (501, "UNIMPLEMENTED")


def test_colons_may_be_escaped(sandbox: Running) -> None:
    create(sandbox, "k")
    done(sandbox, send(sandbox, "DELETE", f"{KEYS}/k"))
    assert send(sandbox, "POST", f"{KEYS}/k%3Aundelete", {}).status == 200


def test_paths_that_are_escaped_or_odd(shared_sandbox: Running) -> None:
    assert send(shared_sandbox, "GET", "/v2/projects/demo%2Dproject/locations/global/keys").status == 200
    assert send(shared_sandbox, "GET", "/v2/projects/demo-project%2Flocations/global/keys").status == 501
    assert send(shared_sandbox, "GET", "/v2/projects/%00/locations/global/keys").status == 403
    assert send(shared_sandbox, "GET", "/v2/projects/%FF%FE/locations/global/keys").status == 403


@pytest.mark.parametrize(
    "token", ["ya29.a0Af_real-looking", "owner", "owner@", "@example.com", "owner@example", "a b@example.com"]
)
def test_a_bearer_that_is_no_mail_address_is_401(shared_sandbox: Running, token: str) -> None:
    reply = send(shared_sandbox, "GET", KEYS, None, {"Authorization": f"Bearer {token}"})
    assert (reply.status, reply.data["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert shared_sandbox.control("requests")[-1]["principal"] == ""
    assert token not in reply.body.decode()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]", "localhost.evil.example"]
)
def test_foreign_host_headers_are_refused_everywhere(shared_sandbox: Running, host: str) -> None:
    """DNS rebinding: a page of another site must not reach the sandbox through a name that resolves to loopback."""
    for target in (KEYS, "/", "/_sandbox", "/_sandbox/requests"):
        reply = send(shared_sandbox, "GET", target, None, {"Host": host})
        assert reply.status == 403, target
        assert reply.data["error"]["status"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:80"])
def test_loopback_host_headers_are_taken(shared_sandbox: Running, host: str) -> None:
    assert send(shared_sandbox, "GET", KEYS, None, {"Host": host}).status == 200


def test_the_quota_project_needs_permission_and_the_api(sandbox: Running) -> None:
    def charged(project: str, caller: str = "owner@example.com") -> Any:
        return send(sandbox, "GET", CROWDED, None, {"X-Goog-User-Project": project, "Authorization": f"Bearer {caller}"})

    assert charged("crowded-project").status == 200
    assert charged("100000000003").status == 200
    off = charged("demo-project")
    assert (off.status, off.reason) == (403, "SERVICE_DISABLED")
    assert "API Keys API has not been used in project 100000000001 before or it is disabled" in off.data["error"]["message"]
    kinds = [item["@type"].rpartition(".")[2] for item in off.data["error"]["details"]]
    assert kinds == ["Help", "ErrorInfo"]
    for project in ("somebody-elses", "no-such-project"):
        denied = charged(project)
        assert (denied.status, denied.reason) == (403, "USER_PROJECT_DENIED")


def test_page_tokens_are_opaque_and_tied_to_their_query(sandbox: Running) -> None:
    first = send(sandbox, "GET", f"{CROWDED}?pageSize=2").data
    token = first["nextPageToken"]
    assert "worker" not in token
    assert "crowded" not in token
    second = send(sandbox, "GET", f"{CROWDED}?pageSize=50&pageToken={token}").data
    assert len(second["keys"]) == 50
    assert first["keys"][-1]["name"] not in {key["name"] for key in second["keys"]}
    foreign = (
        *(f"{CROWDED}?pageToken={token}&showDeleted=true", f"{KEYS}?pageToken={token}", f"{CROWDED}?pageToken=nonsense"),
        *(f"{CROWDED}?pageToken={token[:-2]}", f"{CROWDED}?pageToken=%F0%9F%98%80", f"{CROWDED}?pageSize=-1"),
    )
    for target in foreign:
        reply = send(sandbox, "GET", target)
        assert (reply.status, reply.data["error"]["status"]) == (400, "INVALID_ARGUMENT"), target


def test_a_page_is_never_larger_than_the_cap(sandbox: Running) -> None:
    sandbox.control(
        "seed",
        {
            "projects": [
                {
                    "projectId": "many-keys",
                    "iam": {"roles/owner": ["user:owner@example.com"]},
                    "keys": [{"displayName": str(number)} for number in range(310)],
                }
            ]
        },
    )
    path = "/v2/projects/many-keys/locations/global/keys"
    assert [len(send(sandbox, "GET", f"{path}{query}").data["keys"]) for query in ("", "?pageSize=1000")] == [300, 300]
