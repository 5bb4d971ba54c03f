"""Random schedules about a key that a plan contains and then migrates: lost answers, strangers, kills, undos, runs, the clock.

At every moment: nothing is wider than before but by an undo or a stranger; no successor is made of a key that is not contained,
nor of one that a stranger changed where the run has looked since; the old key goes only when its successor works.
KEYADMIN_TEST_SCHEDULES = how many schedules instead of 40 a part; KEYADMIN_TEST_SEED = other ones.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from keyadmin.audit.fix.change import MARK, replacing
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
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.policy import RotationPolicy, of_options
from tests.fix.test_fix_schedules import GEMINI, MAPS, ON, PARTS, SCHEDULES, SEED, Killed, calm, calm_pause
from tests.rotation.inside import Stage, stage

FIRST, THEN = "restrict-apis", "migrate"
LOOKS = frozenset({"ListKeys", "GetKey", "UpdateKey"})


@dataclass(frozen=True)
class Seen:
    """A key as stored. `theirs` = its name and the annotations that are not keyadmin's; `mark` = the run's."""

    restrictions: Restrictions
    deleted: bool
    theirs: str
    mark: str


@dataclass
class Story:
    """A project with one key to be contained and migrated, watched."""

    stage: Stage
    project: str
    old: str
    plan: FixPlan
    policy: RotationPolicy
    path: Path
    last: dict[str, Seen]
    doing: str = ""
    strange: bool = False
    """Whether a stranger changed the old key."""
    looked: bool = False
    """Whether a run has looked at the keys since."""
    held: bool = False
    """Whether the second step has marked the key while it was as the first one left it: from then on it is the engine's."""
    history: list[str] = field(default_factory=list)

    @property
    def contained(self) -> Restrictions:
        after = self.plan.changes[0].after
        assert after is not None
        return after

    def told(self, kind: str) -> list[str]:
        """What the journal says of a step of the key."""
        path = journal_of(self.path)
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [line["step"] for line in lines if line.get("change") == kind]

    def look(self) -> None:
        """What holds at every moment."""
        now = seen(self.stage, self.project)
        for key_id in now.keys() - self.last.keys():
            self.made(key_id, now)
        old, new = self.last[self.old], now[self.old]
        if old != new:
            self.changed(old, new, now)
        self.last = now

    def made(self, key_id: str, now: dict[str, Seen]) -> None:
        assert self.doing == "apply", f"{key_id} was made by nobody"
        assert self.told(THEN)[-1:] == ["begin"], "a successor is written down before it is made"
        assert self.held or self.told(FIRST)[-1:] == ["done"], "the key is contained first"
        assert now[key_id].restrictions.services == {GEMINI}
        if not self.strange:
            assert now[self.old].restrictions == self.contained
        assert self.held or not (self.strange and self.looked), "it was begun though somebody else had changed the key"

    def changed(self, old: Seen, new: Seen, now: dict[str, Seen]) -> None:
        successors = [key for name, key in now.items() if name != self.old and not key.deleted]
        if self.doing == "stranger":
            self.strange, self.looked = True, False
            return
        assert old.theirs == new.theirs, "the name or annotations of others were written over"
        if self.doing == "undo":
            assert self.told(FIRST)[-1:] == ["undo-begin"]
            assert len(now) == 1, "its successor goes first"
            assert (new.restrictions, new.deleted) == (self.plan.changes[0].before, False)
            assert not new.mark
            self.held = False
            return
        assert self.doing == "apply"
        assert not wider(old.restrictions, new.restrictions)
        if old.mark != new.mark and (old.restrictions, old.deleted) == (new.restrictions, new.deleted):
            assert new.mark == replacing(self.plan.run)
            assert not self.strange, "a key that somebody else had changed was marked"
            self.held = True
            return
        if self.told(FIRST)[-1:] != ["begin"]:  # deleted, or split, by the engine
            assert self.held
            assert successors, "the old key goes once its successor is there"
            assert new.deleted or GEMINI not in new.restrictions.services
            return
        assert not self.strange, "somebody else's change was overwritten"
        assert new.restrictions == self.contained


def seen(stage: Stage, project: str) -> dict[str, Seen]:
    """The keys as stored, behind keyadmin's back."""
    node = stage.local.world.hierarchy.project(project)
    assert node is not None
    out = {}
    rows = stage.local.world.store.all("SELECT key_id, deleted, rest FROM keys WHERE project = ?", node.name)
    for key_id, deleted, rest in rows:
        doc = json.loads(rest)
        marks = {name: value for name, value in doc.get("annotations", {}).items() if not name.startswith("keyadmin-")}
        theirs = json.dumps([doc.get("displayName"), marks], sort_keys=True)
        mark = doc.get("annotations", {}).get(MARK, "")
        out[key_id] = Seen(restrictions_from_json(doc.get("restrictions")), bool(deleted), theirs, mark)
    return out


async def begun(stage: Stage, number: int) -> Story:
    """A project with an open standard key for Gemini (every other one for maps too, which is split), and its plan."""
    project = f"two-{number}"
    services = [GEMINI, MAPS] if number % 4 >= 2 else [GEMINI]
    use = [{"service": service, "at": stage.ago(9), "calls": 9} for service in services]
    keys = [{"keyId": "chat", "displayName": "chat", "createTime": stage.ago(300), "use": use}]
    owner = {"roles/owner": ["user:owner@example.com"]}
    on = [*ON, "secretmanager.googleapis.com", "iam.googleapis.com"]
    await stage.control("seed", {"projects": [{"projectId": project, "services": on, "iam": owner, "keys": keys}]})
    policy = of_options({"projects": (project,)}, (f"secret-manager:projects/{project}/secrets/chat",))
    scope = AuditScope((project,))
    report = await scan(stage.cloud, scope, "api", AuditOptions(chosen(None), timedelta(days=90)), SILENT)
    plan, _ = await plan_fix(stage.cloud, scope, report, FixRequest(policy=policy), SILENT)
    assert [(change.kind, change.wave) for change in plan.changes] == [(FIRST, 1), (THEN, 2)]
    path = stage.folder / f"{project}.json"
    write_plan(path, plan)
    return Story(stage, project, "chat", plan, policy, path, seen(stage, project))


async def apply(story: Story, rng: random.Random) -> None:
    story.doing = "apply"
    rotation = RunOptions(flagged=True, verify_s=0.0, pinned=False)
    options = FixOptions(timedelta(), only=rng.random() < 0.5, policy=story.policy, rotation=rotation)
    await apply_plan(story.stage.cloud, story.plan, story.path, options, SILENT)


async def undo(story: Story, rng: random.Random) -> None:
    story.doing = "undo"
    wanted = await plan_undo(story.stage.cloud, story.plan, read_journal(story.path, story.plan.run), SILENT)
    await execute_undo(story.stage.cloud, wanted, story.path, SILENT)


def counted(story: Story, left: int, then: Any) -> None:
    """Await `then` before the n-th call from now on; note which calls look at the keys after that."""

    async def pause(method: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            await then()
        if story.strange and method in LOOKS:
            story.looked = True

    story.stage.pause = pause


async def killed(story: Story, rng: random.Random) -> None:
    async def die() -> None:
        raise Killed

    counted(story, rng.randint(1, 40), die)
    with suppress(Killed):
        await apply(story, rng)


async def stranger(story: Story, rng: random.Random) -> None:
    """Somebody else renames, narrows or deletes the old key, or brings it back."""
    story.look()
    story.doing = "stranger"
    base = f"{story.stage.rest}/v2/projects/{story.project}/locations/global/keys/{story.old}"
    what = rng.choice(("rename", "rename", "narrow", "delete", "undelete"))
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
    story.history.append(what)
    story.look()


async def overtaken(story: Story, rng: random.Random) -> None:
    """A stranger changes the key in the middle of a run, or of an undo."""
    run = rng.choice((apply, apply, undo))

    async def strike() -> None:
        doing = story.doing
        await stranger(story, rng)
        story.doing = doing

    counted(story, rng.randint(1, 30), strike)
    await run(story, rng)


async def fault(story: Story, rng: random.Random) -> None:
    method = rng.choice(("UpdateKey", "DeleteKey", "CreateKey", "ListKeys", "GetKey", "GetOperation", "AddSecretVersion"))
    code, when = rng.choice((("UNAVAILABLE", "before"), ("UNAVAILABLE", "after"), ("DROP", "after"), ("ABORTED", "before")))
    await story.stage.control("faults", {"method": method, "code": code, "when": when, "times": rng.randint(1, 6)})


async def refuse(story: Story, rng: random.Random) -> None:
    """Rights are taken away half-way."""
    method = rng.choice(("UpdateKey", "CreateKey", "GetKeyString", "AddSecretVersion", "ListKeys"))
    await story.stage.control("faults", {"method": method, "code": "PERMISSION_DENIED", "times": rng.randint(1, 4)})


async def jump(story: Story, rng: random.Random) -> None:
    await story.stage.control("clock", {"advance": rng.choice(("1h", "26h", "3d"))})


STEPS = (apply, apply, killed, killed, overtaken, overtaken, undo, fault, fault, refuse, jump, stranger)


async def play(stage: Stage, number: int, rng: random.Random) -> None:
    story = await begun(stage, number)
    stage.watch = story.look
    try:
        for step in rng.choices(STEPS, k=rng.randint(3, 9)):
            story.history.append(step.__name__)
            if step not in (killed, overtaken):
                counted(story, -1, None)
            with suppress(Problem):
                await step(story, rng)
            calm_pause(stage)
            story.look()
            story.doing = ""
        await calm(stage)
        await ends_well(story)
    except AssertionError as error:
        raise AssertionError(f"{error} (after {', '.join(story.history)})") from error
    finally:
        stage.watch = lambda: None
        calm_pause(stage)
        await calm(stage)


async def ends_well(story: Story) -> None:
    """Undisturbed, an undo puts the key back where nothing replaced it and nobody else changed it; else runs come to an end."""
    counted(story, -1, None)
    if len(story.last) == 1:
        with suppress(Problem):
            await undo(story, random.Random(0))
        story.look()
        if not story.strange:
            assert story.last[story.old].restrictions == story.plan.changes[0].before
        return
    for _ in range(3):
        with suppress(Problem):
            await apply(story, random.Random(0))
        story.look()
        await story.stage.control("clock", {"advance": "26h"})
    if not story.strange:
        old = story.last[story.old]
        assert old.deleted or GEMINI not in old.restrictions.services, "the migration comes to its end"
        assert story.told(THEN)[-1] == "done"


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
