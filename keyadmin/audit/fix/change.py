"""What a repair changes: one change of one key, why, and by what evidence. Plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from keyadmin.audit.model import Severity
from keyadmin.keys.present import apis, clients
from keyadmin.model.key import GEMINI, Key, Restrictions
from keyadmin.model.key_codec import restrictions_to_json

FixKind = Literal["restrict-apis", "remove-gemini", "restrict-clients", "delete", "migrate", "rotate"]
KINDS: Final[tuple[FixKind, ...]] = get_args(FixKind)
NARROWING: Final = frozenset({"restrict-apis", "remove-gemini", "restrict-clients"})
ROTATING: Final = frozenset({"migrate", "rotate"})

Slot = tuple[str, bool]
"""A key has two changes at most: it is contained, then, in a later wave, replaced."""

MARK: Final = "keyadmin-fix"
_REPLACING: Final = "/replacing"
"""The annotation that names the run which changed a key. Nobody takes it for an order: it only tells a person who did it."""
YOUNGEST: Final = timedelta(days=7)  # a younger key may not have been used yet for all that it is for
UNUSED_FOR: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The use that a change rests on. `calls` = answered ones by service; `refused` = those turned down with 401 or 403.

    `last` = the end of the last hour with a call that was work; None = none in the window.
    """

    window: timedelta
    calls: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    last: datetime | None = None

    @property
    def total(self) -> int:
        """The number of answered calls."""
        return sum(self.calls.values())

    @property
    def words(self) -> str:
        """In a few words, the busiest service first."""
        if not self.calls:
            return f"no answered call in {self.window.days} d" + (f", {self.refused} refused" if self.refused else "")
        each = sorted(self.calls.items(), key=lambda one: (-one[1], one[0]))
        return f"{', '.join(f'{service}: {count}' for service, count in each)} in {self.window.days} d"


@dataclass(frozen=True, slots=True)
class FixChange:
    """One change of one key, pinned by its full name and etag. `after` = its restrictions then; None = deleted, or replaced.

    `fingerprint` = of all that a change by others could alter but the mark: see `fingerprint()`. `evidence` None = the key was
    named by hand, and its use is unknown. `owner` None = unknown.
    """

    kind: FixKind
    name: str
    project: str
    display_name: str
    etag: str
    fingerprint: str
    before: Restrictions
    after: Restrictions | None
    why: str
    severity: Severity
    evidence: Evidence | None = None
    owner: tuple[str, ...] | None = None
    wave: int = 1

    @property
    def key_id(self) -> str:
        """The last segment of the name."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def slot(self) -> Slot:
        """What tells it from the others of a plan: its key, and whether it replaces that."""
        return self.name, self.kind in ROTATING

    @property
    def number(self) -> str:
        """The number of the key's project."""
        return self.name.split("/")[1]

    @property
    def label(self) -> str:
        """The display name, else the id."""
        return self.display_name or self.key_id

    @property
    def becoming(self) -> str:
        """What becomes of the key, in words."""
        if self.kind == "delete":
            return "deleted (for 30 days it can be brought back)"
        if self.kind == "migrate":
            return "replaced by an auth key"
        if self.kind == "rotate" or self.after is None:
            return "replaced by its next generation"
        return restrictions_in_words(self.after)

    @property
    def writes(self) -> int:
        """How many calls that change keys it takes: a deletion marks the key first."""
        return {"delete": 2, "migrate": 3, "rotate": 3}.get(self.kind, 1)


def replacing(run: str) -> str:
    """The mark on a key that a run contained before, once it begins to replace it: that takes a write of its own, under the
    etag that the first step left, so that nobody else's change is passed over.
    """
    return f"{run}{_REPLACING}"


def bears(key: Key, run: str) -> bool:
    """Whether a run has put its mark on the key, at whichever step."""
    return key.annotations.get(MARK) in (run, replacing(run))


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A key with a finding for which there is no change: why, and what a person types about it."""

    name: str
    project: str
    display_name: str
    severity: Severity
    rules: tuple[str, ...]
    reason: LeftReason
    why: str
    command: str


LeftReason = Literal[
    "use-unknown", "too-young", "not-unused-for-long", "no-sink", "rotation", "no-clients", "still-used", "other"
]


REASONS: Final[Mapping[LeftReason, str]] = {
    "use-unknown": "of unknown use",
    "too-young": "younger than 7 d",
    "not-unused-for-long": "unused, but not for long enough",
    "no-sink": "without a sink in the policy",
    "rotation": "whose rotation is under way",
    "no-clients": "whose clients nobody named",
    "still-used": "used for Gemini and for other APIs",
    "other": "that no change here repairs",
}
"""Why keys are left alone, in words behind their number."""


def restrictions_in_words(restrictions: Restrictions) -> str:
    """`x.googleapis.com; IPs 192.0.2.7`: the APIs, and the clients where these are restricted."""
    said = apis(restrictions)
    return said if restrictions.client_kind is None else f"{said}; {clients(restrictions)}"


def fingerprint(key: Key) -> str:
    """A digest of what others could change of a key, without the mark of a repair.

    By it a key that only a repair has marked is told from one that somebody changed, though both have another etag.
    """
    annotations = {name: value for name, value in sorted(key.annotations.items()) if name != MARK}
    whole = [key.uid, key.display_name, annotations, restrictions_to_json(key.restrictions), key.service_account_email]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]


def without_gemini(restrictions: Restrictions) -> Restrictions:
    """The same without the Gemini API among the targets."""
    return replace(restrictions, targets=tuple(each for each in restrictions.targets if each.service != GEMINI))
