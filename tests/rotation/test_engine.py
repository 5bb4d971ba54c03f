"""One lineage in detail: what others do between two steps, what is refused, what a rotation leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyadmin.problem import Cause
from keyadmin.rotation import job as jobs
from keyadmin.rotation.decide import Terms
from keyadmin.rotation.lineage import PUBLISHED, Member
from tests.rotation.inside import GEMINI, MAPS, Gate, Stage, Subject, go_on, stage


@pytest.fixture
async def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    async with stage(tmp_path) as made:
        yield made


@pytest.fixture
def nothing_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the runs took minutes: what was read before is read again."""
    monkeypatch.setattr(jobs, "FRESH_S", 0.0)


def always_live(subject: Subject) -> None:
    """From now on it is watched that every sink holds a key that is not deleted."""

    def look() -> None:
        rows = {row["string"]: row for row in subject.rows().values()}
        for sink, string in subject.held().items():
            assert rows[string]["deleted"] is None, f"{sink} holds a deleted key"

    subject.stage.watch = look


def newest(subject: Subject) -> Member:
    return subject.lineage().newest


def holders(subject: Subject) -> set[str]:
    """The ids of the keys that the sinks hold."""
    names = {string: key_id for key_id, string in subject.strings().items()}
    return {names[string] for string in subject.held().values()}


def deleted(subject: Subject) -> list[str]:
    return [key_id for key_id, row in subject.rows().items() if row["deleted"]]


async def published(on: Stage, **key: Any) -> Subject:
    """A subject whose second generation is published."""
    subject = await on.project(**key)
    (outcome,) = await subject.run(new_auth=bool(key))
    assert outcome.problem is None
    assert outcome.state == "grace"
    return subject


# ---- the way of a rotation ---------------------------------------------------------------------------------------------


async def test_two_runs_make_a_rotation_and_a_third_does_nothing(on: Stage) -> None:
    subject = await published(on)
    assert holders(subject) == {newest(subject).key.key_id}
    await on.control("clock", {"advance": "25h"})
    (second,) = await subject.run()
    assert (second.problem, second.state) == (None, "retired")
    assert deleted(subject) == ["web"]
    on.local.requests.clear()
    assert await subject.run() == []
    assert subject.writes() == []


async def test_a_key_that_is_not_known_everywhere_is_handed_to_nobody(on: Stage) -> None:
    subject = await on.project()
    await on.control("propagation", {"key": "30s"})
    (first,) = await subject.run()
    assert first.problem is not None
    assert first.problem.cause is Cause.API_KEY_INVALID
    assert holders(subject) == {"web"}
    assert newest(subject).state == "stuck"
    assert newest(subject).cause == "api-key-invalid"
    await on.control("clock", {"advance": "31s"})
    (second,) = await subject.run()
    assert second.problem is None
    assert holders(subject) == {newest(subject).key.key_id}
    assert newest(subject).cause is None


async def test_a_sink_that_somebody_else_writes_to_stops_the_lineage(on: Stage) -> None:
    subject = await on.project()
    before = subject.env_file.read_text()

    def overwrite() -> None:
        if newest(subject).generation == 2 and subject.env_file.read_text() != before:
            subject.env_file.write_text(before)

    on.watch = overwrite
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert "holds another one" in outcome.problem.message
    assert (newest(subject).state, newest(subject).cause) == ("stuck", "conflict")
    on.watch = lambda: None
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")


async def test_what_a_sink_lost_is_handed_over_again_and_grace_begins_anew(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    subject.env_file.write_text(f"GEMINI_API_KEY={subject.strings()['web']}\n")
    always_live(subject)
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert deleted(subject) == []
    assert holders(subject) == {newest(subject).key.key_id}
    (again,) = await subject.run()
    assert again.until is not None
    await on.control("clock", {"advance": "25h"})
    await subject.run()
    assert deleted(subject) == ["web"]


async def test_a_new_sink_has_the_key_before_the_predecessor_goes(on: Stage, tmp_path: Path) -> None:
    """A program cannot be read back: that it is new is told by the annotation."""
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    taken = tmp_path / "taken"
    subject.more_sinks = (f"exec:tee {taken}",)
    (outcome,) = await subject.run()
    assert outcome.state == "grace"
    assert deleted(subject) == []
    assert taken.read_text().strip() == subject.strings()[newest(subject).key.key_id]
    await on.control("clock", {"advance": "25h"})
    await subject.run()
    assert deleted(subject) == ["web"]


async def test_the_predecessor_stays_where_its_successor_stopped_working(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await on.control("seed", {"projects": [condition(subject, newest(subject), "leaked")]})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert outcome.problem.cause is Cause.API_KEY_LEAKED
    assert deleted(subject) == []


def condition(subject: Subject, member: Member, value: str) -> dict[str, Any]:
    """A seed that gives a key a condition and leaves it as it is."""
    row = subject.rows()[member.key.key_id]
    names = ("displayName", "createTime", "restrictions", "annotations", "serviceAccountEmail")
    key = {name: row[name] for name in names if name in row}
    return {"projectId": subject.project, "keys": [key | {"keyId": member.key.key_id, "condition": value}]}


# ---- the use of the old key ----------------------------------------------------------------------------------------------


async def use(subject: Subject, key_id: str) -> None:
    """Somebody works with a key."""
    headers = {"x-goog-api-key": subject.strings()[key_id]}
    body = {"contents": [{"parts": [{"text": "hello"}]}]}
    url = f"{subject.stage.rest}/v1beta/models/gemini-2.5-flash:generateContent"
    async with subject.stage.http.post(url, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def test_a_predecessor_in_use_is_kept_until_nobody_used_it_for_the_grace_period(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, "web")
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert "was used for generativelanguage.googleapis.com" in outcome.why
    assert outcome.ways_out
    assert deleted(subject) == []
    await on.control("clock", {"advance": "26h"})
    await subject.run()
    assert deleted(subject) == ["web"]


async def test_a_predecessor_in_use_is_retired_all_the_same_with_force(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, "web")
    await subject.run(force_use=True)
    assert deleted(subject) == ["web"]


async def test_where_the_use_cannot_be_read_the_service_checks_it(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await use(subject, "web")
    await on.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})
    (outcome,) = await subject.run()
    assert outcome.problem is None
    assert "was used in the last 7 days" in outcome.why
    assert deleted(subject) == []
    await on.control("clock", {"advance": "200h"})
    await subject.run()
    assert deleted(subject) == ["web"]


# ---- what is refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["DeleteKey", "GetOperation", "AccessSecretVersion", "ListModels", "GetKeyString"])
async def test_403_is_never_taken_for_gone(on: Stage, method: str) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    before = subject.held()
    await on.control("faults", {"method": method, "code": "PERMISSION_DENIED", "times": 99})
    (outcome,) = await subject.run()
    if method == "AccessSecretVersion":  # a sink that may be written but not read is no failure
        assert outcome.problem is None
    else:
        assert outcome.problem is not None
        assert outcome.state == "stuck"
        assert deleted(subject) == [] or method == "GetOperation"
    assert subject.held() == before
    await on.control("faults", method="DELETE")
    await subject.run()
    assert newest(subject).state == "retired"
    assert deleted(subject) == ["web"]


async def test_a_key_that_cannot_be_replaced_says_so_and_is_tried_again(on: Stage) -> None:
    subject = await on.project()
    await on.control("faults", {"method": "CreateKey", "code": "PERMISSION_DENIED", "times": 99})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert newest(subject).generation == 1
    assert newest(subject).cause == "missing-iam-permission"
    on.local.requests.clear()
    await subject.run()
    assert "UpdateKey" not in subject.writes(), "the same cause is not written twice"
    await on.control("faults", method="DELETE")
    (outcome,) = await subject.run()
    assert outcome.problem is None
    assert newest(subject).cause is None


# ---- what others do meanwhile ----------------------------------------------------------------------------------------------


async def test_restrictions_changed_after_the_listing_are_those_of_the_successor(on: Stage) -> None:
    subject = await on.project()
    gate = Gate("GetKey")
    on.pause = gate
    run = asyncio.create_task(subject.run())
    await gate.reached()
    narrow = replace(await subject.key("web"), restrictions=replace(newest(subject).key.restrictions, ips=("192.0.2.7",)))
    await on.cloud.keys.update(narrow.name, {"restrictions"}, narrow)
    gate.open()
    await run
    assert newest(subject).generation == 2
    assert newest(subject).key.restrictions.ips == ("192.0.2.7",)


@pytest.mark.parametrize(("method", "nth"), [("ListModels", 1), ("GetKey", 2)], ids=["verifying", "verified"])
async def test_a_run_that_was_held_up_does_not_hand_over_what_was_rolled_back(
    on: Stage, nothing_is_fresh: None, method: str, nth: int
) -> None:
    subject = await on.project()
    gate = Gate(method, nth)
    on.pause = gate
    run = asyncio.create_task(subject.run())
    await gate.reached()
    always_live(subject)
    back = await subject.roll_back("web")
    assert back.problem is None
    assert deleted(subject) == [f"ka-{subject.lineage().id}-2"]
    gate.open()
    (outcome,) = await run
    assert holders(subject) == {"web"}
    assert outcome.problem is None
    assert await subject.run() == []


async def test_who_handed_over_and_was_overtaken_puts_the_sinks_right(on: Stage, nothing_is_fresh: None) -> None:
    subject = await on.project()
    gate = Gate("UpdateKey")
    on.pause = gate
    run = asyncio.create_task(subject.run())
    await gate.reached()
    assert holders(subject) == {f"ka-{subject.lineage().id}-2"}
    await subject.roll_back("web")
    subject.env_file.write_text(f"GEMINI_API_KEY={subject.strings()[f'ka-{subject.lineage().id}-2']}\n")
    gate.open()
    await run
    assert holders(subject) == {"web"}


async def test_a_rollback_stops_whoever_is_about_to_publish(on: Stage, nothing_is_fresh: None) -> None:
    """The run reads its key once more between the rollback's hand-over and its deletion: then it is marked already."""
    subject = await on.project()
    publisher = Gate("GetKey", nth=2)  # the first one reads the founder
    on.pause = publisher
    run = asyncio.create_task(subject.run())
    await publisher.reached()
    remover = Gate("DeleteKey")
    on.pause = remover
    back = asyncio.create_task(subject.roll_back("web"))
    await remover.reached()
    always_live(subject)
    publisher.open()
    await asyncio.wait([run], timeout=1)
    remover.open()
    await asyncio.gather(run, back)
    assert holders(subject) == {"web"}


async def test_a_predecessor_that_was_changed_meanwhile_is_not_deleted_unseen(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    gate = Gate("DeleteKey")
    on.pause = gate
    run = asyncio.create_task(subject.run())
    await gate.reached()
    on.pause = go_on
    back = await subject.roll_back("web")
    assert back.problem is None
    gate.open()
    await run
    assert "web" not in deleted(subject)
    assert holders(subject) == {"web"}


async def test_two_runs_at_once_publish_once(on: Stage) -> None:
    subject = await on.project()
    first, second = await asyncio.gather(subject.run(), subject.run())
    assert [outcome.problem for outcome in (*first, *second)] == [None, None]
    assert len(subject.rows()) == 2
    assert newest(subject).state == "grace"


# ---- asked for by name -----------------------------------------------------------------------------------------------------


async def test_a_finished_rotation_is_not_begun_again_by_the_same_command(on: Stage) -> None:
    subject = await on.project()
    for _ in range(2):
        await subject.rotate("web")
        await on.control("clock", {"advance": "25h"})
    assert newest(subject).state == "retired"
    on.local.requests.clear()
    outcome = await subject.rotate("web")
    assert (outcome.problem, outcome.why) == (None, "the rotation is complete")
    assert subject.writes() == []


async def test_a_leaked_key_in_grace_is_replaced_and_deleted(on: Stage) -> None:
    subject = await published(on)
    leaked = newest(subject).key.key_id
    outcome = await subject.rotate(leaked, Terms(force=True, emergency=True))
    assert outcome.problem is None
    assert newest(subject).generation == 3
    assert sorted(deleted(subject)) == sorted(["web", leaked])
    assert holders(subject) == {newest(subject).key.key_id}


async def test_an_emergency_of_all_keys_replaces_each_once(on: Stage) -> None:
    subject = await on.project()
    await subject.run(emergency=True, max_age=None)
    assert (newest(subject).generation, newest(subject).state, deleted(subject)) == (2, "retired", ["web"])
    young = await on.project(createTime=None)
    await young.run(emergency=True, max_age=None)
    assert newest(young).generation == 2
    assert await young.run(emergency=True, max_age=timedelta(hours=1)) == [], "with an age, only what is older"


# ---- rollback ----------------------------------------------------------------------------------------------------------------


async def retired(on: Stage, **key: Any) -> Subject:
    """A subject whose rotation is complete."""
    subject = await published(on, **key)
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run(new_auth=bool(key))
    assert outcome.state == "retired"
    return subject


async def test_a_rollback_brings_the_predecessor_back_into_every_sink(on: Stage) -> None:
    subject = await retired(on)
    second = newest(subject).key.key_id
    always_live(subject)
    outcome = await subject.roll_back("web")
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert deleted(subject) == [second]
    assert holders(subject) == {"web"}
    on.local.requests.clear()
    again = await subject.roll_back("web")
    assert (again.problem, subject.writes()) == (None, [])


async def test_after_a_rollback_the_next_rotation_waits_until_it_is_asked_for(on: Stage) -> None:
    subject = await retired(on)
    await subject.roll_back("web")
    assert await subject.run() == []
    outcome = await subject.rotate("web")
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert newest(subject).generation == 3, "generation 2 is used up"


async def test_a_rollback_without_the_sinks_keeps_the_key_that_they_hold(on: Stage) -> None:
    subject = await retired(on)
    second = newest(subject).key.key_id
    always_live(subject)
    outcome = await subject.roll_back("web", specs=[])
    assert outcome.problem is None
    assert outcome.ways_out
    assert deleted(subject) == []
    assert holders(subject) == {second}
    await subject.run()
    assert holders(subject) == {"web"}, "the next run has the sinks and finishes it"
    assert deleted(subject) == [second]


async def test_a_rollback_to_a_key_that_does_not_work_changes_nothing(on: Stage) -> None:
    subject = await retired(on)
    founder = subject.lineage().members[0]
    await on.cloud.keys.undelete(founder.key.name)
    await on.control("seed", {"projects": [condition(subject, founder, "leaked")]})
    before = subject.held()
    with pytest.raises(Exception, match="leaked"):
        await subject.roll_back("web")
    assert subject.held() == before
    assert subject.lineage().voided == ()


@pytest.mark.parametrize("which", ["newest", "given up"])
async def test_there_is_nothing_to_go_back_to(on: Stage, which: str) -> None:
    subject = await retired(on)
    name = newest(subject).key.key_id
    if which == "given up":
        await subject.roll_back("web")
    with pytest.raises(Exception, match="there is nothing to go back to"):
        await subject.roll_back(name)


# ---- adopting --------------------------------------------------------------------------------------------------------------


async def test_adopting_trusts_nothing_that_was_written_before(on: Stage) -> None:
    subject = await published(on)
    key = newest(subject).key
    forged = {name: value for name, value in key.annotations.items() if "generation" not in name}
    await on.cloud.keys.update(key.name, {"annotations"}, replace(key, annotations=forged | {PUBLISHED: on.ago(30)}))
    (outcome,) = await subject.run()
    assert outcome.state == "stuck"
    assert outcome.ways_out
    await subject.adopt(key.key_id)
    assert newest(subject).published is None
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert deleted(subject) == [], "grace begins with this publication"


# ---- migration -------------------------------------------------------------------------------------------------------------

OLD = {"serviceAccountEmail": None}


async def test_a_standard_key_becomes_an_auth_key(on: Stage) -> None:
    subject = await retired(on, **OLD)
    assert newest(subject).key.key_type == "auth"
    assert newest(subject).key.service_account_email == f"keyadmin-gemini@{subject.project}.iam.gserviceaccount.com"
    assert deleted(subject) == ["web"]


async def test_a_new_service_account_is_waited_for(on: Stage) -> None:
    subject = await on.project(**OLD)
    await on.control("propagation", {"serviceAccount": "2s"})
    (outcome,) = await subject.run(new_auth=True)
    assert (outcome.problem, outcome.state) == (None, "grace")


async def test_a_mixed_key_is_split_and_what_it_keeps_may_be_used_on(on: Stage) -> None:
    subject = await published(on, **OLD, restrictions={"apiTargets": [GEMINI, MAPS]})
    assert newest(subject).key.restricted == "gemini"
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run(new_auth=True)
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert deleted(subject) == []
    assert subject.rows()["web"]["restrictions"]["apiTargets"] == [MAPS]
    assert await subject.run(new_auth=True) == [], "the old key is not a predecessor any more"


async def test_a_rollback_of_a_split_gives_the_old_key_gemini_back(on: Stage) -> None:
    subject = await retired(on, **OLD, restrictions={"apiTargets": [GEMINI, MAPS]})
    outcome = await subject.roll_back("web")
    assert outcome.problem is None
    assert subject.rows()["web"]["restrictions"]["apiTargets"] == [GEMINI, MAPS]
    assert holders(subject) == {"web"}
