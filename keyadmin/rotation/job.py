"""What a rotation of one lineage works with, what it reports, and what it shares with the others of the same run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from keyadmin.handover.sink import Sink
from keyadmin.keys.codec import format_time
from keyadmin.keys.model import Key
from keyadmin.keys.verify import PROPAGATION_S
from keyadmin.observer import Observer
from keyadmin.problem import Cause, Problem
from keyadmin.rotation.decide import Terms
from keyadmin.rotation.lineage import Lineage, Member, State, read, successor_id
from keyadmin.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Status = Literal["done", "already", "skipped", "waiting", "failed"]

USAGE_SLACK: Final = timedelta(hours=1)  # Monitoring tells the hour of the last use, not the minute


@dataclass(frozen=True)
class Event:
    """A step of a rotation, as `--format jsonl`, `--notify` and metrics see it. Never carries a key string."""

    at: datetime
    project: str
    lineage: str
    generation: int
    key: str
    step: str
    status: Status
    detail: str = ""
    cause: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One JSON object."""
        out: dict[str, Any] = {
            "at": format_time(self.at),
            "project": self.project,
            "lineage": self.lineage,
            "generation": self.generation,
            "key": self.key,
            "step": self.step,
            "status": self.status,
            "detail": self.detail,
        }
        return out | ({"cause": self.cause} if self.cause else {})


class UsageBook:
    """When keys were last used: one Monitoring call a project, however many of its keys are rotated."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._asked: dict[str, asyncio.Task[Mapping[str, datetime] | Problem]] = {}

    async def last(self, project: str, uid: str, now: datetime) -> datetime | Problem | None:
        """The end of the last hour with a call; None = none in six weeks; a Problem where it cannot be found out."""
        if project not in self._asked:
            self._asked[project] = asyncio.ensure_future(self._read(project, now))
        found = await self._asked[project]
        return found if isinstance(found, Problem) else found.get(uid)

    async def _read(self, project: str, now: datetime) -> Mapping[str, datetime] | Problem:
        try:
            used = await self._cloud.usage.of_project(project)
        except Problem as problem:
            return problem
        out: dict[str, datetime] = {}
        for usage in used:
            out[usage.uid] = max(usage.last, out.get(usage.uid, usage.last))
        return out


@dataclass
class Shared:
    """What the lineages of one run have in common."""

    cloud: Cloud
    observer: Observer
    emit: Callable[[Event], None] = lambda event: None
    usage: UsageBook = field(init=False)
    prepared: dict[str, asyncio.Task[str]] = field(default_factory=dict)
    """By project: its APIs and service account are ready for auth keys (migrations); the account's e-mail."""

    def __post_init__(self) -> None:
        self.usage = UsageBook(self.cloud)


@dataclass
class Job:
    """One lineage to be advanced."""

    shared: Shared
    lineage: Lineage
    terms: Terms
    sinks: Sequence[Sink] = ()
    fingerprint: str = ""
    verify_s: float = PROPAGATION_S
    force_use: bool = False
    """Retire the predecessor even where it is still used."""
    steps: list[Event] = field(default_factory=list)
    strings: dict[str, KeyString] = field(default_factory=dict)
    """Key strings by key id, as far as they are known in this run."""

    @property
    def cloud(self) -> Cloud:
        """The connection."""
        return self.shared.cloud

    def now(self) -> datetime:
        """The server's time."""
        return self.cloud.now()

    def say(self, member: Member | None, step: str, status: Status, detail: str = "", cause: str | None = None) -> None:
        """Record a step and tell whoever listens."""
        subject = member or self.lineage.newest
        event = Event(
            *(self.now(), self.lineage.project, self.lineage.id, subject.generation, subject.key.key_id),
            *(step, status, detail, cause),
        )
        self.steps.append(event)
        self.shared.emit(event)

    def put(self, key: Key) -> None:
        """Take a key as it is now into the lineage."""
        keys = {member.key.key_id: member.key for member in self.lineage.members}
        if key.key_string is not None:
            self.strings[key.key_id] = key.key_string
        keys[key.key_id] = replace(key, project=self.lineage.project, key_string=None)
        self.lineage = read(keys.values(), self.lineage.project)[0]

    async def refresh(self) -> None:
        """Read every member again, and the next generation that another run may have made. Raises Problem."""
        wanted = [member.key.name for member in self.lineage.members]
        base = self.lineage.newest.key.name.rpartition("/")[0]
        wanted.append(f"{base}/{successor_id(self.lineage.id, self.lineage.next_generation)}")
        for name in wanted:
            try:
                self.put(await self.cloud.keys.get(name))
            except Problem as problem:
                if problem.cause is not Cause.NOT_FOUND:
                    raise

    async def string_of(self, member: Member) -> KeyString:
        """The secret of a member. Raises Problem."""
        key_id = member.key.key_id
        if key_id not in self.strings:
            self.strings[key_id] = await self.cloud.keys.key_string(member.key.name)
        return self.strings[key_id]


@dataclass(frozen=True)
class Outcome:
    """Where a lineage stands after it was advanced as far as it goes. `problem` = what stopped it."""

    lineage: Lineage
    state: State
    steps: tuple[Event, ...]
    why: str
    until: datetime | None = None
    problem: Problem | None = None
    ways_out: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return any(step.status == "done" for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """The fixed form of `keys rotate` (contract 3) with the project and, where it stopped, the cause."""
        newest, predecessor = self.lineage.newest, self.lineage.predecessor
        out: dict[str, Any] = {
            "project": self.lineage.project,
            "lineage": self.lineage.id,
            "generation": newest.generation,
            "state": self.state.value,
            "key": newest.key.name,
        }
        if predecessor is not None:
            out["predecessor"] = predecessor.key.name
        out["steps"] = [{"step": step.step, "status": step.status, "detail": step.detail} for step in self.steps]
        out["why"] = self.why
        if self.until is not None:
            out["until"] = format_time(self.until)
        if self.problem is not None:
            out["cause"] = self.problem.cause.value
            out["message"] = self.problem.message
        if self.ways_out:
            out["fix"] = list(self.ways_out)
        return out
