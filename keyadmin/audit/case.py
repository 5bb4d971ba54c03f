"""What is known of one key with findings: what its steps depend on, and nothing else."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from keyadmin.audit.model import AuditFacts, Finding, Replaced, Use
from keyadmin.keys.to_used import YOUNGEST
from keyadmin.model.key import GEMINI, Bearer, Key, bearer_of

OPEN: Final = ("gemini-exposed-key", "unrestricted-key")
ROTATIONS: Final = ("rotation-stuck", "rotation-overdue")
USE_UNREAD: Final = ("use",)


@dataclass(frozen=True)
class KeyCase:
    """One key: what is known of it, and what the rules found (by rule)."""

    facts: AuditFacts
    key: Key
    found: Mapping[str, Finding]
    replaced: Replaced | None = None
    """How far the rotation is that takes it away."""

    @cached_property
    def use(self) -> Use | None:
        """None = no use, or unknown."""
        return (self.facts.used or {}).get(self.key.uid)

    @property
    def called(self) -> frozenset[str]:
        """The services that were called with it, answered or not, as far as that is known."""
        return self.use.services if self.use is not None else frozenset()

    @property
    def use_known(self) -> bool:
        return self.facts.used is not None

    @property
    def not_read(self) -> tuple[str, ...]:
        return () if self.use_known else USE_UNREAD

    @property
    def open(self) -> bool:
        return any(rule in self.found for rule in OPEN)

    @property
    def rotation(self) -> Finding | None:
        return next((self.found[rule] for rule in ROTATIONS if rule in self.found), None)

    @property
    def resumes(self) -> bool:
        return _resumes(self.found)

    @property
    def grown(self) -> bool:
        return is_grown(self.facts, self.key)

    @cached_property
    def surplus(self) -> frozenset[str]:
        """The targets that can go: nothing calls them, or their API is off; empty where none would stay."""
        targets, mixed = self.key.restrictions.services, "mixed-targets" in self.found
        idle = targets - self.called if self.called and (mixed or "unused-target" in self.found) else frozenset[str]()
        if self.use_known and not self.called and mixed:
            idle = frozenset({GEMINI})  # nothing is called: the one that is worth most to others
        off = frozenset(target for target in targets if self.facts.is_on(target) is False)
        return next((gone for gone in (idle | off, off, idle) if gone and gone < targets), frozenset())

    @property
    def dead(self) -> bool:
        """Whether the API of every target is off, and nothing calls it, as its use says once it is old enough to have one."""
        targets = self.key.restrictions.services
        off = bool(targets) and all(self.facts.is_on(target) is False for target in targets)
        return off and self.grown and self.use_known and not self.called

    @property
    def to_used_does(self) -> bool:
        """Whether what can go is what `--to-used` takes: it reads the use itself, so that it is right unread, too."""
        use = self.use
        if not self.grown or use is None or not (use.answered and self.surplus):
            return False
        return use.answered == self.key.restrictions.services - self.surplus

    @property
    def for_gemini(self) -> bool:
        """Whether it is a standard key that something needs for Gemini."""
        if self.key.key_type != "standard" or GEMINI in self.surplus:
            return False
        return self.key.restricted in ("gemini", "mixed") or (self.open and bool(self.facts.gemini) and self.calls_gemini)

    @property
    def calls_gemini(self) -> bool:
        return GEMINI in self.called

    @property
    def borne_by(self) -> Bearer | None:
        """What bears it for everybody to read, as its use says where nothing else does."""
        open_to_all = self.key.key_type == "standard" and self.key.restrictions.client_kind is None
        return self.key.borne_by or (bearer_of(self.called) if open_to_all else None)


def shape_of(facts: AuditFacts, key: Key, found: Mapping[str, Finding]) -> Hashable:
    """All that the steps depend on but names: keys that agree in it get the same ones."""
    use = facts.used.get(key.uid) if facts.used is not None else None
    used = (use.services, use.answered) if use is not None else facts.used is not None
    live = key.delete_time is None
    more = (is_grown(facts, key), _resumes(found), live, facts.blind, key.borne_by, facts.replaced.get(key.name))
    return (tuple(found), key.key_type, key.restrictions, used, facts.states, more)


def is_grown(facts: AuditFacts, key: Key) -> bool:
    """Whether it is old enough for `--to-used`."""
    return key.create_time is not None and facts.now - key.create_time >= YOUNGEST


def _resumes(found: Mapping[str, Finding]) -> bool:
    """Whether its rotation goes on where it is typed again: the rule names no other way."""
    return next((not found[rule].fix for rule in ROTATIONS if rule in found), False)
