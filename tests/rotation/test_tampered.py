"""What somebody does who may change keys and nothing else: nothing is handed over or deleted on a claim alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keyadmin.model.key_codec import format_time
from keyadmin.model.lineage import GENERATION, HIGHEST, LINEAGE, SINKS, STATE, VOID, Member
from keyadmin.model.problem import Problem
from keyadmin.rotation.decide import RotationTerms
from tests.rotation.conftest import deleted, holders, newest, published, retired
from tests.rotation.inside import Gate, Stage, Subject, go_on, held_up

HOUR = timedelta(hours=1)


async def claim(subject: Subject, member: Member, **values: str) -> None:
    """Annotations written on a key past keyadmin; what makes a claim count is written too."""
    key = await subject.key(member.key.key_id)
    own = {LINEAGE: subject.lineage().id, GENERATION: str(member.generation)}
    marks = {f"keyadmin-{name}": text for name, text in values.items()}
    await subject.stage.cloud.keys.update(
        key.name, {"annotations"}, replace(key, annotations={**key.annotations, **own, **marks})
    )


def founder(subject: Subject) -> Member:
    return subject.lineage().members[0]


# ---- a forged rollback --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["in grace", "after grace"])
async def test_a_forged_rollback_hands_nothing_back_and_deletes_nothing(on: Stage, when: str) -> None:
    subject = await published(on)
    second = newest(subject).key.key_id
    await claim(subject, founder(subject), void="2")
    if when == "after grace":
        await on.control("clock", {"advance": "25h"})
    for terms in ({}, {"emergency": True, "max_age": None}, {"force_use": True}):
        (outcome,) = await subject.run(**terms)  # type: ignore[arg-type]
        assert outcome.problem is not None
        assert (outcome.state, holders(subject), deleted(subject)) == ("stuck", {second}, [])
    named = await subject.rotate(second)
    assert (named.state, deleted(subject)) == ("stuck", []), "keys rotate finishes no rollback either"


async def test_the_newer_key_is_kept_by_adopting_it(on: Stage) -> None:
    subject = await published(on)
    second = newest(subject).key.key_id
    await claim(subject, founder(subject), void="2")
    await subject.adopt(second)
    assert (newest(subject).key.key_id, founder(subject).void_up_to, founder(subject).highest) == (second, 0, 2)
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run()
    assert (outcome.state, deleted(subject), holders(subject)) == ("retired", ["web"], {second})


async def test_a_typed_rollback_finishes_it(on: Stage) -> None:
    subject = await published(on)
    second = newest(subject).key.key_id
    await claim(subject, founder(subject), void="2")
    outcome = await subject.roll_back("web")
    assert (outcome.problem, holders(subject), deleted(subject)) == (None, {"web"}, [second])


async def test_adopting_leaves_what_was_deleted_rolled_back_from(on: Stage) -> None:
    subject = await retired(on)
    await subject.roll_back("web")
    await subject.rotate("web")
    third = newest(subject).key.key_id
    await claim(subject, founder(subject), void="3")
    await subject.adopt(third)
    assert (founder(subject).void_up_to, newest(subject).key.key_id) == (2, third)
    assert [member.generation for member in subject.lineage().counted] == [1, 3]


async def test_a_claim_on_a_deleted_key_voids_nothing_that_lives(on: Stage) -> None:
    """Nobody could take it back: deleted keys cannot be changed."""
    subject = await published(on)
    await claim(subject, founder(subject), void="2")
    await on.cloud.keys.delete(founder(subject).key.name)
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert newest(subject).generation == 2


async def test_no_number_that_was_ever_claimed_is_used(on: Stage) -> None:
    subject = await on.project()
    await claim(subject, founder(subject), void="7")
    await subject.rotate("web")
    assert newest(subject).generation == 8


async def test_a_key_that_rests_because_of_a_claim_is_named_and_overdue(on: Stage) -> None:
    from keyadmin.rotation.decide import Action, decide

    subject = await on.project()
    await claim(subject, founder(subject), void="1")
    decision = decide(subject.lineage(), RotationTerms(), on.cloud.now())
    assert (decision.action, decision.overdue) == (Action.REST, True)
    assert decision.ways_out == (f"begin the next rotation: keyadmin keys rotate web -p {subject.project}",)
    assert not decide(subject.lineage(), RotationTerms(max_age=timedelta(days=900)), on.cloud.now()).overdue


async def test_a_rollback_that_is_forged_while_a_key_is_handed_over_deletes_nothing(on: Stage) -> None:
    subject = await on.project()
    gate = Gate("UpdateKey", nth=2)  # the mark
    run = await held_up(on, gate, subject.run())
    on.pause = go_on
    second = newest(subject).key.key_id
    await claim(subject, founder(subject), void="2")
    await claim(subject, subject.lineage().members[-1], team="mine")
    gate.open()
    (outcome,) = await run
    assert (outcome.state, deleted(subject)) == ("stuck", [])
    assert holders(subject) == {"web"}, "what could not be marked was taken back: whoever really goes back deletes the new key"
    await subject.adopt(second)
    (outcome,) = await subject.run()
    assert (outcome.problem, holders(subject)) == (None, {second})


# ---- forged times and states ----------------------------------------------------------------------------------------------


async def test_the_old_key_works_for_the_grace_period_of_when_its_successor_was_made(on: Stage) -> None:
    """A publication that is forged to lie further back deletes nothing sooner."""
    subject = await on.project()
    await subject.run(grace=HOUR)
    made = newest(subject).key.create_time
    assert made is not None
    await claim(subject, newest(subject), published=format_time(made - timedelta(minutes=9)))
    await on.control("clock", {"advance": "55m"})
    (outcome,) = await subject.run(grace=HOUR)
    assert (outcome.until, deleted(subject)) == (made + HOUR, [])
    await on.control("clock", {"advance": "6m"})
    await subject.run(grace=HOUR)
    assert deleted(subject) == ["web"]


async def test_a_publication_that_was_none_deletes_nothing_before_the_sinks_have_the_key(on: Stage) -> None:
    subject = await on.project()
    await on.control("faults", {"method": "ListModels", "code": "PERMISSION_DENIED", "times": 1, "message": "no"})
    (outcome,) = await subject.run()
    assert (outcome.state, holders(subject)) == ("stuck", {"web"})
    await on.control("clock", {"advance": "25h"})
    second = newest(subject)
    await claim(subject, second, state="grace", published=on.ago(1), sinks="x")
    (outcome,) = await subject.run()
    assert (holders(subject), deleted(subject)) == ({second.key.key_id}, [])


async def test_a_successor_that_was_verified_before_is_verified_again(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await on.control("faults", {"method": "ListModels", "code": "PERMISSION_DENIED", "times": 9, "message": "no"})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert deleted(subject) == []


async def test_a_sink_without_read_back_has_the_key_once_more_before_the_old_one_goes(on: Stage, tmp_path: Any) -> None:
    subject = await on.project()
    taken = tmp_path / "taken"
    subject.more_sinks = (f"exec:tee -a {taken}",)
    await subject.run()
    second = subject.strings()[newest(subject).key.key_id]
    assert taken.read_text().split() == [second]
    await on.control("clock", {"advance": "25h"})

    def look() -> None:
        assert deleted(subject) == [] or taken.read_text().split() == [second, second]

    on.watch = look
    (outcome,) = await subject.run()
    assert (outcome.state, deleted(subject)) == ("retired", ["web"])
    assert taken.read_text().split() == [second, second]


async def test_in_one_run_a_sink_without_read_back_has_the_key_once(on: Stage, tmp_path: Any) -> None:
    subject = await on.project()
    taken = tmp_path / "taken"
    subject.more_sinks = (f"exec:tee -a {taken}",)
    await subject.run(grace=timedelta())
    assert (deleted(subject), len(taken.read_text().split())) == (["web"], 1)


async def test_a_forged_end_of_a_rotation_keeps_the_old_key_and_is_told(on: Stage) -> None:
    subject = await published(on)
    await claim(subject, newest(subject), state="retired")
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run()
    assert outcome.problem is not None
    assert deleted(subject) == []


# ---- a leak -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "marks",
    [
        {VOID: "2"},
        {VOID: "999999999"},
        {HIGHEST: "999999999"},
        {STATE: "stuck"},
        {STATE: "retired", SINKS: "x"},
        {LINEAGE: "x"},
    ],
    ids=str,
)
@pytest.mark.parametrize("which", [0, 1])
async def test_a_leaked_key_goes_when_the_grace_of_its_first_successor_is_over(
    on: Stage, marks: dict[str, str], which: int
) -> None:
    subject = await on.project()
    first = await subject.compromised("web", HOUR)
    assert (first.problem, first.state) == (None, "grace")
    second = newest(subject).key
    assert second.create_time is not None
    for minutes in (0, 30, 29):
        member = subject.lineage().members[which]
        await claim(subject, member, **{name.removeprefix("keyadmin-"): text for name, text in marks.items()})
        await on.control("clock", {"advance": f"{minutes}m"})
        again = await subject.compromised("web", HOUR)
        assert again.until == second.create_time + HOUR, "a repeat never lengthens it"
        assert deleted(subject) == []
    await on.control("clock", {"advance": "2m"})
    done = await subject.compromised("web", HOUR)
    assert (done.problem, deleted(subject)) == (None, ["web"])
    assert holders(subject) == {second.key_id}


@pytest.mark.parametrize("marks", [{"void": "1"}, {"void": "5"}, {"void": "999999999"}, {"highest": "999999999"}], ids=str)
async def test_no_claim_keeps_a_leaked_key_from_being_replaced(on: Stage, marks: dict[str, str]) -> None:
    subject = await on.project()
    await claim(subject, founder(subject), **marks)
    outcome = await subject.compromised("web")
    assert (outcome.problem, deleted(subject)) == (None, ["web"])
    claimed = int(next(iter(marks.values())))
    assert newest(subject).generation == (claimed + 1 if claimed < 999_999_999 else 2)
    assert holders(subject) == {newest(subject).key.key_id}


@pytest.mark.parametrize("published_", ["2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "soon"])
async def test_no_forged_publication_keeps_a_leaked_key(on: Stage, published_: str) -> None:
    subject = await on.project()
    await subject.compromised("web", HOUR)
    await claim(subject, newest(subject), published=published_)
    await on.control("clock", {"advance": "61m"})
    done = await subject.compromised("web", HOUR)
    assert (done.problem, deleted(subject)) == (None, ["web"])


async def test_a_successor_that_somebody_opened_is_not_handed_over_in_a_leaks_place(on: Stage) -> None:
    subject = await on.project()
    await subject.compromised("web", HOUR)
    second = newest(subject).key
    open_ = replace(second, restrictions=replace(second.restrictions, targets=()))
    await on.cloud.keys.update(second.name, {"restrictions"}, open_)
    await on.control("clock", {"advance": "61m"})
    done = await subject.compromised("web", HOUR)
    assert done.problem is None
    third = newest(subject).key
    assert (subject.lineage().members[-1].generation, third.restrictions == second.restrictions) == (3, True)
    assert (holders(subject), "web" in deleted(subject)) == ({third.key_id}, True), "the grace was the first successor's"


async def test_a_leak_in_the_middle_of_a_rotation_deletes_the_leaked_key_alone(on: Stage) -> None:
    subject = await published(on)
    second = newest(subject).key.key_id
    done = await subject.compromised(second)
    assert (done.problem, deleted(subject)) == (None, [second])
    third = newest(subject)
    assert (third.generation, third.state, third.predecessor_id) == (3, "grace", "web")
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "retired")
    assert sorted(deleted(subject)) == sorted([second, "web"])


async def test_a_leaked_key_that_was_not_handed_over_yet_is_never_published(on: Stage) -> None:
    subject = await on.project()
    await on.control("faults", {"method": "ListModels", "code": "PERMISSION_DENIED", "times": 1, "message": "no"})
    await subject.run()
    second = newest(subject).key.key_id

    def look() -> None:
        assert second not in holders(subject)

    on.watch = look
    done = await subject.compromised(second)
    assert (done.problem, deleted(subject)) == (None, [second])


async def test_a_rollback_whose_mark_is_taken_away_ends_in_a_conflict(on: Stage) -> None:
    subject = await retired(on)
    second = newest(subject).key.key_id
    gate = Gate("DeleteKey")
    back = await held_up(on, gate, subject.roll_back("web"))
    on.pause = go_on
    key = await subject.key("web")
    kept = {name: text for name, text in key.annotations.items() if name != VOID}
    await on.cloud.keys.update(key.name, {"annotations"}, replace(key, annotations=kept))
    key = await subject.key(second)
    changed = replace(key, annotations={**key.annotations, "team": "mine"})
    await on.cloud.keys.update(key.name, {"annotations"}, changed)  # its deletion is refused, and all is read again
    gate.open()
    outcome = await back
    assert isinstance(outcome.problem, Problem)
    assert deleted(subject) == []


async def test_a_rollback_whose_mark_is_taken_away_does_not_end_the_rotation_instead(on: Stage) -> None:
    """Its grace being over, a rotation would delete the very key that is gone back to."""
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    gate = Gate("UpdateKey", nth=2)  # the mark is written; what came after is about to be told
    back = await held_up(on, gate, subject.roll_back("web"))
    on.pause = go_on
    key = await subject.key("web")
    kept = {name: text for name, text in key.annotations.items() if name != VOID}
    await on.cloud.keys.update(key.name, {"annotations"}, replace(key, annotations=kept))
    await claim(subject, subject.lineage().members[-1], team="mine")  # its change is refused, and all is read again
    gate.open()
    outcome = await back
    assert deleted(subject) == []
    assert outcome.problem is not None
    assert "somebody changed web" in outcome.problem.message
