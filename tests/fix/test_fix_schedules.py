"""Random schedules of lost answers, quotas, conflicts, strangers' changes, rights taken away, clock jumps, kills and runs.

At every moment: no key is wider than before but by an undo; no key is changed as the plan does not say; nobody else's change is
overwritten; the journal names every change before it is made. At the end, undisturbed, an undo restores exactly what it may.
KEYADMIN_TEST_SCHEDULES = how many schedules instead of 40 a part; KEYADMIN_TEST_SEED = other ones.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from keyadmin.audit.fix.change import MARK, FixChange
from keyadmin.audit.fix.facts import FixRequest, plan_fix
from keyadmin.audit.fix.journal import journal_of, read_journal
from keyadmin.audit.fix.narrower import wider
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.plan_file import write_plan
from keyadmin.audit.fix.run import FixOptions, apply_plan
from keyadmin.audit.fix.undo import execute_undo, plan_undo
from keyadmin.audit.inventory import AuditScope
from keyadmin.audit.rules import chosen
from keyadmin.audit.scan import AuditOptions, scan
from keyadmin.model.key import Restrictions
from keyadmin.model.key_codec import restrictions_from_json
from keyadmin.model.observer import SILENT
from keyadmin.model.problem import Problem
from tests.rotation.inside import Stage, stage

GEMINI, MAPS = "generativelanguage.googleapis.com", "maps-backend.googleapis.com"
ON = [GEMINI, MAPS, "apikeys.googleapis.com", "monitoring.googleapis.com"]
SCHEDULES = int(os.environ.get("KEYADMIN_TEST_SCHEDULES", "40"))
SEED = int(os.environ.get("KEYADMIN_TEST_SEED", "0"))
PARTS = 2


class Killed(BaseException):
    """In place of kill -9: nothing that a command does about problems holds it up."""


@dataclass
class Seen:
    """A key as it was last seen."""

    restrictions: Restrictions
    deleted: bool
    whole: str


@dataclass
class Story:
    """A project under repair, watched."""

    stage: Stage
    project: str
    plan: FixPlan
    path: Path
    first: dict[str, Seen]
    last: dict[str, Seen]
    strange: set[str] = field(default_factory=set)
    """Keys that a stranger changed: by their restrictions, their deletion, or anything else that is theirs."""
    doing: str = ""

    def changes(self) -> dict[str, FixChange]:
        return {change.key_id: change for change in self.plan.changes}

    def look(self) -> None:
        """What holds at every moment."""
        now = seen(self.stage, self.project)
        for key_id, key in now.items():
            old = self.last[key_id]
            if key.whole != old.whole:
                assert self.doing == "stranger", f"{key_id} has another name or other annotations"
                self.strange.add(key_id)
            if (key.restrictions, key.deleted) != (old.restrictions, old.deleted):
                self.changed(key_id, old, key)
        self.last = now

    def changed(self, key_id: str, old: Seen, new: Seen) -> None:
        assert self.doing, f"{key_id} was changed by nobody"
        if self.doing == "stranger":
            self.strange.add(key_id)
            return
        change = self.changes().get(key_id)
        assert change is not None, f"the plan does not name {key_id}"
        lines = [json.loads(line) for line in journal_of(self.path).read_text().splitlines()]
        told = [line["step"] for line in lines if line.get("key") == change.name]
        if self.doing == "undo":
            assert told[-1:] == ["undo-begin"], "an undo writes down what it is about to do"
            assert (new.restrictions, new.deleted) == (self.first[key_id].restrictions, self.first[key_id].deleted)
            return
        assert told[-1:] == ["begin"], "a change is written down before it is made"
        assert key_id not in self.strange, "somebody else's change was overwritten"
        assert not wider(old.restrictions, new.restrictions)
        if change.kind == "delete":
            assert new.deleted
            assert new.restrictions == old.restrictions
        else:
            assert not new.deleted
            assert new.restrictions == change.after


def seen(stage: Stage, project: str) -> dict[str, Seen]:
    """The keys as stored, behind keyadmin's back."""
    node = stage.local.world.hierarchy.project(project)
    assert node is not None
    rows = stage.local.world.store.all("SELECT key_id, deleted, rest FROM keys WHERE project = ?", node.name)
    out = {}
    for key_id, deleted, rest in rows:
        doc = json.loads(rest)
        marks = {name: value for name, value in doc.get("annotations", {}).items() if name != MARK}
        restrictions = restrictions_from_json(doc.get("restrictions"))
        out[key_id] = Seen(restrictions, bool(deleted), json.dumps([doc.get("displayName"), marks], sort_keys=True))
    return out


async def begun(stage: Stage, number: int) -> Story:
    """A project with three keys of each kind, and its plan."""
    project = f"story-{number}"
    keys: list[dict[str, Any]] = []
    use = {"use": [{"service": MAPS, "at": stage.ago(9), "calls": 9}]}
    for copy in range(2):
        old = {"createTime": stage.ago(300)}
        both = {"restrictions": {"apiTargets": [{"service": GEMINI}, {"service": MAPS}]}}
        keys += [{"keyId": f"map-{copy}", "displayName": "map", **old, **use}]
        keys += [{"keyId": f"both-{copy}", "displayName": "both", **old, **use, **both}]
        keys += [{"keyId": f"idle-{copy}", "displayName": "idle", **old}]
    owner = {"roles/owner": ["user:owner@example.com"]}
    await stage.control("seed", {"projects": [{"projectId": project, "services": ON, "iam": owner, "keys": keys}]})
    scope = AuditScope((project,))
    report = await scan(stage.cloud, scope, "api", AuditOptions(chosen(None), timedelta(days=90)), SILENT)
    plan, _ = await plan_fix(stage.cloud, scope, report, FixRequest(first=40), SILENT)
    assert len(plan.changes) == 6
    path = stage.folder / f"{project}.json"
    write_plan(path, plan)
    now = seen(stage, project)
    return Story(stage, project, plan, path, now, dict(now))


Step = Callable[[Story, random.Random], Awaitable[None]]


async def apply(story: Story, rng: random.Random) -> None:
    story.doing = "apply"
    options = FixOptions(timedelta(), only=rng.random() < 0.3)
    await apply_plan(story.stage.cloud, story.plan, story.path, options, SILENT)


async def undo(story: Story, rng: random.Random) -> None:
    story.doing = "undo"
    record = read_journal(story.path, story.plan.run)
    wanted = await plan_undo(story.stage.cloud, story.plan, record, SILENT)
    await execute_undo(story.stage.cloud, wanted, story.path, SILENT)


async def killed(story: Story, rng: random.Random) -> None:
    """A run that is killed somewhere on its way."""
    left = rng.randint(1, 25)

    async def pause(method: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    story.stage.pause = pause
    with suppress(Killed):
        await apply(story, rng)


async def fault(story: Story, rng: random.Random) -> None:
    method = rng.choice(("UpdateKey", "DeleteKey", "ListKeys", "GetKey", "GetOperation", "UndeleteKey"))
    code, when = rng.choice((("UNAVAILABLE", "before"), ("UNAVAILABLE", "after"), ("DROP", "after"), ("ABORTED", "before")))
    await story.stage.control("faults", {"method": method, "code": code, "when": when, "times": rng.randint(1, 6)})


async def quota(story: Story, rng: random.Random) -> None:
    await story.stage.control("quota", {"method": "UpdateKey", "per_minute": 3})


async def refuse(story: Story, rng: random.Random) -> None:
    """Rights are taken away half-way."""
    method = rng.choice(("UpdateKey", "DeleteKey", "ListTimeSeries", "ListKeys"))
    await story.stage.control("faults", {"method": method, "code": "PERMISSION_DENIED", "times": rng.randint(1, 4)})


async def jump(story: Story, rng: random.Random) -> None:
    await story.stage.control("clock", {"advance": rng.choice(("1h", "26h", "3d"))})


async def stranger(story: Story, rng: random.Random) -> None:
    """Somebody else renames, narrows, deletes or brings back a key."""
    story.doing = "stranger"
    key_id = rng.choice(sorted(story.first))
    base = f"{story.stage.rest}/v2/projects/{story.project}/locations/global/keys/{key_id}"
    what = rng.choice(("rename", "narrow", "delete", "undelete"))
    http = story.stage.http
    if what == "rename":
        call = http.patch(f"{base}?updateMask=displayName", json={"displayName": f"mine {rng.random()}"})
    elif what == "narrow":
        restrictions = {"restrictions": {"apiTargets": [{"service": "vision.googleapis.com"}]}}
        call = http.patch(f"{base}?updateMask=restrictions", json=restrictions)
    elif what == "delete":
        call = http.delete(base)
    else:
        call = http.post(f"{base}:undelete", json={})
    with suppress(aiohttp.ClientError):  # a fault that was meant for keyadmin
        async with call:
            pass


async def overtaken(story: Story, rng: random.Random) -> None:
    """A stranger changes a key in the middle of a run, or of an undo."""
    left = rng.randint(1, 20)
    run = rng.choice((apply, undo))

    async def pause(method: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            story.look()
            doing = story.doing
            await stranger(story, rng)
            story.look()
            story.doing = doing

    story.stage.pause = pause
    await run(story, rng)


STEPS: tuple[Step, ...] = (
    apply,
    apply,
    killed,
    killed,
    overtaken,
    overtaken,
    undo,
    fault,
    fault,
    quota,
    refuse,
    jump,
    stranger,
    stranger,
)


async def play(stage: Stage, number: int, rng: random.Random) -> None:
    story = await begun(stage, number)
    stage.watch = story.look
    try:
        for step in rng.choices(STEPS, k=rng.randint(3, 9)):
            with suppress(Problem):
                await step(story, rng)
            calm_pause(stage)
            story.look()
            story.doing = ""
        await calm(stage)
        with suppress(Problem):
            await apply(story, random.Random(0))
        story.look()
        await ends_well(story)
    finally:
        stage.watch = lambda: None
        calm_pause(stage)
        await calm(stage)


async def ends_well(story: Story) -> None:
    """Undisturbed, an undo puts back all that nobody else changed, and nothing is left of the run."""
    if not journal_of(story.path).exists():
        return
    await undo(story, random.Random(0))
    story.look()
    for key_id, key in seen(story.stage, story.project).items():
        if key_id not in story.strange:
            assert (key.restrictions, key.deleted) == (story.first[key_id].restrictions, story.first[key_id].deleted), key_id
            assert key.whole == story.first[key_id].whole


def calm_pause(stage: Stage) -> None:
    async def nothing(method: str) -> None:
        """Nobody is held up."""

    stage.pause = nothing


async def calm(stage: Stage) -> None:
    await stage.control("faults", method="DELETE")
    await stage.control("quota", {"method": "UpdateKey", "per_minute": 1_000_000})


@pytest.mark.parametrize("part", range(PARTS))
async def test_whatever_happens(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    async with stage(tmp_path) as made:
        for number in range(part, SCHEDULES * PARTS, PARTS):
            rng = random.Random(SEED * 1_000_003 + number)
            try:
                await play(made, number, rng)
            except AssertionError as error:
                raise AssertionError(f"schedule {number} (KEYADMIN_TEST_SEED={SEED}): {error}") from error
