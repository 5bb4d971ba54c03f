"""The steps of a random schedule: runs, faults, jumps of the clock, what people do, and what a tamperer claims."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from keyadmin.handover.registry import fingerprint
from keyadmin.model.key_codec import parse_time
from keyadmin.model.lineage import (
    CAUSE,
    FOUNDER,
    GENERATION,
    HIGHEST,
    LINEAGE,
    PREDECESSOR,
    PUBLISHED,
    SINKS,
    STATE,
    VOID,
    State,
    parse_successor,
)
from keyadmin.model.problem import Problem
from keyadmin.rotation.decide import RotationTerms, live_older
from tests.rotation.inside import Subject, go_on

METHODS = (
    *("CreateKey", "UpdateKey", "DeleteKey", "GetKey", "ListKeys", "GetKeyString", "GetOperation", "UndeleteKey"),
    *("AddSecretVersion", "AccessSecretVersion", "DisableSecretVersion", "ListSecretVersions", "ListTimeSeries", "ListModels"),
)


@dataclass
class Case:
    """One schedule being played, and what must hold."""

    subject: Subject
    new_auth: bool
    uids: dict[str, str] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    last_held: dict[str, str] = field(default_factory=dict)
    grace: timedelta | None = None
    """That of the run under way; None = deletions need none (an emergency, a rollback, a person)."""
    by_hand: bool = False
    rollback: bool = False
    """Whether a person typed a rollback, which hands an older key over and deletes newer ones."""
    ahead_h: int = 0
    """How far the clock was moved since the project was made."""
    begun: dict[str, str] = field(default_factory=dict)
    """What the sinks held when the step under way began."""
    tampered: bool = False
    """Whether somebody wrote on the keys: what they remember may be gone, the numbers that were used too."""
    meanwhile: list[tuple[int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    """What the tamperer does at the n-th call of the next run."""
    keeps: bool = False
    """Whether the last of the ways out is gone, not the first."""

    def look(self) -> None:
        """What holds at every moment."""
        rows = self.subject.rows()
        for key_id, row in rows.items():
            known = self.uids.setdefault(key_id, row["uid"])
            assert known == row["uid"] or self.tampered, f"the id {key_id} was used twice"
            assert key_id == "web" or parse_successor(key_id), f"{key_id} is an orphan"
        by_string = {row["string"]: row | {"generation": generation_of(key_id)} for key_id, row in rows.items()}
        spread = self.subject.stage.local.world.faults.spread("key")
        now = self.subject.stage.local.world.clock.now()
        for sink, string in self.subject.held().items():
            row = by_string[string]
            assert row["deleted"] is None, f"{sink} holds a deleted key"
            if self.last_held.get(sink, string) != string and not self.by_hand and "serviceAccountEmail" in row:
                assert row["changed"] + spread <= now, f"{sink} was given a key that is not known everywhere"
            self.last_held[sink] = string
            if not self.by_hand and not self.rollback and sink in self.begun:
                before = by_string.get(self.begun[sink])  # purged ones are older than any
                assert before is None or row["generation"] >= before["generation"], f"{sink} was handed an older key"
        fresh = {key_id for key_id, row in rows.items() if row["deleted"] is not None} - set(self.deleted)
        for key_id in fresh:
            self._deleted(key_id, rows)
        self.deleted = {key_id: row["deleted"] for key_id, row in rows.items() if row["deleted"] is not None}

    def _deleted(self, key_id: str, rows: dict[str, Any]) -> None:
        """By what nobody can forge: something newer lives, has lived for as long as the grace period, and is in every sink."""
        if self.by_hand or self.rollback:
            return
        alive = [row for other, row in rows.items() if row["deleted"] is None and generation_of(other) > generation_of(key_id)]
        assert alive, f"{key_id} was deleted, and nothing newer lives"
        at, made = parse_time(rows[key_id]["deleteTime"]), [parse_time(row["createTime"]) for row in alive]
        assert at is not None
        grace = (self.grace or timedelta()) - timedelta(seconds=2)
        long_enough = not self.grace or any(time is not None and at - time >= grace for time in made)
        assert long_enough, f"{key_id} was deleted within the grace period"
        assert set(self.subject.held().values()) <= {row["string"] for row in alive}, (
            f"{key_id} was deleted before the hand-over"
        )


def generation_of(key_id: str) -> int:
    """As the id tells it."""
    known = parse_successor(key_id)
    return known[1] if known else 1


Step = Callable[[Case], Awaitable[None]]


def _step(name: str, body: Step) -> Step:
    body.__name__ = name  # what hypothesis prints
    body.__qualname__ = name
    return body


def run(grace_h: int, *, emergency: bool = False, twice: bool = False, stopped_at: int | None = None) -> Step:
    async def body(case: Case) -> None:
        grace = timedelta(hours=grace_h)
        case.grace = None if emergency else grace
        rule: dict[str, Any] = {"grace": grace, "new_auth": case.new_auth}
        if emergency:
            rule["max_age"] = None
        work: asyncio.Future[Any] = asyncio.ensure_future(case.subject.run(emergency=emergency, **rule))
        if twice:
            work = asyncio.gather(work, case.subject.run(emergency=emergency, **rule), return_exceptions=True)
        await finished(case, work, stopped_at)

    return _step(f"run({grace_h}, emergency={emergency}, twice={twice}, stopped_at={stopped_at})", body)


async def finished(case: Case, work: asyncio.Future[Any], stopped_at: int | None) -> None:
    """The work, cancelled in the middle of its n-th call if so ordered."""
    count = 0
    stage = case.subject.stage

    async def pause(method: str) -> None:
        nonlocal count
        count += 1
        for at, tamper in case.meanwhile:
            if count == at:
                await tamper()
        if count == stopped_at:
            work.cancel()

    stage.pause = pause
    try:
        with suppress(asyncio.CancelledError, Problem):
            found = await work
            for each in found if isinstance(found, list) else [found]:
                if isinstance(each, BaseException) and not isinstance(each, Problem):
                    raise each
    finally:
        stage.pause = go_on
        case.meanwhile.clear()
        if stopped_at is not None:
            for _ in range(50):  # turns of the loop: what was sent before the end may be done after it
                await asyncio.sleep(0.001)
            case.look()
        case.grace = None


def by_name(newest: bool, emergency: bool, stopped_at: int | None = None) -> Step:
    """`keys rotate KEY`."""

    async def body(case: Case) -> None:
        lineage = case.subject.lineage()
        key_id = (lineage.newest if newest else lineage.members[0]).key.key_id
        terms = RotationTerms(force=True, emergency=emergency, migrate=case.new_auth)
        case.grace = None if emergency else terms.grace
        await finished(case, asyncio.ensure_future(case.subject.rotate(key_id, terms)), stopped_at)

    return _step(f"by_name(newest={newest}, emergency={emergency}, stopped_at={stopped_at})", body)


def back(generation: int, stopped_at: int | None = None) -> Step:
    """`rotation rollback KEY`."""

    async def body(case: Case) -> None:
        members = case.subject.lineage().members
        key_id = members[min(generation, len(members)) - 1].key.key_id
        case.rollback = True
        await finished(case, asyncio.ensure_future(case.subject.roll_back(key_id)), stopped_at)

    return _step(f"back({generation}, stopped_at={stopped_at})", body)


def leak(generation: int, grace_h: int, stopped_at: int | None = None) -> Step:
    """`keys compromised KEY`."""

    async def body(case: Case) -> None:
        members = [member for member in case.subject.lineage().members if member.live]
        if members:
            key_id = members[min(generation, len(members)) - 1].key.key_id
            grace = timedelta(hours=grace_h)
            case.grace = grace
            await finished(case, asyncio.ensure_future(case.subject.compromised(key_id, grace)), stopped_at)

    return _step(f"leak({generation}, {grace_h}, stopped_at={stopped_at})", body)


def tamper(index: int, name: str, value: str | None, at: int | None) -> Step:
    """Somebody who may change keys writes or removes an annotation, now or at the n-th call of the next run."""

    async def body(case: Case) -> None:
        async def now() -> None:
            await write_claim(case, index, name, value)

        case.tampered = True
        if at is None:
            await now()
        else:
            case.meanwhile.append((at, now))

    return _step(f"tamper({index}, {name!r}, {value!r}, at={at})", body)


async def write_claim(case: Case, index: int, name: str, value: str | None) -> None:
    """Past keyadmin, by the one permission alone; a fault may hit it as it hits anybody."""
    subject, stage = case.subject, case.subject.stage
    member = subject.lineage().members[index % len(subject.lineage().members)]
    marks = dict(member.key.annotations) | {LINEAGE: subject.lineage().id, GENERATION: str(member.generation)}
    if value is None:
        marks.pop(name, None)
    else:
        times = {"NOW": stage.ago(0), "DAY": stage.ago(1.1), "OLD": stage.ago(900), "SOON": stage.ago(-1)}
        marks[name] = (times | {"SINKS": fingerprint(subject.specs)}).get(value, value)
    url = f"{stage.rest}/v2/projects/{subject.project}/locations/global/keys/{member.key.key_id}?updateMask=annotations"
    async with stage.http.patch(url, json={"annotations": marks}) as answer:
        await answer.read()


def fault(method: str, code: str, when: str, times: int) -> Step:
    async def body(case: Case) -> None:
        await case.subject.stage.control("faults", {"method": method, "code": code, "when": when, "times": times})

    return _step(f"fault({method}, {code}, {when}, {times})", body)


def quota(per_minute: int) -> Step:
    async def body(case: Case) -> None:
        await case.subject.stage.control("quota", {"method": "*", "per_minute": per_minute})

    return _step(f"quota({per_minute})", body)


def propagation(seconds: int) -> Step:
    async def body(case: Case) -> None:
        await case.subject.stage.control("propagation", {"key": f"{seconds}s"})

    return _step(f"propagation({seconds})", body)


def clock(hours: int) -> Step:
    async def body(case: Case) -> None:
        if case.ahead_h + hours < 0:
            return  # before the project's APIs were enabled
        if hours > 24 * 25 and unseen(case):
            return  # nobody ran anything until the key was purged: then nothing tells that there was one
        case.ahead_h += hours
        await case.subject.stage.control("clock", {"advance": f"{hours}h"})

    return _step(f"clock({hours})", body)


def unseen(case: Case) -> bool:
    """Whether a person deleted the newest key and no run has noted its generation yet."""
    lineage = case.subject.lineage()
    live = [member for member in lineage.members if member.live]
    return bool(live) and max(member.highest for member in live) < lineage.members[-1].generation


async def calm(case: Case) -> None:
    """The faults, the quota and the broken sink are over."""
    stage = case.subject.stage
    await stage.control("faults", method="DELETE")
    await stage.control("quota", {"method": "*", "per_minute": None})
    await stage.control("propagation", {"key": "0s"})
    if case.subject.env_file.is_symlink():
        text = case.subject.env_file.read_text()
        case.subject.env_file.unlink()
        case.subject.env_file.write_text(text)


async def break_sink(case: Case) -> None:
    """The file becomes a link, which keyadmin does not write through."""
    path = case.subject.env_file
    if not path.is_symlink():
        path.rename(path.with_suffix(".real"))
        path.symlink_to(path.with_suffix(".real"))


async def restore_file(case: Case) -> None:
    """A deployment puts the predecessor back into the file, as long as that works."""
    older = [
        member for member in live_older(case.subject.lineage()) if member.generation < case.subject.lineage().newest.generation
    ]
    path = case.subject.env_file
    if older and case.subject.lineage().newest.state is not State.RETIRED:
        path.write_text(f"GEMINI_API_KEY={case.subject.strings()[older[-1].key.key_id]}\n")


async def delete_newest(case: Case) -> None:
    """A person deletes the newest key, unless a sink holds it."""
    newest = case.subject.lineage().newest
    if newest.live and case.subject.strings()[newest.key.key_id] not in case.subject.held().values():
        await case.subject.stage.cloud.keys.delete(newest.key.name)


async def delete_older(case: Case) -> None:
    """A person deletes the predecessor, unless a sink holds it."""
    for member in case.subject.lineage().members[:-1]:
        if member.live and case.subject.strings()[member.key.key_id] not in case.subject.held().values():
            await case.subject.stage.cloud.keys.delete(member.key.name)
            return


async def restore_key(case: Case) -> None:
    """A person brings a deleted key back."""
    for member in case.subject.lineage().members:
        if not member.live:
            await case.subject.stage.cloud.keys.undelete(member.key.name)
            return


async def strip(case: Case) -> None:
    """A person removes the newest key's annotations."""
    newest = case.subject.lineage().newest
    if newest.live and newest.key.annotations:
        await case.subject.stage.cloud.keys.update(newest.key.name, {"annotations"}, replace(newest.key, annotations={}))


async def adopt(case: Case) -> None:
    newest = case.subject.lineage().newest
    if newest.live:
        await case.subject.adopt(newest.key.key_id)


graces = st.sampled_from([0, 1, 24])
stops = st.none() | st.integers(1, 25)
people = [break_sink, restore_file, delete_newest, delete_older, restore_key, strip, adopt, calm]
faults = st.one_of(
    st.builds(
        fault,
        st.sampled_from(METHODS),
        st.sampled_from(["UNAVAILABLE", "DROP", "INTERNAL", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"]),
        st.sampled_from(["before", "after", "operation"]),
        st.integers(1, 40),
    )
)
NUMBERS = ["1", "2", "3", "5", "999999999", "many"]
VALUES: dict[str, list[str]] = {
    LINEAGE: ["x"],
    GENERATION: NUMBERS,
    PREDECESSOR: ["web", "x"],
    STATE: [*(state.value for state in State), "mine"],
    PUBLISHED: ["NOW", "DAY", "OLD", "SOON", "yesterday"],
    SINKS: ["SINKS", "x"],
    FOUNDER: ["web", "x"],
    VOID: NUMBERS,
    HIGHEST: NUMBERS,
    CAUSE: ["conflict", "unknown", "x"],
}
claims = st.sampled_from([*VALUES, VOID, VOID, STATE, PUBLISHED]).flatmap(
    lambda name: st.builds(
        tamper, st.integers(0, 3), st.just(name), st.none() | st.sampled_from(VALUES[name]), st.none() | st.integers(1, 20)
    )
)
steps = st.one_of(
    claims,
    claims,
    st.builds(leak, st.integers(1, 3), graces, stops),
    st.builds(run, graces, emergency=st.sampled_from([False] * 5 + [True]), twice=st.booleans(), stopped_at=stops),
    st.builds(run, graces, stopped_at=stops),
    st.builds(by_name, st.booleans(), st.booleans(), stops),
    st.builds(back, st.integers(1, 4), stops),
    faults,
    faults,
    st.builds(quota, st.sampled_from([0, 3, 10])),
    st.builds(propagation, st.sampled_from([0, 30, 300])),
    st.builds(clock, st.sampled_from([1, 2, 25, 25, 24 * 91, 24 * 31, -3, -30])),
    st.sampled_from(people),
    st.sampled_from(people),
)
