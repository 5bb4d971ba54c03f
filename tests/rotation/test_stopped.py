"""A lineage that stopped: what is written on its keys and what is not, and that nothing is made of it by guessing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from keyadmin.model.lineage import STATE
from keyadmin.model.problem import Cause
from tests.rotation.conftest import deleted, holders, newest, published
from tests.rotation.inside import Gate, Stage, go_on, held_up


async def test_what_was_mended_after_the_listing_is_not_stuck(on: Stage) -> None:
    subject = await published(on)
    second = newest(subject).key
    await on.cloud.keys.delete(second.name)
    gate = Gate("ListKeys", nth=2)
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    await on.cloud.keys.undelete(second.name)
    gate.open()
    (outcome,) = await run
    assert (outcome.problem, outcome.state) == (None, "grace")


async def test_the_id_of_a_key_deleted_by_hand_is_not_used_again_though_no_run_saw_it_before_it_was_purged(on: Stage) -> None:
    subject = await published(on)
    await on.cloud.keys.delete(newest(subject).key.name)
    await on.control("clock", {"advance": "31d"})
    (outcome,) = await subject.run()
    assert (outcome.problem, newest(subject).generation) == (None, 3)
    assert newest(subject).predecessor_id == "web"


async def test_noting_a_generation_keeps_what_is_written_on_the_old_key(on: Stage) -> None:
    subject = await on.project(annotations={"team": "web"})
    await subject.run()
    founder = subject.lineage().members[0]
    assert (founder.key.annotations.get("team"), founder.highest) == ("web", 2)
    assert newest(subject).key.annotations.get("team") == "web"


async def test_the_id_of_a_key_deleted_by_hand_is_not_used_again_when_it_is_purged(on: Stage) -> None:
    subject = await on.project()
    await on.control("faults", {"method": "UpdateKey", "code": "PERMISSION_DENIED", "times": 2})
    (outcome,) = await subject.run()
    assert outcome.problem is not None, "it was made, and nothing could be noted"
    await on.cloud.keys.delete(newest(subject).key.name)
    await on.control("faults", {"method": "UpdateKey", "code": "PERMISSION_DENIED", "times": 1})
    (outcome,) = await subject.run()
    assert (outcome.state, bool(outcome.ways_out)) == ("stuck", True), "that it cannot be noted is another matter"
    (outcome,) = await subject.run()
    assert outcome.state == "stuck"
    on.local.requests.clear()
    await subject.run()
    assert subject.writes() == [], "it is noted once"
    await on.control("clock", {"advance": "31d"})
    (outcome,) = await subject.run()
    assert (outcome.problem, newest(subject).generation) == (None, 3)


async def test_what_was_tampered_with_is_not_written_over_where_another_look_fails(on: Stage) -> None:
    subject = await published(on)
    key = newest(subject).key
    await on.cloud.keys.update(key.name, {"annotations"}, replace(key, annotations={**key.annotations, STATE: "mine"}))
    gate = Gate("ListKeys", nth=2)
    run = await held_up(on, gate, subject.run())
    await on.control("faults", {"method": "ListKeys", "code": "PERMISSION_DENIED", "times": 1})
    gate.open()
    (outcome,) = await run
    assert outcome.problem is not None
    assert outcome.problem.cause is Cause.MISSING_IAM_PERMISSION
    assert newest(subject).key.annotations[STATE] == "mine"


async def test_one_run_begins_one_rotation(on: Stage) -> None:
    subject = await on.project()
    too_old_already = timedelta(minutes=-1)  # the server tells whole seconds: a key made just now has no age yet
    (outcome,) = await subject.run(max_age=too_old_already, grace=timedelta())
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert newest(subject).generation == 2


async def test_a_change_that_is_refused_all_the_time_is_told(on: Stage) -> None:
    subject = await on.project()
    await on.control("faults", {"method": "UpdateKey", "code": "ABORTED", "times": 99})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert "is being changed by another run all the time" in outcome.problem.message
    assert outcome.problem.fix


async def test_a_lineage_whose_only_key_is_gone_for_good_is_told(on: Stage) -> None:
    subject = await on.project()
    gate = Gate("GetKey")
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    await on.cloud.keys.delete((await subject.key("web")).name)
    await on.control("clock", {"advance": "31d"})
    gate.open()
    (outcome,) = await run
    assert outcome.problem is not None
    assert "has no key left" in outcome.problem.message


async def test_a_key_that_may_not_be_read_again_is_not_one_that_changed(on: Stage) -> None:
    subject = await on.project()
    await on.control("faults", {"method": "GetKey", "code": "PERMISSION_DENIED", "times": 99})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert outcome.problem.cause is Cause.MISSING_IAM_PERMISSION
    assert list(subject.rows()) == ["web"]


async def test_a_secret_that_cannot_be_read_stops_the_lineage(on: Stage) -> None:
    """Only leave that is missing means that it cannot be read back; all else may pass."""
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await on.control("faults", {"method": "AccessSecretVersion", "code": "INTERNAL", "times": 99})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert (outcome.state, deleted(subject)) == ("stuck", [])


async def test_versions_are_left_alone_where_somebody_else_wrote_the_newest(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    gate = Gate("DeleteKey")
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    await on.control("seed", {"projects": [{"projectId": subject.project, "secrets": {"web": ["theirs"]}}]})
    gate.open()
    await run
    rows = on.local.world.store.all("SELECT state FROM secret_versions WHERE project = ?", subject.number)
    assert {state for (state,) in rows} == {"ENABLED"}


async def test_a_version_that_was_destroyed_is_no_obstacle(on: Stage) -> None:
    subject = await published(on)
    url = f"{on.rest}/v1/projects/{subject.project}/secrets/web/versions/1:destroy"
    async with on.http.post(url, json={}) as answer:
        assert answer.status == 200, await answer.text()
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert holders(subject) == {newest(subject).key.key_id}
