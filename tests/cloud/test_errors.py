"""Google's errors read: REST and gRPC give the same Problem; what leaves is masked."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
from google.rpc import error_details_pb2 as pb

from keyadmin.cloud import errors
from keyadmin.cloud.connect import Target, connect
from keyadmin.cloud.endpoints import ApiCall
from keyadmin.model.problem import Cause, Problem

NAME = "projects/p1/locations/global/keys/k1"
REST = f"GET /v2/{NAME}"
TYPE = "type.googleapis.com/google.rpc."
REASONS: list[tuple[int, int, str, dict[str, str], Cause]] = [
    (403, 7, "SERVICE_DISABLED", {"consumer": "projects/123", "service": "apikeys.googleapis.com"}, Cause.API_NOT_ENABLED),
    (403, 7, "IAM_PERMISSION_DENIED", {"permission": "apikeys.keys.get"}, Cause.MISSING_IAM_PERMISSION),
    (403, 7, "USER_PROJECT_DENIED", {"consumer": "projects/123"}, Cause.QUOTA_PROJECT_DENIED),
    (403, 7, "CONSUMER_SUSPENDED", {"consumer": "projects/123"}, Cause.CONSUMER_SUSPENDED),
    (403, 7, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", {}, Cause.SCOPES_INSUFFICIENT),
]


def rest_error(code: int, status: str, message: str, *details: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return code, {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


async def refused(call: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(("http", "code", "reason", "metadata", "cause"), REASONS)
async def test_both_doors_read_the_same_from_the_same_details(
    http: int,
    code: int,
    reason: str,
    metadata: dict[str, str],
    cause: Cause,
    double: Any,
    target: Target,
    grpc_status: Callable[..., Any],
    key_rpc: str,
) -> None:
    info = {"@type": f"{TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata}
    link = {"@type": f"{TYPE}Help", "links": [{"description": "d", "url": "https://console.example/enable"}]}
    double.script[REST].append(rest_error(http, "PERMISSION_DENIED", "Refused for a reason.", info, link))
    help_ = pb.Help(links=[pb.Help.Link(description="d", url="https://console.example/enable")])
    error_info = pb.ErrorInfo(reason=reason, domain="googleapis.com", metadata=metadata)
    double.script[key_rpc].append(grpc_status(code, "Refused for a reason.", error_info, help_))
    async with connect(target) as cloud:
        found = [await refused(cloud.keys.get(NAME)), await refused(cloud.keys.key_string(NAME))]
    for problem in found:
        assert problem.cause is cause
        assert problem.status == "PERMISSION_DENIED"
        assert problem.message == "Refused for a reason."
        assert problem.permission == metadata.get("permission", problem.permission)
        assert problem.notes == ["https://console.example/enable"]
    assert (found[0].service, found[0].project) == (found[1].service, found[1].project)


async def test_violations_and_field_faults_are_said(
    double: Any, target: Target, grpc_status: Callable[..., Any], key_rpc: str
) -> None:
    bad = {"@type": f"{TYPE}BadRequest", "fieldViolations": [{"field": "key.display_name", "description": "too long"}]}
    double.script[REST].append(rest_error(400, "INVALID_ARGUMENT", "Bad key.", bad))
    violation = pb.BadRequest.FieldViolation(field="key.display_name", description="too long")
    double.script[key_rpc].append(grpc_status(3, "Bad key.", pb.BadRequest(field_violations=[violation])))
    async with connect(target) as cloud:
        for call in (cloud.keys.get(NAME), cloud.keys.key_string(NAME)):
            problem = await refused(call)
            assert problem.cause is Cause.INVALID_ARGUMENT
            assert problem.message == "Bad key. key.display_name: too long"


async def test_a_constraint_named_in_a_precondition_is_the_cause(
    double: Any, target: Target, grpc_status: Callable[..., Any], key_rpc: str
) -> None:
    constraint = "constraints/iam.managed.disableServiceAccountApiKeyCreation"
    items = [{"type": constraint, "subject": "projects/p1", "description": "Creation of API keys is disallowed."}]
    double.script[REST].append(
        rest_error(400, "FAILED_PRECONDITION", "No.", {"@type": f"{TYPE}PreconditionFailure", "violations": items})
    )
    violation = pb.PreconditionFailure.Violation(**items[0])
    double.script[key_rpc].append(grpc_status(9, "No.", pb.PreconditionFailure(violations=[violation])))
    async with connect(target) as cloud:
        for call in (cloud.keys.get(NAME), cloud.keys.key_string(NAME)):
            assert (await refused(call)).cause is Cause.ORG_POLICY_BLOCKS_KEY_BINDING


async def test_key_strings_in_messages_and_links_are_masked(
    double: Any, target: Target, grpc_status: Callable[..., Any], key_rpc: str
) -> None:
    secret = "AIza" + "b" * 35
    link = {"@type": f"{TYPE}Help", "links": [{"url": f"https://x.example/?key={secret}"}]}
    double.script[REST].append(rest_error(400, "INVALID_ARGUMENT", f"key {secret} is bad", link))
    double.script[key_rpc].append(grpc_status(3, f"key {secret} is bad"))
    async with connect(target) as cloud:
        for call in (cloud.keys.get(NAME), cloud.keys.key_string(NAME)):
            problem = await refused(call)
            assert secret not in repr(problem)
            assert problem.message == "key AIza...bbbb is bad"


async def test_a_localised_message_is_added(double: Any, target: Target) -> None:
    words = {"@type": f"{TYPE}LocalizedMessage", "locale": "en", "message": "Ask your administrator."}
    double.script[REST].append(rest_error(403, "PERMISSION_DENIED", "Denied.", words))
    async with connect(target) as cloud:
        assert (await refused(cloud.keys.get(NAME))).message == "Denied. Ask your administrator."


@pytest.mark.parametrize(
    ("code", "body", "cause", "status"),
    [
        (404, [{"error": {"code": 404, "message": "gone", "status": "NOT_FOUND"}}], Cause.NOT_FOUND, "NOT_FOUND"),
        (403, "<html>a proxy's own page</html>", Cause.NETWORK_UNREACHABLE, None),
        (400, {"error": "invalid_request"}, Cause.NETWORK_UNREACHABLE, None),
        (400, {"error": {"message": 5, "details": "none"}}, Cause.NETWORK_UNREACHABLE, None),
        (403, {"error": {"code": "403", "message": "text"}}, Cause.NETWORK_UNREACHABLE, None),
        (409, {}, Cause.NETWORK_UNREACHABLE, None),
        (302, "moved", Cause.NETWORK_UNREACHABLE, None),
        (418, None, Cause.NETWORK_UNREACHABLE, None),
        (200, [], Cause.NETWORK_UNREACHABLE, None),
        (200, "<html><title> Log\n in </title>", Cause.NETWORK_UNREACHABLE, None),
    ],
)
async def test_bodies_of_no_known_form(
    code: int, body: Any, cause: Cause, status: str | None, double: Any, target: Target
) -> None:
    double.script[REST].append((code, body))
    async with connect(target) as cloud:
        problem = await refused(cloud.keys.get(NAME))
    assert (problem.cause, problem.status) == (cause, status)
    assert problem.message
    assert "proxy's own page" not in problem.message


async def test_a_page_in_place_of_an_answer_is_named_by_host_status_and_title(double: Any, target: Target) -> None:
    double.script[REST] += [(200, "<html><head><TITLE>Log in &amp; surf</TITLE>" + "AIza" + "b" * 35)]
    async with connect(target) as cloud:
        problem = await refused(cloud.keys.get(NAME))
    said = "the answer was HTTP 200 with a page titled 'Log in & surf', which is not Google's"
    assert problem.message == f"apikeys.googleapis.com could not be asked: {said}"
    assert any("doctor --connection" in step for step in problem.fix)
    assert len(double.calls(REST)) == 1


async def test_what_is_none_of_ours_is_not_swallowed() -> None:
    from keyadmin.cloud import errors
    from keyadmin.cloud.endpoints import ApiCall

    with pytest.raises(ZeroDivisionError):
        errors.read(ZeroDivisionError(), ApiCall("apikeys.googleapis.com", "GetKey"))
    assert not isinstance(ZeroDivisionError(), errors.foreign())
    assert Exception not in errors.foreign()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("failed to connect to all addresses; last error: UNKNOWN: connect: refused (111)", "UNKNOWN: connect: refused (111)"),
        ("errors resolving x:443: [field:hostname lookup error:Domain name not found]", "Domain name not found"),
        ("DNS resolution failed for x:443: C-ares status is not ARES_SUCCESS", "DNS resolution failed"),
    ],
)
def test_grpcs_words_for_no_connection_at_all(words: str, said: str) -> None:
    from google.api_core.exceptions import ServiceUnavailable

    from keyadmin.cloud import errors
    from keyadmin.cloud.endpoints import ApiCall

    failure = errors.read(ServiceUnavailable(words), ApiCall("apikeys.googleapis.com", "LookupKey"))
    assert not failure.sent
    assert not failure.lost
    assert failure.problem.message.startswith("apikeys.googleapis.com could not be reached: ")
    assert said in failure.problem.message


def test_a_broken_stream_may_have_been_heard() -> None:
    from google.api_core.exceptions import ServiceUnavailable

    from keyadmin.cloud import errors
    from keyadmin.cloud.endpoints import ApiCall

    assert errors.read(ServiceUnavailable("Socket closed"), ApiCall("apikeys.googleapis.com", "LookupKey")).lost


@pytest.mark.parametrize("module", ["google.api_core.exceptions", "google.auth.exceptions", "grpc", "aiohttp"])
def test_a_package_that_another_thread_is_still_importing_is_in_nobody_s_way(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gRPC clients are imported in a thread, while REST calls fail."""
    monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
    error = errors.HttpError(403, {}, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}})
    call = ApiCall("cloudresourcemanager.googleapis.com", "GetProject")
    for each in (error, TimeoutError()):
        assert isinstance(each, errors.foreign())
        assert isinstance(errors.read(each, call).problem, Problem)
    with pytest.raises(KeyError):
        errors.read(KeyError("another program's"), call)
