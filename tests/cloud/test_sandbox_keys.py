"""The wrapper for keys against the real sandbox server, faults included."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cloud.connect import Embedded, Url, connect
from keyadmin.model.key import GEMINI_ONLY, AndroidApp, ApiTarget, Key, Restrictions
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import KeyString
from tests.waiting import until_async

PROJECT = "demo-project"
FULL = Restrictions(ips=("10.0.0.0/8",), targets=(ApiTarget("translate.googleapis.com", ("Get*",)),))


async def test_the_life_of_a_key(sandbox: Any) -> None:
    async with connect(sandbox.target) as cloud:
        made = await cloud.keys.create(PROJECT, "k1", display_name="First", restrictions=FULL, annotations={"team": "a"})
        assert made.key_string is not None
        assert made.key_string.sandbox
        assert (made.project, made.key_id, made.display_name) == (PROJECT, "k1", "First")
        assert made.restrictions == FULL
        assert made.name.startswith("projects/1")  # by the number
        read = await cloud.keys.get(made.name)
        assert read == replace(made, key_string=None)
        assert [key async for key in cloud.keys.list(PROJECT)] == [read]
        assert await cloud.keys.key_string(made.name) == made.key_string
        found = await cloud.keys.lookup(made.key_string)
        assert (found.name, found.parent) == (made.name, made.name.partition("/keys/")[0])
        gone = await cloud.keys.delete(made.name, etag=read.etag)
        assert gone.delete_time is not None
        assert gone.key_string is None
        assert [key async for key in cloud.keys.list(PROJECT)] == []
        assert [key.key_id async for key in cloud.keys.list(PROJECT, deleted=True)] == ["k1"]
        back = await cloud.keys.undelete(made.name)
        assert back.delete_time is None
        assert back.project == PROJECT


async def test_masks_set_and_clear_what_they_name(sandbox: Any) -> None:
    android = Restrictions(android=(AndroidApp("A" * 40, "com.example"),))
    async with connect(sandbox.target) as cloud:
        key = await cloud.keys.create(PROJECT, "k1", display_name="First", restrictions=FULL, annotations={"a": "1"})
        renamed = await cloud.keys.update(key.name, {"display_name"}, Key(key.name, display_name="Second"))
        assert (renamed.display_name, renamed.restrictions, renamed.annotations) == ("Second", FULL, {"a": "1"})
        changed = await cloud.keys.update(key.name, {"restrictions", "annotations"}, Key(key.name, restrictions=android))
        assert (changed.display_name, changed.restrictions, changed.annotations) == ("Second", android, {})
        with pytest.raises(Problem) as caught:
            await cloud.keys.update(key.name, {"display_name"}, Key(key.name, display_name="Third"), etag=renamed.etag)
        assert caught.value.cause is Cause.CONFLICT
        assert (await cloud.keys.get(key.name)).display_name == "Second"


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DROP", "DEADLINE_EXCEEDED"])
async def test_an_answer_lost_after_the_key_was_made_gives_that_key(code: str, sandbox: Any) -> None:
    await sandbox.control("faults", {"method": "CreateKey", "code": code, "times": 1, "when": "after"})
    async with connect(sandbox.target) as cloud:
        key = await cloud.keys.create(PROJECT, "k1", display_name="First", restrictions=GEMINI_ONLY)
        assert key.key_string is not None
        assert key.key_string == await cloud.keys.key_string(key.name)
        assert [found.key_id async for found in cloud.keys.list(PROJECT)] == ["k1"]
    assert len(await sandbox.asked("CreateKey")) == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("code", ["UNAVAILABLE", "DROP"])
@pytest.mark.parametrize("method", ["UpdateKey", "DeleteKey", "UndeleteKey", "GetKeyString", "ListKeys", "GetOperation"])
async def test_every_call_gets_over_a_lost_answer(method: str, code: str, when: str, sandbox: Any) -> None:
    async with connect(sandbox.target) as cloud:
        key = await cloud.keys.create(PROJECT, "k1", display_name="First")
        if method == "UndeleteKey":
            await cloud.keys.delete(key.name)
        before = len(await sandbox.asked(method))
        await sandbox.control("faults", {"method": method, "code": code, "times": 2, "when": when})
        if method == "UpdateKey":
            await cloud.keys.update(key.name, {"display_name"}, Key(key.name, display_name="Second"), etag=key.etag)
            assert (await cloud.keys.get(key.name)).display_name == "Second"
        elif method in ("DeleteKey", "GetOperation"):
            assert (await cloud.keys.delete(key.name, etag=key.etag)).delete_time is not None
        elif method == "UndeleteKey":
            assert (await cloud.keys.undelete(key.name)).delete_time is None
        elif method == "GetKeyString":
            assert await cloud.keys.key_string(key.name) == key.key_string
        else:
            assert len([found async for found in cloud.keys.list(PROJECT)]) == 1
    assert len(await sandbox.asked(method)) - before >= 2  # a repeated change is refused and found done


async def test_an_operation_that_fails_raises_its_error_and_is_not_repeated(sandbox: Any) -> None:
    await sandbox.control("faults", {"method": "CreateKey", "code": "ABORTED", "times": 1, "when": "operation"})
    async with connect(sandbox.target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.create(PROJECT, "k1", display_name="First")
    assert caught.value.cause is Cause.CONFLICT
    assert len(await sandbox.asked("CreateKey")) == 1


async def test_the_servers_quota_is_waited_out_as_long_as_it_says(sandbox: Any) -> None:
    await sandbox.control("quota", {"method": "GetKey", "per_minute": 3})
    patient = replace(sandbox.target, retry=replace(sandbox.target.retry, patience=0.5))
    async with connect(patient) as cloud:
        key = await cloud.keys.create(PROJECT, "k1", display_name="First")
        for _ in range(3):
            await cloud.keys.get(key.name)
        with pytest.raises(Problem) as caught:  # RetryInfo asks for more than half a second
            await cloud.keys.get(key.name)
    assert caught.value.cause is Cause.RATE_LIMITED
    assert (await sandbox.asked("GetKey")).count("RESOURCE_EXHAUSTED") == 1


async def test_who_calls(sandbox: Any) -> None:
    async with connect(replace(sandbox.target, sandbox_user="stranger@example.com")) as cloud:
        assert cloud.caller.principal == "stranger@example.com"
        assert cloud.caller.kind == "sandbox"
        for call in (
            cloud.keys.get(f"projects/{PROJECT}/locations/global/keys/x"),
            cloud.keys.key_string(f"projects/{PROJECT}/locations/global/keys/x"),
        ):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
            assert caught.value.permission is not None
            assert caught.value.permission.startswith("apikeys.keys.get")


async def test_a_quota_project_must_be_usable(sandbox: Any) -> None:
    async with connect(replace(sandbox.target, quota_project=PROJECT)) as cloud:
        with pytest.raises(Problem) as caught:
            [key async for key in cloud.keys.list(PROJECT)]
    assert caught.value.cause is Cause.API_NOT_ENABLED
    assert caught.value.service == "apikeys.googleapis.com"


async def test_keys_of_the_other_world_are_never_sent(sandbox: Any) -> None:
    real = KeyString("AIza" + "d" * 35)
    async with connect(sandbox.target) as cloud:
        for call in (
            cloud.keys.lookup(real),
            cloud.gemini.check(real),
            cloud.secrets.add_version("projects/p/secrets/s", real),
        ):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.cause is Cause.UNKNOWN
            assert caught.value.exit is Exit.FOUND
            assert real.reveal() not in repr(caught.value)
    assert await sandbox.control("requests") == []


async def test_sandbox_keys_are_never_sent_to_google(double: Any, target: Any) -> None:
    key = KeyString("AQ.SANDBOX-" + "e" * 40)
    async with connect(target) as cloud:
        for call in (cloud.keys.lookup(key), cloud.gemini.check(key), cloud.secrets.add_version("projects/p/secrets/s", key)):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.exit is Exit.FOUND
    assert double.seen == []


async def test_embedded_keeps_its_state_and_serves_both_doors(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    from keyadmin.cloud.connect import Target

    async with connect(Target(sandbox=Embedded(state))) as cloud:
        assert cloud.sandbox
        key = await cloud.keys.create(PROJECT, "k1", display_name="First")
    async with connect(Target(sandbox=Embedded(state))) as cloud:
        assert await cloud.keys.key_string(key.name) == key.key_string


async def test_a_file_that_is_no_state_is_said_and_left_alone(tmp_path: Path) -> None:
    from keyadmin.cloud.connect import Target

    state = tmp_path / "state.db"
    state.write_text("my diary")
    with pytest.raises(Problem) as caught:
        async with connect(Target(sandbox=Embedded(state))):
            pass
    assert caught.value.cause is Cause.INVALID_ARGUMENT
    assert str(state) in caught.value.message
    assert state.read_text() == "my diary"


async def test_a_sandbox_that_is_gone_is_said_at_once(sandbox: Any) -> None:
    began = time.monotonic()
    async with connect(replace(sandbox.target, sandbox=Url("http://127.0.0.1:9", "127.0.0.1:9"))) as cloud:
        for call in (
            cloud.keys.get(f"projects/{PROJECT}/locations/global/keys/x"),
            cloud.keys.key_string(f"projects/{PROJECT}/locations/global/keys/x"),
        ):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.cause is Cause.SERVICE_UNAVAILABLE
            assert caught.value.message.startswith("the sandbox at http://127.0.0.1:9 could not be reached")
            assert caught.value.fix[0].endswith("keyadmin sandbox serve --rest-port 9")
            assert "KEYADMIN_SANDBOX" in caught.value.fix[1]
    assert time.monotonic() - began < 50  # it is not tried as long as what may come back


async def test_interruption_leaves_nothing_running(sandbox: Any) -> None:
    await sandbox.control("latency", {"ms": 5000, "method": "GetOperation"})
    async with connect(sandbox.target) as cloud:
        task = asyncio.create_task(cloud.keys.create(PROJECT, "k1", display_name="First"))
        await until_async(lambda: sandbox.asked("CreateKey"), "the key is being made")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
