"""What an audit looks at and what it finds: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from keyadmin.model.key import GEMINI, Key
from keyadmin.model.lineage import LINEAGE, Lineage, Member, read
from keyadmin.model.secret import redact
from keyadmin.rotation.decide import Action, Decision, RotationTerms, decide, live_older

if TYPE_CHECKING:
    from keyadmin.audit.acceptance import Acceptance

RETENTION: Final = timedelta(days=30)  # how long a deleted key can be brought back (facts 3)
UNUSED_AFTER: Final = timedelta(days=30)
USUAL_AFTER: Final = timedelta(days=7)  # before that a key has no usual use
MAX_AGE: Final = timedelta(days=90)

Source = Literal["api", "asset"]


class Severity(IntEnum):
    """How bad a finding is; the higher the worse."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """`high`, `medium`, `low` or `info`."""
        return _WORDS[self]


_WORDS: Final = {severity: severity.name.lower() for severity in Severity}


@dataclass(frozen=True, slots=True)
class Use:
    """The last use of a key, and the APIs that it was used for; `answered` = those that did not turn it down each time.

    `recent` = its calls in the last hours, `earlier` = those before; `fresh` = the APIs that it called in the last hours alone.
    """

    last: datetime
    services: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    recent: int = 0
    earlier: int = 0
    fresh: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Replaced:
    """How far the rotation is that replaces a key: its successor, and what is next.

    `until` = when the grace is over, of 24 h, as no key says how long it is; `sinks` = the successor was handed to some.
    """

    successor: str
    action: Action
    until: datetime | None
    sinks: bool

    @property
    def words(self) -> str:
        """Behind the message of a finding about the old key."""
        if self.action is Action.PUBLISH:
            return f"; its successor {self.successor} is made, and not handed over yet"
        if self.until is not None:
            return f"; {self.successor} has replaced it, and its grace runs until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"; {self.successor} has replaced it, and its grace of 24 h is over"


_UNDER_WAY: Final = frozenset({Action.PUBLISH, Action.WAIT, Action.RETIRE})


@dataclass(frozen=True)
class AuditFacts:
    """What is known of one project. `now` = the server's time.

    `gemini` = whether the Generative Language API is on; `used` = the use of its keys in the last six weeks, by uid.
    None = it was not found out, or not asked for. `apis` = of other services, whether they are on, as far as that is known;
    `blind` = the use was asked for and may not be read; `anomaly` = how many times its usual calls are too many for a key.
    """

    project: str
    keys: tuple[Key, ...]
    now: datetime
    max_age: timedelta = MAX_AGE
    gemini: bool | None = None
    used: Mapping[str, Use] | None = None
    apis: Mapping[str, bool] = field(default_factory=dict)
    blind: bool = False
    anomaly: float | None = None

    @cached_property
    def states(self) -> tuple[bool | None, frozenset[tuple[str, bool]]]:
        """What is known of the state of APIs, to be compared."""
        return self.gemini, frozenset(self.apis.items())

    def is_on(self, service: str) -> bool | None:
        """Whether a service is on in the project; None = unknown."""
        return self.gemini if service == GEMINI else self.apis.get(service)

    @cached_property
    def live(self) -> tuple[Key, ...]:
        """The keys that work: those that are not deleted."""
        return tuple(key for key in self.keys if key.delete_time is None)

    @cached_property
    def rotations(self) -> tuple[tuple[Lineage, Decision], ...]:
        """The lineages that keyadmin was told to rotate, and what is next with each."""
        if not any(LINEAGE in key.annotations or key.key_id.startswith("ka-") for key in self.keys):
            return ()
        terms = RotationTerms(max_age=self.max_age)
        lineages = (lineage for lineage in read(self.keys, self.project) if lineage.adopted)
        decided = ((lineage, decide(lineage, terms, self.now)) for lineage in lineages)
        return tuple((lineage, decision) for lineage, decision in decided if decision.action is not Action.GONE)

    @cached_property
    def replaced(self) -> Mapping[str, Replaced]:
        """The old keys, by full name, that a rotation under way takes away."""
        return {
            old.key.name: _replaced(lineage.newest, decision)
            for lineage, decision in self.rotations
            if decision.action in _UNDER_WAY
            for old in live_older(lineage)
        }


def _replaced(successor: Member, decision: Decision) -> Replaced:
    return Replaced(successor.key.key_id, decision.action, decision.until, bool(successor.sinks))


@dataclass(slots=True)
class Finding:
    """One thing that is wrong, or worth knowing. Not frozen, since there are hundreds of thousands: that would take longer.

    `key` is None where it is about the project; `fix` = what to type next about the key (the first step of its judgement);
    `accepted` = who accepted it and why; `new` = whether a baseline has it not (None = there is none); `not_read` = what that
    step depends on and was not read.
    """

    rule: str
    severity: Severity
    project: str
    key: Key | None
    message: str
    fix: str
    accepted: Acceptance | None = None
    new: bool | None = None
    not_read: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The key's display name, else its id; empty where the finding is about the project.

        A key string in it is masked here: whoever cuts the name short would cut it so that nobody finds it any more.
        """
        return "" if self.key is None else redact(self.key.display_name) or self.key.key_id

    @property
    def place(self) -> tuple[str, str]:
        """By what findings stand in their order: the key's display name, then its full name."""
        return ("", "") if self.key is None else (self.key.display_name, self.key.name)

    def to_json(self) -> dict[str, Any]:
        """The contract's object: `key` = the full name, `keyName` = the display name; null where it is about the project."""
        return {
            "rule": self.rule,
            "severity": _WORDS[self.severity],
            "project": self.project,
            "key": None if self.key is None else self.key.name,
            "keyName": None if self.key is None else self.key.display_name,
            "message": self.message,
            "fix": self.fix,
            **({"notRead": list(self.not_read)} if self.not_read else {}),
            **({} if self.accepted is None else {"accepted": self.accepted.to_json()}),
            **({} if self.new is None else {"new": self.new}),
        }


@dataclass(frozen=True, slots=True)
class Unseen:
    """A project that could not be checked, or not wholly: what is in it is unknown, not right."""

    project: str
    cause: str
    message: str

    def to_json(self) -> dict[str, str]:
        """The contract's object."""
        return {"project": self.project, "cause": self.cause, "message": self.message}
