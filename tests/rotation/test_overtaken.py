"""What is refused, and what others do between two steps."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from keyadmin.model.problem import Cause, Problem
from tests.rotation.conftest import always_live, deleted, holders, newest, published, retired
from tests.rotation.inside import GEMINI, MAPS, Gate, Stage, go_on, held_up

# ---- what is refused --------------------------------------------------------------------------------------------------


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


async def test_a_refused_deletion_is_told_and_not_taken_for_use(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await on.control("faults", {"method": "DeleteKey", "code": "FAILED_PRECONDITION", "times": 1})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert outcome.problem.status == "FAILED_PRECONDITION"
    assert (outcome.state, deleted(subject)) == ("stuck", [])


# ---- what others do meanwhile -----------------------------------------------------------------------------------------


async def test_restrictions_changed_after_the_listing_are_those_of_the_successor(on: Stage) -> None:
    subject = await on.project()
    gate = Gate("GetKey")
    run = await held_up(on, gate, subject.run())
    narrow = replace(await subject.key("web"), restrictions=replace(newest(subject).key.restrictions, ips=("192.0.2.7",)))
    await on.cloud.keys.update(narrow.name, {"restrictions"}, narrow)
    gate.open()
    await run
    assert newest(subject).generation == 2
    assert newest(subject).key.restrictions.ips == ("192.0.2.7",)


@pytest.mark.parametrize(("method", "nth"), [("ListModels", 1), ("GetKey", 2)], ids=["verifying", "verified"])
async def test_a_run_that_was_held_up_does_not_hand_over_what_was_rolled_back(
    on: Stage, request: pytest.FixtureRequest, method: str, nth: int
) -> None:
    if method == "GetKey":  # a key is read again where that was not just done
        request.getfixturevalue("nothing_is_fresh")
    subject = await on.project()
    gate = Gate(method, nth)
    run = await held_up(on, gate, subject.run())
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
    gate = Gate("UpdateKey", nth=2)  # the mark
    run = await held_up(on, gate, subject.run())
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
    run = await held_up(on, publisher, subject.run())
    remover = Gate("DeleteKey")
    back = await held_up(on, remover, subject.roll_back("web"))
    always_live(subject)
    marker = Gate("UpdateKey")
    on.pause = marker
    publisher.open()
    handed_over = asyncio.create_task(marker.reached())
    await asyncio.wait([run, handed_over], return_when=asyncio.FIRST_COMPLETED)
    handed_over.cancel()
    remover.open()
    await back
    marker.open()
    await run
    assert holders(subject) == {"web"}


async def test_a_predecessor_that_was_changed_meanwhile_is_not_deleted_unseen(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    gate = Gate("DeleteKey")
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    back = await subject.roll_back("web")
    assert back.problem is None
    gate.open()
    await run
    assert "web" not in deleted(subject)
    assert holders(subject) == {"web"}


async def test_what_somebody_wrote_on_the_key_meanwhile_is_not_overwritten(on: Stage) -> None:
    subject = await on.project()
    gate = Gate("UpdateKey", nth=2)  # the mark
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    key = await subject.key(newest(subject).key.key_id)
    await on.cloud.keys.update(key.name, {"annotations"}, replace(key, annotations={**key.annotations, "team": "web"}))
    gate.open()
    (outcome,) = await run
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert newest(subject).key.annotations.get("team") == "web"


async def test_a_predecessor_that_is_gone_for_good_meanwhile_ends_the_rotation(on: Stage) -> None:
    """Somebody deleted it, and the run was held up until it was purged."""
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    gate = Gate("DeleteKey")
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    await on.cloud.keys.delete((await subject.key("web")).name)
    await on.control("clock", {"advance": "31d"})
    gate.open()
    (outcome,) = await run
    assert (outcome.problem, outcome.state) == (None, "retired")


@pytest.mark.parametrize("monitoring", ["readable", "unreadable"])
async def test_a_predecessor_that_was_deleted_meanwhile_is_not_one_in_use(on: Stage, monitoring: str) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    if monitoring == "unreadable":
        await on.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})
    gate = Gate("DeleteKey")
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    await on.cloud.keys.delete((await subject.key("web")).name)
    gate.open()
    (outcome,) = await run
    assert (outcome.problem, outcome.state) == (None, "retired")


async def test_a_split_keeps_what_somebody_changed_meanwhile(on: Stage) -> None:
    subject = await published(on, serviceAccountEmail=None, restrictions={"apiTargets": [GEMINI, MAPS]})
    await on.control("clock", {"advance": "25h"})
    gate = Gate("UpdateKey")
    run = await held_up(on, gate, subject.run(new_auth=True))
    on.pause = go_on
    old = await subject.key("web")
    narrow = replace(old, restrictions=replace(old.restrictions, ips=("192.0.2.7",)))
    await on.cloud.keys.update(old.name, {"restrictions"}, narrow)
    gate.open()
    (outcome,) = await run
    assert (outcome.problem, outcome.state) == (None, "retired")
    left = (await subject.key("web")).restrictions
    assert (left.services, left.ips) == ({MAPS["service"]}, ("192.0.2.7",))


async def test_a_successor_that_cannot_be_verified_is_looked_for_before_the_old_key_goes(on: Stage) -> None:
    clients = {"serverKeyRestrictions": {"allowedIps": ["192.0.2.7"]}}
    subject = await on.project(restrictions={"apiTargets": [GEMINI]} | clients)
    await subject.run()
    await on.control("clock", {"advance": "25h"})
    gate = Gate("AccessSecretVersion")
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    await on.cloud.keys.delete(newest(subject).key.name)
    gate.open()
    (outcome,) = await run
    assert outcome.state == "stuck"
    assert deleted(subject) == [newest(subject).key.key_id]


@pytest.mark.parametrize("what", ["annotate", "delete"])
async def test_a_rollback_deletes_nothing_unseen(on: Stage, what: str) -> None:
    subject = await retired(on)
    second = newest(subject).key.key_id
    gate = Gate("DeleteKey")
    back = await held_up(on, gate, subject.roll_back("web"))
    on.pause = go_on
    key = await subject.key(second)
    if what == "delete":
        await on.cloud.keys.delete(key.name)
    else:
        await on.cloud.keys.update(key.name, {"annotations"}, replace(key, annotations={**key.annotations, "team": "web"}))
    on.local.requests.clear()
    gate.open()
    outcome = await back
    assert (outcome.problem, deleted(subject), holders(subject)) == (None, [second], {"web"})
    if what == "annotate":
        assert subject.writes() == ["DeleteKey", "DeleteKey"], "refused once, then looked at again"


async def test_a_rollback_of_a_split_does_not_write_over_what_somebody_changed(on: Stage) -> None:
    subject = await retired(on, serviceAccountEmail=None, restrictions={"apiTargets": [GEMINI, MAPS]})
    gate = Gate("UpdateKey")
    back = await held_up(on, gate, subject.roll_back("web"))
    on.pause = go_on
    old = await subject.key("web")
    narrow = replace(old, restrictions=replace(old.restrictions, ips=("192.0.2.7",)))
    await on.cloud.keys.update(old.name, {"restrictions"}, narrow)
    gate.open()
    with pytest.raises(Problem) as caught:
        await back
    assert caught.value.cause is Cause.CONFLICT
    assert (await subject.key("web")).restrictions == narrow.restrictions
    assert (await subject.roll_back("web")).problem is None
    assert holders(subject) == {"web"}


async def test_two_runs_at_once_publish_once(on: Stage) -> None:
    subject = await on.project()
    first, second = await asyncio.gather(subject.run(), subject.run())
    assert [outcome.problem for outcome in (*first, *second)] == [None, None]
    assert len(subject.rows()) == 2
    assert newest(subject).state == "grace"
