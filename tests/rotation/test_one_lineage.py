"""What is asked for by name: a rotation, a rollback, an adoption, a migration."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keyadmin.model.lineage import PUBLISHED
from keyadmin.model.problem import Problem
from keyadmin.rotation.decide import RotationTerms
from tests.rotation.conftest import always_live, condition, deleted, holders, newest, published, retired
from tests.rotation.inside import GEMINI, MAPS, Gate, Stage, held_up

# ---- asked for by name ------------------------------------------------------------------------------------------------


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
    outcome = await subject.rotate(leaked, RotationTerms(force=True, emergency=True))
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


# ---- rollback ---------------------------------------------------------------------------------------------------------


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


async def test_no_generation_that_was_rolled_back_from_is_made_again_even_when_its_key_is_purged(on: Stage) -> None:
    subject = await retired(on)
    await subject.rotate(newest(subject).key.key_id, RotationTerms(force=True, grace=timedelta()))
    assert newest(subject).generation == 3
    for key_id in (f"ka-{subject.lineage().id}-2", "web"):
        assert (await subject.roll_back(key_id)).problem is None
    await on.control("clock", {"advance": "31d"})
    await subject.rotate("web")
    assert newest(subject).generation == 4


async def test_a_rollback_without_the_sinks_keeps_the_key_that_they_hold(on: Stage) -> None:
    subject = await retired(on)
    second = newest(subject).key.key_id
    always_live(subject)
    outcome = await subject.roll_back("web", specs=[])
    assert outcome.problem is None
    assert outcome.ways_out
    assert deleted(subject) == []
    assert holders(subject) == {second}
    (run,) = await subject.run()
    assert (run.state, holders(subject), deleted(subject)) == ("stuck", {second}, []), "its mark may be forged"
    assert [way.rpartition("keyadmin ")[2].split()[:3] for way in run.ways_out] == [
        ["rotation", "rollback", "web"],
        ["rotation", "adopt", second],
    ]
    assert (await subject.roll_back("web")).problem is None
    assert (holders(subject), deleted(subject)) == ({"web"}, [second])


async def test_a_rollback_begun_goes_on_only_with_a_key_that_works(on: Stage) -> None:
    subject = await retired(on)
    second = newest(subject).key.key_id
    await subject.roll_back("web", specs=[])  # begun, and kept until its sinks are given
    await on.control("seed", {"projects": [condition(subject, newest(subject), "leaked")]})
    with pytest.raises(Problem, match="leaked"):
        await subject.roll_back("web")
    assert (holders(subject), deleted(subject)) == ({second}, [])


async def test_the_cause_of_a_rollback_that_failed_goes_when_it_succeeds(on: Stage) -> None:
    subject = await retired(on)
    await on.control("faults", {"method": "DeleteKey", "code": "PERMISSION_DENIED", "times": 1})
    outcome = await subject.roll_back("web")
    assert outcome.problem is not None
    assert newest(subject).cause == outcome.problem.cause.value
    assert len(deleted(subject)) == 0, "what came after it works still"
    assert (await subject.roll_back("web")).problem is None
    assert (holders(subject), newest(subject).cause) == ({"web"}, None)


async def test_a_rollback_to_a_sink_that_cannot_take_the_key_changes_nothing(on: Stage) -> None:
    subject = await retired(on)
    text, real = subject.env_file.read_text(), subject.env_file.with_suffix(".real")
    subject.env_file.rename(real)
    subject.env_file.symlink_to(real)
    with pytest.raises(Problem, match="symbolic link"):
        await subject.roll_back("web")
    assert deleted(subject) == ["web"], "it is not brought back"
    subject.env_file.unlink()
    subject.env_file.write_text(text)
    assert (await subject.roll_back("web")).problem is None


async def test_sinks_are_named_before_they_may_have_the_key(on: Stage) -> None:
    """The hand-over was done and could not be marked: a rollback that is not told the sinks must know that there are some."""
    subject = await on.project()
    gate = Gate("UpdateKey", nth=2)  # the mark
    run = await held_up(on, gate, subject.run())
    await on.control("faults", {"method": "UpdateKey", "code": "PERMISSION_DENIED", "times": 2})
    gate.open()
    (outcome,) = await run
    assert outcome.problem is not None
    second = newest(subject).key.key_id
    assert (holders(subject), newest(subject).published) == ({second}, None)
    await on.control("faults", method="DELETE")
    back = await subject.roll_back("web", specs=[])
    assert back.ways_out
    assert deleted(subject) == []


async def test_a_rollback_to_a_key_that_does_not_work_changes_nothing(on: Stage) -> None:
    subject = await retired(on)
    founder = subject.lineage().members[0]
    await on.cloud.keys.undelete(founder.key.name)
    await on.control("seed", {"projects": [condition(subject, founder, "leaked")]})
    before = subject.held()
    with pytest.raises(Problem, match="leaked"):
        await subject.roll_back("web")
    assert subject.held() == before
    assert subject.lineage().voided == ()


@pytest.mark.parametrize("which", ["newest", "given up"])
async def test_there_is_nothing_to_go_back_to(on: Stage, which: str) -> None:
    subject = await retired(on)
    name = newest(subject).key.key_id
    if which == "given up":
        await subject.roll_back("web")
    with pytest.raises(Problem, match="there is nothing to go back to"):
        await subject.roll_back(name)


# ---- adopting ---------------------------------------------------------------------------------------------------------


async def test_adopting_trusts_nothing_that_was_written_before(on: Stage) -> None:
    subject = await published(on)
    key = newest(subject).key
    forged = {"team": "web"} | {name: value for name, value in key.annotations.items() if "generation" not in name}
    await on.cloud.keys.update(key.name, {"annotations"}, replace(key, annotations=forged | {PUBLISHED: on.ago(30)}))
    (outcome,) = await subject.run()
    assert outcome.state == "stuck"
    assert outcome.ways_out
    await subject.adopt(key.key_id)
    assert newest(subject).published is None
    assert newest(subject).key.annotations.get("team") == "web"
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert deleted(subject) == [], "grace begins with this publication"


# ---- migration --------------------------------------------------------------------------------------------------------

OLD = {"serviceAccountEmail": None}


async def test_a_standard_key_becomes_an_auth_key(on: Stage) -> None:
    subject = await retired(on, **OLD)
    assert newest(subject).key.key_type == "auth"
    assert newest(subject).key.service_account_email == f"keyadmin-gemini@{subject.project}.iam.gserviceaccount.com"
    assert deleted(subject) == ["web"]


async def test_a_migrated_key_keeps_the_clients_and_the_methods_of_the_old_one(on: Stage) -> None:
    listing = GEMINI | {"methods": ["google.ai.generativelanguage.v1beta.ModelService.ListModels"]}
    clients = {"serverKeyRestrictions": {"allowedIps": ["192.0.2.7"]}}
    subject = await published(on, **OLD, restrictions={"apiTargets": [listing, MAPS]} | clients)
    assert subject.rows()[newest(subject).key.key_id]["restrictions"] == {"apiTargets": [listing]} | clients


METHODS = ["google.ai.generativelanguage.v1beta.ModelService.ListModels"]
UNCHECKED = [
    {"serviceAccountEmail": None},
    {"restrictions": {"apiTargets": [MAPS]}},
    {"restrictions": {"apiTargets": [GEMINI | {"methods": METHODS}]}},
]


@pytest.mark.parametrize("key", UNCHECKED, ids=["standard", "for another API", "for some methods"])
async def test_what_cannot_be_verified_from_here_is_rotated_all_the_same(on: Stage, key: dict[str, Any]) -> None:
    subject = await on.project(**key)
    binding = {"iam.managed.disableServiceAccountApiKeyCreation": False}
    await on.control("seed", {"orgPolicies": {f"projects/{subject.project}": binding}})
    (outcome,) = await subject.run()
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert ("verify", "skipped") in [(step.step, step.status) for step in outcome.steps]


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
