"""Going back to a key that the Gemini API does not take, or that somebody else needs."""

from __future__ import annotations

import pytest

from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.decide import RotationTerms
from tests.rotation.conftest import condition, deleted, holders, newest, retired
from tests.rotation.inside import GEMINI, MAPS, Stage

STANDARD = {"serviceAccountEmail": None}
MIXED = STANDARD | {"restrictions": {"apiTargets": [GEMINI, MAPS]}}


async def test_a_key_that_is_not_gone_back_to_is_not_left_working(on: Stage) -> None:
    """It may be the one that leaked."""
    subject = await retired(on)
    before = subject.held()
    await on.control("seed", {"projects": [condition(subject, subject.lineage().members[0], "leaked")]})
    await on.cloud.keys.delete(subject.lineage().members[0].key.name)
    with pytest.raises(Problem, match="leaked"):
        await subject.roll_back("web")
    assert deleted(subject) == ["web"]
    assert subject.held() == before
    assert await subject.run() == [], "nothing is stuck"


async def test_what_had_to_be_left_working_is_told(on: Stage) -> None:
    subject = await retired(on)
    await on.control("seed", {"projects": [condition(subject, subject.lineage().members[0], "leaked")]})
    await on.cloud.keys.delete(subject.lineage().members[0].key.name)
    await on.control("faults", {"method": "DeleteKey", "code": "PERMISSION_DENIED", "times": 1, "message": "no leave"})
    with pytest.raises(Problem, match="left changed: no leave") as caught:
        await subject.roll_back("web")
    assert "leaked" in caught.value.message
    assert caught.value.fix[-1] == f"if it is to work no more: keyadmin keys delete web -p {subject.project}"
    assert "web" not in deleted(subject)


async def test_a_standard_key_that_gemini_rejects_takes_no_auth_keys_place(on: Stage) -> None:
    subject = await retired(on, **STANDARD)
    auth = newest(subject).key.key_id
    with pytest.raises(Problem) as caught:
        await subject.roll_back("web")
    assert caught.value.cause is Cause.STANDARD_KEY_REJECTED
    assert caught.value.message.startswith("web is not gone back to: ")
    assert caught.value.fix == (f"stay with {auth}",), "not: migrate it, which is what was to be undone"
    assert deleted(subject) == ["web"]
    assert holders(subject) == {auth}


async def test_where_gemini_takes_standard_keys_one_is_gone_back_to(on: Stage) -> None:
    subject = await retired(on, **STANDARD)
    await on.control("seed", {"gemini": {"rejectStandardKeys": False}})
    try:
        outcome = await subject.roll_back("web")
    finally:
        await on.control("seed", {"gemini": {"rejectStandardKeys": True}})
    assert outcome.problem is None
    assert ("verify", "done") in [(step.step, step.status) for step in outcome.steps]
    assert holders(subject) == {"web"}


async def test_a_mixed_key_is_gone_back_to_for_its_other_apis_and_that_is_said_once(on: Stage) -> None:
    subject = await retired(on, **MIXED)
    outcome = await subject.roll_back("web")
    (said,) = [step for step in outcome.steps if step.step == "verify"]
    assert said.status == "skipped"
    assert "rejects standard keys" in said.detail


async def test_a_split_key_that_is_not_gone_back_to_is_restricted_as_before(on: Stage) -> None:
    subject = await retired(on, **MIXED)
    leaked = {
        "method": "ListModels",
        "code": "PERMISSION_DENIED",
        "times": 1,
        "message": "Your API key was reported as leaked.",
    }
    await on.control("faults", leaked)
    with pytest.raises(Problem, match="leaked"):
        await subject.roll_back("web", specs=[])
    assert subject.rows()["web"]["restrictions"]["apiTargets"] == [MAPS]
    assert await subject.run(new_auth=True) == [], "nothing is stuck"


async def test_who_asks_for_a_migration_by_name_says_that_the_rollback_is_over(on: Stage) -> None:
    subject = await retired(on, **MIXED)
    await subject.roll_back("web")
    assert await subject.run(new_auth=True) == [], "a schedule leaves it alone"
    outcome = await subject.rotate("web", RotationTerms(migrate=True))
    assert outcome.problem is None
    assert (newest(subject).generation, newest(subject).key.key_type) == (3, "auth")


async def test_a_migration_that_is_asked_for_by_name_is_done_once(on: Stage) -> None:
    subject = await retired(on, **STANDARD)
    auth = newest(subject).key.key_id
    outcome = await subject.rotate(auth, RotationTerms(migrate=True))
    assert (outcome.problem, newest(subject).key.key_id) == (None, auth)
