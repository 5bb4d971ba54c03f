"""A lineage: the generations of one credential, read off a project's keys (contract 4).

Everything is worked out anew from the keys at each run; nothing is kept beside them. What annotations say counts only
where the key id agrees, because anyone with apikeys.keys.update can write them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from keyadmin.model.key import Key
from keyadmin.model.key_codec import format_time, parse_time
from keyadmin.model.problem import Cause

LINEAGE: Final = "keyadmin-lineage"
GENERATION: Final = "keyadmin-generation"
PREDECESSOR: Final = "keyadmin-predecessor"
STATE: Final = "keyadmin-state"
PUBLISHED: Final = "keyadmin-published"
SINKS: Final = "keyadmin-sinks"
FOUNDER: Final = "keyadmin-founder"
"""The founding key's id, by which policies may select the lineage after that key was purged."""
VOID: Final = "keyadmin-void"
"""On a key that was rolled back to: the highest generation that no longer counts."""
HIGHEST: Final = "keyadmin-highest"
"""On a key whose successor was deleted manually: the highest generation there was, since that key will be purged."""
CAUSE: Final = "keyadmin-cause"
"""Why the last run stopped, for `rotation status` on other machines: on a successor that is stuck, or on the key that could
not be replaced."""

LAST: Final = 999_999_999  # generations; no lineage gets there by rotating
_SUCCESSOR: Final = re.compile(r"ka-([a-z2-7]{10})-([1-9][0-9]{0,8})")


class State(StrEnum):
    """How far the newest generation is. `retired` = its predecessor is gone: the rotation is complete.

    `creating` and `publishing` are read as `verifying` is, and never written: a key that bears annotations is created, and
    whether sinks have it is read from them.
    """

    CREATING = "creating"
    VERIFYING = "verifying"
    PUBLISHING = "publishing"
    GRACE = "grace"
    RETIRED = "retired"
    STUCK = "stuck"


def lineage_of(uid: str) -> str:
    """The lineage that the key with this uid founds: the first 10 characters of the lower-case base32 SHA-256 of the uid."""
    return base64.b32encode(hashlib.sha256(uid.encode()).digest()[:10]).decode().lower()[:10]


def successor_id(lineage: str, generation: int) -> str:
    """The key id of a generation: a function of both, so that creating it twice cannot make two keys."""
    return f"ka-{lineage}-{generation}"


def parse_successor(key_id: str) -> tuple[str, int] | None:
    """Lineage and generation of a successor's key id; None for any other id."""
    found = _SUCCESSOR.fullmatch(key_id)
    return (found[1], int(found[2])) if found else None


_CAUSES: Final = frozenset(cause.value for cause in Cause)
_STATES: Final = {state.value: state for state in State}


@dataclass(frozen=True, slots=True)
class Member:
    """A key in its lineage."""

    key: Key
    generation: int
    claimed: bool
    """Whether its annotations are there and agree with its id."""

    @property
    def live(self) -> bool:
        """Not deleted."""
        return self.key.delete_time is None

    @property
    def state(self) -> State | None:
        """What its annotation says; None where there is none or it says something unknown."""
        value = self.key.annotations.get(STATE, "") if self.claimed else ""
        return _STATES.get(value)

    @property
    def words(self) -> str:
        """How far it is, as far as it tells itself, in words for people."""
        if self.key.delete_time is not None:
            return f"deleted {self.key.delete_time:%Y-%m-%d}"
        if self.complete:
            return "in use"
        return {State.GRACE: "handed over", State.STUCK: "stuck"}.get(self.state or State.STUCK, "not handed over yet")

    @property
    def published(self) -> datetime | None:
        """When it was marked published, by the server's clock."""
        try:
            return parse_time(self.key.annotations.get(PUBLISHED)) if self.claimed else None
        except ValueError:
            return None

    @property
    def complete(self) -> bool:
        """Whether its own rotation is over: founders have none behind them."""
        return self.generation == 1 or self.state is State.RETIRED

    @property
    def predecessor_id(self) -> str | None:
        """The id of the key that it replaces."""
        return self.key.annotations.get(PREDECESSOR) if self.claimed else None

    @property
    def sinks(self) -> str | None:
        """The fingerprint of the sinks that it was handed to."""
        return self.key.annotations.get(SINKS) if self.claimed else None

    @property
    def void_up_to(self) -> int:
        """The highest generation that a rollback to this key took out of the count; 0 = none."""
        return self._number(VOID)

    @property
    def highest(self) -> int:
        """The highest generation that is known to have been used, as far as this key tells."""
        return max(self.generation, self.void_up_to, self._number(HIGHEST))

    def _number(self, annotation: str) -> int:
        value = self.key.annotations.get(annotation, "") if self.claimed else ""
        return int(value) if value and re.fullmatch("[0-9]{1,9}", value) else 0

    @property
    def cause(self) -> str | None:
        """Why the last run stopped, as it wrote it: one of the closed list."""
        value = self.key.annotations.get(CAUSE) if self.claimed else None
        return value if value in _CAUSES else None


@dataclass(frozen=True)
class Lineage:
    """One credential: its members by rising generation, deleted ones (of the last 30 days) included."""

    id: str
    project: str
    members: tuple[Member, ...]
    suspicious: bool = False
    """Whether no claim takes a key that lives out of the count: after a leak the thief may have written it."""

    @cached_property
    def counted(self) -> tuple[Member, ...]:
        """The members that no rollback took out of the count."""
        if not any(member.void_up_to for member in self.members):
            return self.members
        return tuple(member for member in self.members if not self._void(member))

    @property
    def voided(self) -> tuple[Member, ...]:
        """The members that a rollback took out of the count."""
        if self.counted is self.members:
            return ()
        return tuple(member for member in self.members if self._void(member))

    @property
    def in_question(self) -> tuple[Member, ...]:
        """Keys that live and that a claim on an older key calls rolled back from: an unfinished rollback, or a forgery."""
        return () if self.suspicious else tuple(member for member in self.voided if member.live)

    def _void(self, member: Member) -> bool:
        """A claim says it. Of a key that lives only a key that lives may: claims on deleted keys cannot be taken back."""
        return any(
            keeper.generation < member.generation <= keeper.void_up_to
            and (not member.live or (keeper.live and not self.suspicious))
            for keeper in self.members
        )

    @property
    def resting(self) -> bool:
        """Whether it is left alone because of a claim on its newest key, that it was rolled back to."""
        return self.newest.complete and bool(self.newest.void_up_to)

    @property
    def newest(self) -> Member:
        """The highest generation that counts."""
        return self.counted[-1]

    @property
    def predecessor(self) -> Member | None:
        """The generation before the newest; None for a founder, or where it is purged."""
        return self.counted[-2] if len(self.counted) > 1 else None

    @property
    def working(self) -> Member | None:
        """The newest key that sinks may hold: it lives, and was published or had nothing to wait for."""
        fit = (member for member in reversed(self.counted) if member.live and (member.complete or member.published))
        return next(fit, None)

    @property
    def subject(self) -> Key:
        """The key that selectors look at: while a rotation is under way, the one that is being replaced."""
        return self.newest.key if self.newest.complete or self.predecessor is None else self.predecessor.key

    @property
    def founder_id(self) -> str | None:
        """The founding key's id; None where it is purged and no annotation tells it."""
        if self.members[0].generation == 1:
            return self.members[0].key.key_id
        told = (member.key.annotations.get(FOUNDER) for member in reversed(self.members) if member.claimed)
        return next((found for found in told if found), None)

    @property
    def next_generation(self) -> int:
        """The generation that a successor would have: no id is used twice."""
        return max(member.highest for member in self.members) + 1

    @property
    def adopted(self) -> bool:
        """Whether keyadmin was told to rotate it, or did."""
        return any(member.claimed or member.generation > 1 for member in self.members)


def read(keys: Iterable[Key], project: str) -> list[Lineage]:
    """The lineages of a project, from all its keys (deleted ones included). Every key is in exactly one.

    A founder is known by its uid's hash and needs no annotation; a successor by its id.
    """
    members: dict[str, list[Member]] = {}
    for key in keys:
        known = parse_successor(key.key_id)
        lineage, generation = known or (lineage_of(key.uid), 1)
        claimed = key.annotations.get(LINEAGE) == lineage and key.annotations.get(GENERATION) == str(generation)
        members.setdefault(lineage, []).append(Member(key, generation, claimed))
    return [
        Lineage(lineage, project, tuple(sorted(found, key=lambda member: member.generation)))
        for lineage, found in sorted(members.items())
    ]


def claims(lineage: str, generation: int, predecessor: str | None, state: State, founder: str | None = None) -> dict[str, str]:
    """The annotations of a member; `founder` = the founding key's id."""
    out = {LINEAGE: lineage, GENERATION: str(generation), STATE: state.value}
    if predecessor:
        out[PREDECESSOR] = predecessor
    if founder and generation > 1:
        out[FOUNDER] = founder
    return out


def marked(
    annotations: Mapping[str, str],
    state: State,
    *,
    sinks: str | None = None,
    published: datetime | None = None,
    cause: str | None = None,
) -> dict[str, str]:
    """The annotations with another state; what is not given stays, a cause goes. `sinks` = the fingerprint of the sink list."""
    out = dict(annotations) | {STATE: state.value}
    if sinks is not None:
        out[SINKS] = sinks
    if published is not None:
        out[PUBLISHED] = format_time(published)
    if cause is not None:
        out[CAUSE] = cause
    else:
        out.pop(CAUSE, None)
    return out
