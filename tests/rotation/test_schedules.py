"""Random schedules of faults, jumps of the clock, people's doings, forged claims and runs: what must hold always holds.

A tamperer, who may change keys and nothing else, writes any annotation with any value, between runs and in the middle of them.
Whatever is claimed: no sink holds a deleted key, no run hands an older key back or deletes one that nothing newer replaces for
as long as the grace period, and nothing is left out of the rotation without being named.

Every schedule ends with the disturbances over; then the lineage comes to rest, if need be by the way out that is named.
KEYADMIN_TEST_SCHEDULES = how many schedules instead of 600; KEYADMIN_TEST_SEED = other ones.
"""

from __future__ import annotations

import asyncio
import os
import random
import shlex
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from keyadmin.keys import provision, quota_project
from keyadmin.model.lineage import (
    State,
)
from keyadmin.model.problem import Problem
from keyadmin.rotation.job import Outcome
from keyadmin.rotation.policy import RotationPolicy
from keyadmin.rotation.scope import RotationScope, plan_run
from tests.rotation.inside import GEMINI, MAPS, Stage, Subject, stage
from tests.rotation.schedule_steps import Case, Step, calm, clock, people, steps

SCHEDULES = int(os.environ.get("KEYADMIN_TEST_SCHEDULES", "600"))
SEED = int(os.environ.get("KEYADMIN_TEST_SEED", "0"))
PARTS = 8
FOUNDERS: dict[str, dict[str, Any]] = {
    "auth": {},
    "standard": {"serviceAccountEmail": None},
    "mixed": {"serviceAccountEmail": None, "restrictions": {"apiTargets": [GEMINI, MAPS]}},
    "open": {"serviceAccountEmail": None, "restrictions": {}},
}


async def play(stage: Stage, founder: str, new_auth: bool, schedule: list[Step]) -> None:
    random.seed(os.urandom(8))  # hypothesis seeds it alike for each schedule; the sandbox draws its accounts' ids from it
    subject = await stage.project(**FOUNDERS[founder])
    case = Case(subject, new_auth)
    stage.watch = case.look
    await clock(40)(case)
    try:
        for step in schedule:
            case.by_hand = step in people
            case.begun = case.subject.held()
            with suppress(Problem):  # a person's own call that meets a fault
                await step(case)
            case.look()
            case.by_hand = case.rollback = False
        await calm(case)
        await comes_to_rest(case)
    finally:
        stage.watch = lambda: None
        await calm(case)


async def comes_to_rest(case: Case) -> None:
    """Undisturbed, runs and the ways out that they name bring the lineage to its end; one more run changes nothing."""
    subject = case.subject
    rule: dict[str, Any] = {"grace": timedelta(hours=24), "new_auth": case.new_auth}
    if not any(member.live for member in subject.lineage().members):
        return
    for _ in range(12):
        case.grace, case.begun = rule["grace"], subject.held()
        outcomes: list[Outcome] = await subject.run(**rule)
        case.grace = None
        if not outcomes:
            break
        (outcome,) = outcomes
        if outcome.problem is not None:
            assert outcome.state is State.STUCK
            if outcome.ways_out:
                await way_out(case, outcome.ways_out)
        await subject.stage.control("clock", {"advance": "25h"})
    else:
        raise AssertionError(f"it does not come to rest: {outcomes}")
    subject.stage.local.requests.clear()
    held = subject.held()
    assert await subject.run(**rule) == []
    assert subject.writes() == [], "a run of a lineage at rest changed something"
    assert subject.held() == held
    await nothing_is_exempt_in_silence(subject, rule)
    working = subject.lineage().working
    assert working is not None
    if working.generation > 1:
        assert set(held.values()) == {subject.strings()[working.key.key_id]}


async def nothing_is_exempt_in_silence(subject: Subject, rule: dict[str, Any]) -> None:
    """What rests though its key is too old is named, with the command that ends that."""
    rule = {"grace": rule["grace"], "new_type": "auth" if rule["new_auth"] else "keep"}
    policy = RotationPolicy(Path("keyadmin.toml"), (subject.rule(**rule),))
    plan = await plan_run(subject.stage.cloud, RotationScope(policy))
    for one in plan.planned:
        made = one.chosen.lineage.newest.key.create_time
        if made is not None and subject.stage.cloud.now() - made > timedelta(days=91):
            assert one in plan.resting, f"{one.why} is not named"
            assert one.decision.overdue
            assert one.ways_out


async def way_out(case: Case, ways: tuple[str, ...]) -> None:
    """Do as the first (or the last) of the ways says that are whole commands."""
    whole = [way for way in ways if "keyadmin " in way and "SERVICE" not in way]
    command = whole[-1 if case.keeps else 0].partition("keyadmin ")[2]
    words = shlex.split(command)
    group, verb, key_id = words[0], words[1], words[2]
    cloud = case.subject.stage.cloud
    key = await case.subject.key(key_id)
    case.by_hand = True
    case.keeps = not case.keeps
    if (group, verb) == ("rotation", "rollback"):
        with suppress(Problem):  # the key may not work, which leaves the other way
            await case.subject.roll_back(key_id)
    elif (group, verb) == ("keys", "annotate"):
        name = words[words.index("--remove") + 1]
        kept = {known: text for known, text in key.annotations.items() if known != name}
        await cloud.keys.update(key.name, {"annotations"}, replace(key, annotations=kept))
    elif (group, verb) == ("keys", "undelete"):
        await cloud.keys.undelete(key.name)
    elif (group, verb) == ("keys", "delete"):
        await cloud.keys.delete(key.name)
    elif (group, verb) == ("rotation", "adopt"):
        await case.subject.adopt(key_id)
    else:
        raise AssertionError(f"a way out that nobody can go: {command}")
    case.look()
    case.by_hand = False


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")  # of what was cancelled before it began
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(quota_project, "ENABLING_S", 0.0)  # real seconds, in which the sandbox's clock would stand still
    monkeypatch.setattr(provision, "NEW_ACCOUNT_S", 0.0)
    loop = asyncio.new_event_loop()
    context = stage(tmp_path)
    made = loop.run_until_complete(context.__aenter__())

    @seed(SEED * PARTS + part)
    @settings(
        max_examples=-(-SCHEDULES // PARTS),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(st.sampled_from([*FOUNDERS, "auth", "auth"]), st.booleans(), st.lists(steps, min_size=1, max_size=12))
    def played(founder: str, new_auth: bool, schedule: list[Step]) -> None:
        loop.run_until_complete(play(made, founder, new_auth, schedule))

    try:
        played()
    finally:
        loop.run_until_complete(context.__aexit__(None, None, None))
        loop.close()
