"""What is tried again, when, and what is not."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2 as pb

from keyadmin.cloud.calls import ListPage, RetryPolicy, pages
from keyadmin.cloud.connect import Target, connect
from keyadmin.model.key import GEMINI_ONLY, Key
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

PARENT = "projects/p1/locations/global"
NAME = f"{PARENT}/keys/k1"
REST = f"GET /v2/{NAME}"
CREATE = f"POST /v2/{PARENT}/keys"
NUMBERED = "projects/123/locations/global/keys/k1"
STRING = "AIza" + "c" * 35


def error(code: int, status: str, message: str = "Try later.", **headers: str) -> tuple[int, Any, dict[str, str]]:
    return code, {"error": {"code": code, "status": status, "message": message}}, headers


def key(**more: Any) -> dict[str, Any]:
    return {
        "name": NUMBERED,
        "displayName": "mine",
        "restrictions": {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]},
    } | more


def done(**response: Any) -> tuple[int, Any]:
    return 200, {"name": "operations/akmf.p7-1", "done": True, "response": response}


@pytest.mark.parametrize("status", [(503, "UNAVAILABLE"), (504, "DEADLINE_EXCEEDED"), (429, "RESOURCE_EXHAUSTED")])
async def test_a_passing_failure_is_waited_out_by_both_doors(
    status: tuple[int, str], double: Any, target: Target, grpc_status: Callable[..., Any], key_rpc: str
) -> None:
    numbers = {503: 14, 504: 4, 429: 8}
    double.script[REST] += [error(*status)] * 2
    double.script[key_rpc] += [grpc_status(numbers[status[0]], "Try later.")] * 2
    async with connect(target) as cloud:
        await cloud.keys.get(NAME)
        await cloud.keys.key_string(NAME)
    assert len(double.calls(REST)) == len(double.calls(key_rpc)) == 3


@pytest.mark.parametrize("status", [(409, "ABORTED"), (400, "FAILED_PRECONDITION"), (404, "NOT_FOUND")])
async def test_other_failures_are_final(status: tuple[int, str], double: Any, target: Target) -> None:
    double.script[REST].append(error(*status))
    async with connect(target) as cloud:
        with pytest.raises(Problem):
            await cloud.keys.get(NAME)
    assert len(double.calls(REST)) == 1


async def test_a_read_is_repeated_after_an_internal_error_and_a_write_is_not(
    double: Any, target: Target, grpc_status: Callable[..., Any], key_rpc: str
) -> None:
    double.script[REST].append(error(500, "INTERNAL"))
    double.script[key_rpc].append(grpc_status(13, "Internal error encountered."))
    double.script[f"PATCH /v2/{NAME}"].append(error(500, "INTERNAL"))
    async with connect(target) as cloud:
        await cloud.keys.get(NAME)
        await cloud.keys.key_string(NAME)
        with pytest.raises(Problem) as caught:
            await cloud.keys.update(NAME, {"display_name"}, Key(NAME, display_name="mine"))
    assert caught.value.cause is Cause.SERVICE_UNAVAILABLE
    assert [len(double.calls(what)) for what in (REST, key_rpc, f"PATCH /v2/{NAME}")] == [2, 2, 1]


async def test_a_connection_that_breaks_off_is_tried_again(double: Any, target: Target, dropped: object) -> None:
    double.script[REST] += [dropped, dropped]
    async with connect(target) as cloud:
        await cloud.keys.get(NAME)
    assert len(double.calls(REST)) == 3


async def test_retry_info_is_honoured_by_both_doors(
    double: Any, target: Target, grpc_status: Callable[..., Any], key_rpc: str
) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.4s"}
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down.", "details": [info]}}
    double.script[REST].append((429, body))
    delay = pb.RetryInfo(retry_delay=Duration(nanos=400_000_000))
    double.script[key_rpc].append(grpc_status(8, "Slow down.", delay))
    async with connect(target) as cloud:
        for call in (cloud.keys.get, cloud.keys.key_string):
            began = time.monotonic()
            await call(NAME)
            assert 0.4 <= time.monotonic() - began < 40  # packages are loaded meanwhile


async def test_retry_after_is_honoured(double: Any, target: Target) -> None:
    double.script[REST].append(error(503, "UNAVAILABLE", **{"Retry-After": "1"}))
    async with connect(target) as cloud:
        began = time.monotonic()
        await cloud.keys.get(NAME)
    assert time.monotonic() - began >= 1.0


async def test_patience_ends(double: Any, target: Target) -> None:
    double.script[REST].append(error(429, "RESOURCE_EXHAUSTED", **{"Retry-After": "99"}))
    async with connect(target) as cloud:  # its policy allows a minute
        with pytest.raises(Problem) as caught:
            await cloud.keys.get(NAME)
    assert caught.value.cause is Cause.RATE_LIMITED
    assert len(double.calls(REST)) == 1


async def test_a_full_quota_of_keys_is_no_rate_limit(double: Any, target: Target) -> None:
    double.script[CREATE].append(error(429, "RESOURCE_EXHAUSTED", "Maximum number of API keys reached"))
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.create("p1", "k1", display_name="mine")
    assert caught.value.cause is Cause.KEY_QUOTA_EXCEEDED
    assert len(double.calls(CREATE)) == 1


async def test_a_checked_key_that_is_rate_limited_is_told_at_once(double: Any, target: Target) -> None:
    double.script["GET /v1beta/models"].append(error(429, "RESOURCE_EXHAUSTED"))
    async with connect(target, credentials=False) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.gemini.check(KeyString(STRING))
    assert caught.value.cause is Cause.RATE_LIMITED


async def test_create_polls_at_once_and_hands_the_key_back(double: Any, target: Target) -> None:
    double.script[CREATE].append((200, {"name": "operations/akmf.p7-1"}))
    double.script["GET /v2/operations/akmf.p7-1"] += [(200, {"name": "operations/akmf.p7-1"}), done(**key(keyString=STRING))]
    async with connect(target) as cloud:
        made = await cloud.keys.create("p1", "k1", display_name="mine", restrictions=GEMINI_ONLY)
    assert made.key_string == KeyString(STRING)
    assert made.project == "p1"
    assert made.name == NUMBERED
    (asked,) = double.calls(CREATE)
    assert asked.query == {"keyId": "k1"}
    assert asked.body == {"displayName": "mine", "restrictions": key()["restrictions"]}


@pytest.mark.parametrize("loss", ["dropped", "unavailable"])
async def test_a_create_whose_answer_was_lost_hands_back_the_key_it_made(
    loss: str, double: Any, target: Target, dropped: object, key_rpc: str
) -> None:
    double.script[CREATE] += [dropped if loss == "dropped" else error(503, "UNAVAILABLE"), error(409, "ALREADY_EXISTS")]
    double.script[REST].append((200, key()))
    async with connect(target) as cloud:
        made = await cloud.keys.create("p1", "k1", display_name="mine", restrictions=GEMINI_ONLY)
    assert made.name == NUMBERED
    assert made.key_string is not None
    assert len(double.calls(key_rpc)) == 1


async def test_the_string_of_such_a_key_may_stay_unread(
    double: Any, target: Target, dropped: object, key_rpc: str, grpc_status: Callable[..., Any]
) -> None:
    double.script[CREATE] += [dropped, error(409, "ALREADY_EXISTS")]
    double.script[REST].append((200, key()))
    double.script[key_rpc].append(grpc_status(7, "Permission 'apikeys.keys.getKeyString' denied"))
    async with connect(target) as cloud:
        made = await cloud.keys.create("p1", "k1", display_name="mine", restrictions=GEMINI_ONLY)
    assert made.key_string is None


@pytest.mark.parametrize(
    "other",
    [{"displayName": "theirs"}, {"annotations": {"a": "b"}}, {"restrictions": {}}, {"deleteTime": "2026-01-01T00:00:00Z"}],
)
async def test_somebody_elses_key_of_the_same_id_is_not_taken_for_ours(
    other: dict[str, Any], double: Any, target: Target, dropped: object
) -> None:
    double.script[CREATE] += [dropped, error(409, "ALREADY_EXISTS")]
    double.script[REST].append((200, key(**other)))
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.create("p1", "k1", display_name="mine", restrictions=GEMINI_ONLY)
    assert caught.value.cause is Cause.ALREADY_EXISTS
    assert "an earlier try" in caught.value.notes[0]


async def test_an_id_taken_at_the_first_try_is_taken(double: Any, target: Target) -> None:
    double.script[CREATE].append(error(409, "ALREADY_EXISTS"))
    double.script[REST].append((200, key()))
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.create("p1", "k1", display_name="mine", restrictions=GEMINI_ONLY)
    assert caught.value.cause is Cause.ALREADY_EXISTS
    assert double.calls(REST) == []


async def test_a_delete_whose_answer_was_lost_is_done(double: Any, target: Target, dropped: object) -> None:
    double.script[f"DELETE /v2/{NAME}"] += [dropped, error(404, "NOT_FOUND")]
    double.script[REST].append((200, key(deleteTime="2026-01-01T00:00:00Z")))
    async with connect(target) as cloud:
        gone = await cloud.keys.delete(NAME)
    assert gone.delete_time is not None
    assert len(double.calls(f"DELETE /v2/{NAME}")) == 2  # aiohttp repeats nothing behind our back


async def test_deletes_answer_gives_no_key_string_away(double: Any, target: Target) -> None:
    double.script[f"DELETE /v2/{NAME}"].append(done(**key(keyString=STRING)))
    async with connect(target) as cloud:
        assert (await cloud.keys.delete(NAME, etag="e", usage_check="CHECK")).key_string is None
    (asked,) = double.calls(f"DELETE /v2/{NAME}")
    assert asked.query == {"etag": "e", "checkExistingUsage": "CHECK"}


async def test_an_update_whose_answer_was_lost_is_done_if_the_key_says_so(double: Any, target: Target, dropped: object) -> None:
    from keyadmin.model.key import Key

    changes = Key(NAME, display_name="mine")
    for name, agrees in (("mine", True), ("theirs", False)):
        double.script[f"PATCH /v2/{NAME}"] += [dropped, error(409, "ABORTED", "etag mismatch")]
        double.script[REST].append((200, key(displayName=name)))
        async with connect(target) as cloud:
            if agrees:
                assert (await cloud.keys.update(NAME, {"display_name"}, changes, etag="e")).display_name == "mine"
            else:
                with pytest.raises(Problem) as caught:
                    await cloud.keys.update(NAME, {"display_name"}, changes, etag="e")
                assert caught.value.cause is Cause.CONFLICT
    assert double.calls(f"PATCH /v2/{NAME}")[0].query == {"updateMask": "displayName"}
    assert double.calls(f"PATCH /v2/{NAME}")[0].body == {"displayName": "mine", "etag": "e"}


async def test_what_must_not_be_repeated_is_not(double: Any, target: Target) -> None:
    rpc = "POST /v1/projects/p1/secrets/s1:addVersion"
    double.script[rpc] += [error(503, "UNAVAILABLE", "Broken off.")] * 2
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.secrets.add_version("projects/p1/secrets/s1", KeyString(STRING))
    assert caught.value.cause is Cause.SERVICE_UNAVAILABLE
    assert len(double.calls(rpc)) == 1


async def test_a_refused_write_is_repeated_even_so(double: Any, target: Target) -> None:
    """A rate limit says that nothing was done."""
    rpc = "POST /v1/projects/p1/secrets/s1:addVersion"
    double.script[rpc] += [error(429, "RESOURCE_EXHAUSTED", "Slow down."), (200, {"name": "v"})]
    async with connect(target) as cloud:
        assert await cloud.secrets.add_version("projects/p1/secrets/s1", KeyString(STRING)) == "v"


async def test_an_operation_that_fails_is_told_with_its_cause(double: Any, target: Target) -> None:
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": "iam.serviceAccountApiKeyBindings.create"},
    }
    double.script[CREATE].append((200, {"name": "operations/akmf.p7-1"}))
    status = {"code": 7, "message": "Denied.", "details": [info]}
    double.script["GET /v2/operations/akmf.p7-1"].append((200, {"name": "operations/akmf.p7-1", "done": True, "error": status}))
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.create("p1", "k1", display_name="mine")
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert caught.value.permission == "iam.serviceAccountApiKeyBindings.create"
    assert caught.value.status == "PERMISSION_DENIED"


async def test_an_operation_that_never_ends_is_given_up_with_its_name() -> None:
    from keyadmin.cloud.calls import Operation, finished
    from keyadmin.cloud.endpoints import ApiCall

    async def poll(name: str) -> Operation:
        return Operation(name, done=False)

    with pytest.raises(Problem) as caught:
        await finished(Operation("operations/x", done=False), poll, ApiCall("s", "CreateKey"), deadline=0.2)
    assert "operations/x" in caught.value.message
    assert caught.value.cause is Cause.SERVICE_UNAVAILABLE


async def test_a_key_string_where_a_name_belongs_is_not_sent(double: Any, target: Target) -> None:
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.get(f"{PARENT}/keys/{STRING}")
    assert STRING not in caught.value.message
    assert [seen for seen in double.seen if seen.what != "POST /token"] == []


async def test_lookup_has_no_rest_door(target: Target) -> None:
    from keyadmin.cloud.endpoints import APIKEYS, ApiCall, transport

    assert transport(APIKEYS, "LookupKey") == "grpc"
    async with connect(target) as cloud:
        with pytest.raises(ValueError, match="not a REST call"):
            await cloud._rest.call(ApiCall(APIKEYS, "LookupKey"), "GET", "/v2/keys:lookupKey")


async def test_pages_are_followed_to_the_end(double: Any, target: Target) -> None:
    double.script[f"GET /v2/{PARENT}/keys"] += [
        (200, {"keys": [key()], "nextPageToken": "t1"}),
        (200, {"nextPageToken": "t2"}),
        error(503, "UNAVAILABLE"),
        (200, {"keys": [key(), key()]}),
    ]
    async with connect(target) as cloud:
        found = [item async for item in cloud.keys.list("p1", deleted=True)]
    assert len(found) == 3
    assert {item.project for item in found} == {"p1"}
    asked = [seen.query.get("pageToken") for seen in double.calls(f"GET /v2/{PARENT}/keys")]
    assert asked == [None, "t1", "t2", "t2"]
    assert all(seen.query["showDeleted"] == "true" for seen in double.calls(f"GET /v2/{PARENT}/keys"))


async def test_ahead_a_page_is_fetched_while_one_is_worked_on() -> None:
    asked: list[str] = []

    async def fetch(token: str) -> ListPage[str]:
        asked.append(token)
        if token == "3":
            raise Problem(Cause.SERVICE_UNAVAILABLE, "the third page")
        return ListPage([f"{token}a", f"{token}b"], str(int(token or 1) + 1))

    found = []

    async def work() -> None:
        async for item in pages(fetch, ahead=True):
            await asyncio.sleep(0)
            found.append((item, asked[-1]))

    with pytest.raises(Problem, match="the third page"):
        await work()
    assert found == [("a", "2"), ("b", "2"), ("2a", "3"), ("2b", "3")]
    asked.clear()
    listing = pages(fetch)
    assert [await anext(listing), await anext(listing), asked] == ["a", "b", [""]]


async def test_who_stops_early_hears_nothing_of_the_page_fetched_ahead(caplog: pytest.LogCaptureFixture) -> None:
    async def fetch(token: str) -> ListPage[str]:
        if token:
            raise Problem(Cause.SERVICE_UNAVAILABLE, "nobody asked")
        return ListPage(["a", "b"], "2")

    listing = pages(fetch, ahead=True)
    assert await anext(listing) == "a"
    await asyncio.sleep(0)
    await listing.aclose()  # type: ignore[attr-defined]
    del listing
    gc.collect()
    assert caplog.text == ""


async def test_a_listing_that_goes_round_in_circles_is_ended(double: Any, target: Target) -> None:
    double.script[f"GET /v2/{PARENT}/keys"] += [(200, {"nextPageToken": "t"})] * 5
    async with connect(target) as cloud:
        with pytest.raises(Problem, match="same page token"):
            [item async for item in cloud.keys.list("p1")]


def test_backoff_doubles_is_jittered_and_bounded() -> None:
    policy = RetryPolicy(first=1.0, most=8.0)
    for attempt, most in enumerate((1.0, 2.0, 4.0, 8.0, 8.0, 8.0)):
        delays = {policy.delay(attempt, None) for _ in range(50)}
        assert all(most / 2 <= delay <= most for delay in delays)
        assert len(delays) > 10
    assert 30.0 <= replace(policy).delay(3, 30.0) <= 31.0
