"""What a rotation of one lineage works with, what it reports, and what it shares with the others of the same run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from keyadmin.handover.sink import Sink
from keyadmin.keys.verify import PROPAGATION_S
from keyadmin.model.key import Key
from keyadmin.model.key_codec import format_time
from keyadmin.model.lineage import Lineage, Member, State, read
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString, redact
from keyadmin.rotation.decide import Action, RotationTerms

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.usage import KeyUsage
    from keyadmin.keys.preflight import ProjectState

Status = Literal["done", "already", "skipped", "waiting", "failed"]

USAGE_SLACK: Final = timedelta(hours=1)  # Monitoring tells the hour of the last use, not the minute
FRESH_S: Final = 5.0  # a key read or written less than so many seconds ago is taken as it was then
_LOOKING: Final = frozenset({"verify", "read back", "use check"})  # steps that change nothing


class Overtaken(Problem):
    """Another run or a person changed the lineage since it was read: it is to be read again and decided anew."""


@dataclass(frozen=True)
class Event:
    """A step of a rotation, as `--format jsonl` and `--notify` tell it. Never carries a key string.

    What is about a whole project or the whole run has no lineage, generation and key; what is about the run has no project.
    """

    at: datetime
    project: str
    lineage: str
    generation: int
    key: str
    step: str
    status: Status
    detail: str = ""
    cause: str | None = None

    @classmethod
    def failure(cls, at: datetime, step: str, problem: Problem, where: str = "", project: str = "") -> Event:
        """What could not even be begun: a project or a rule that could not be checked, a run without credentials."""
        detail = redact(f"{where}: {problem.message}" if where else problem.message)
        return cls(at, project, "", 0, "", step, "failed", detail, problem.cause.value)

    def to_json(self) -> dict[str, Any]:
        """One JSON object."""
        about = {"project": self.project, "lineage": self.lineage, "generation": self.generation, "key": self.key}
        out = {"at": format_time(self.at), **{name: value for name, value in about.items() if value}}
        out |= {"step": self.step, "status": self.status, "detail": self.detail}
        return out | ({"cause": self.cause} if self.cause else {})


@dataclass(frozen=True)
class LastUse:
    """`end` = the end of the last hour with a call; `service` = the API that was called then."""

    end: datetime
    service: str


class UsageBook:
    """When keys were last used: one Monitoring call a project, however many of its keys are rotated."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._asked: dict[str, asyncio.Task[list[KeyUsage] | Problem]] = {}

    async def last(self, project: str, uid: str, service: str | None) -> LastUse | Problem | None:
        """The last use, of one service where it is named; None = none in six weeks; a Problem where it cannot be found out."""
        if project not in self._asked:
            self._asked[project] = asyncio.ensure_future(self._read(project))
        found = await self._asked[project]
        if isinstance(found, Problem):
            return found
        uses = [LastUse(use.last, use.service) for use in found if use.uid == uid and service in (None, use.service)]
        return max(uses, key=lambda use: use.end, default=None)

    async def _read(self, project: str) -> list[KeyUsage] | Problem:
        try:
            return await self._cloud.usage.of_project(project)
        except Problem as problem:
            return problem


@dataclass
class Shared:
    """What the lineages of one run have in common."""

    cloud: Cloud
    observer: Observer
    emit: Callable[[Event], None] = lambda event: None
    usage: UsageBook = field(init=False)
    prepared: dict[str, asyncio.Task[ProjectState]] = field(default_factory=dict)
    """By project: its APIs and service account are ready for auth keys (migrations)."""
    told: set[str] = field(default_factory=set)
    """What could not be found out beforehand and was said."""

    def __post_init__(self) -> None:
        self.usage = UsageBook(self.cloud)

    def tell_unknown(self, text: str) -> None:
        """Say what is not known before a key is made, once a run however many lineages it is about; nothing is stopped."""
        if text and text not in self.told:
            self.told.add(text)
            self.observer.warning(text)
            self.emit(Event(self.cloud.now(), "", "", 0, "", "constraints", "skipped", redact(text)))


@dataclass
class Job:
    """One lineage to be advanced."""

    shared: Shared
    lineage: Lineage
    terms: RotationTerms
    sinks: Sequence[Sink] = ()
    fingerprint: str = ""
    verify_s: float = PROPAGATION_S
    force_use: bool = False
    """Retire the predecessor even where it is still used."""
    action: Action = Action.REST
    """What is being done."""
    steps: list[Event] = field(default_factory=list)
    strings: dict[str, KeyString] = field(default_factory=dict)
    """Key strings by key id, as far as they are known in this run."""
    verified: set[str] = field(default_factory=set)
    """The ids of keys that were seen to work in this run."""
    seen: dict[str, float] = field(default_factory=dict)
    """When keys were last read or written by this job, by id (monotonic seconds)."""
    handed: set[tuple[str, str]] = field(default_factory=set)
    """The ids of keys and the sinks that they were handed to in this run."""
    delivered: bool = False
    """Whether a sink was changed in this run."""
    unasked: bool = False
    """Whether the Gemini API could not be asked about a key: nothing is known of it, so nothing is written of it either."""
    pinned: bool = False
    """Whether a person saw what is to be done, and agreed."""
    unknown: str = ""
    """What was not known when the successor was made: whether constraints that could not be read refuse it."""
    leaked: str = ""
    """The id of a key that has leaked (`keys compromised`): it alone is to go, whatever annotations claim."""

    @property
    def cloud(self) -> Cloud:
        """The connection."""
        return self.shared.cloud

    @property
    def changed(self) -> bool:
        """Whether anything was changed so far; looking changes nothing."""
        return any(step.status == "done" and step.step not in _LOOKING for step in self.steps)

    def now(self) -> datetime:
        """The server's time."""
        return self.cloud.now()

    def say(self, member: Member | None, step: str, status: Status, detail: str = "", cause: str | None = None) -> None:
        """Record a step and tell whoever listens."""
        subject = member or self.lineage.newest
        event = Event(
            *(self.now(), self.lineage.project, self.lineage.id, subject.generation, subject.key.key_id),
            *(step, status, redact(detail), cause),
        )
        self.steps.append(event)
        self.shared.emit(event)

    def say_once(self, member: Member, step: str, status: Status, detail: str) -> None:
        """The same unless it was said of this key in this run."""
        if not any((said.key, said.step, said.detail) == (member.key.key_id, step, detail) for said in self.steps):
            self.say(member, step, status, detail)

    def member(self, key_id: str) -> Member:
        """A member by its key's id."""
        return next(member for member in self.lineage.members if member.key.key_id == key_id)

    def put(self, key: Key) -> None:
        """Take a key as it is now into the lineage."""
        if key.key_string is not None:
            self.strings[key.key_id] = key.key_string
        self.seen[key.key_id] = time.monotonic()
        keys = {member.key.key_id: member.key for member in self.lineage.members}
        keys[key.key_id] = replace(key, project=self.lineage.project, key_string=None)
        self._take(read(keys.values(), self.lineage.project)[0])

    def _take(self, lineage: Lineage) -> None:
        self.lineage = replace(lineage, suspicious=bool(self.leaked))

    async def refresh(self) -> None:
        """Read the whole lineage again: one listing, which shows what other runs made and what is purged. Raises Problem."""
        keys = [key async for key in self.cloud.keys.list(self.lineage.project, deleted=True)]
        found = [lineage for lineage in read(keys, self.lineage.project) if lineage.id == self.lineage.id]
        if not found:
            raise Problem(Cause.NOT_FOUND, f"lineage {self.lineage.id} has no key left", project=self.lineage.project)
        self._take(found[0])
        self.seen = dict.fromkeys((member.key.key_id for member in self.lineage.members), time.monotonic())

    async def make_sure(self, member: Member) -> None:
        """Raises Overtaken where a member is no longer as it is known here; it is read again unless that was just done."""
        known = member.key
        if time.monotonic() - self.seen.get(known.key_id, -FRESH_S) < FRESH_S:
            return
        changed = Overtaken(Cause.CONFLICT, f"{known.key_id} was changed meanwhile", project=self.lineage.project)
        try:
            now = await self.cloud.keys.get(known.name)
        except Problem as problem:
            raise changed if problem.cause is Cause.NOT_FOUND else problem from None
        if (now.etag, now.delete_time) != (known.etag, known.delete_time):
            raise changed
        self.seen[known.key_id] = time.monotonic()

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
    changed: bool = False
    """Whether anything was changed."""
    sinks: tuple[str, ...] = ()
    """The sinks that the key goes to, as written."""
    unknown: str = ""
    """What could not be found out before the successor was made."""
    beside: str = ""
    """Why, where the state stands beside it and says until when; empty = as `why`."""

    @property
    def why_beside(self) -> str:
        """Why, without what the state says already."""
        return self.beside or self.why

    @property
    def state_words(self) -> str:
        """The state for people: what works, and until when."""
        if self.state is State.STUCK:
            return "stuck"
        if self.state is State.GRACE:
            until = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until is not None else ""
            return f"old key works{until}" if until else "old key still works"
        if self.state is State.RETIRED:
            return "complete" if self.changed and self.problem is None else "in use"
        return "verifying"

    def to_json(self) -> dict[str, Any]:
        """The fixed form of `keys rotate` (contract 3) with the project and, where it stopped, the cause."""
        newest, predecessor = self.lineage.newest, self.lineage.predecessor
        out: dict[str, Any] = {
            "project": self.lineage.project,
            "lineage": self.lineage.id,
            "generation": newest.generation,
            "state": self.state.value,
            "stateText": self.state_words,
            "key": newest.key.name,
            "displayName": newest.key.display_name,
            "sinks": list(self.sinks),
        }
        if predecessor is not None:
            out["predecessor"] = predecessor.key.name
        out["steps"] = [{"step": step.step, "status": step.status, "detail": step.detail} for step in self.steps]
        out["why"] = self.why
        if self.unknown:
            out["unknown"] = [redact(self.unknown)]
        if self.until is not None:
            out["until"] = format_time(self.until)
        if self.problem is not None:
            out |= {"cause": self.problem.cause.value, "message": redact(self.problem.message)}
            known = {name: getattr(self.problem, name) for name in ("status", "permission", "service")}
            out |= {name: value for name, value in known.items() if value}
        if ways := self.problem.fix if self.problem is not None else self.ways_out:
            out["fix"] = list(ways)
        return out
