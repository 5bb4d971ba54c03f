"""What an audit looks at and what it finds: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, Literal

from keyadmin.model.key import Key
from keyadmin.model.key_codec import format_time
from keyadmin.model.lineage import Lineage, read
from keyadmin.model.problem import Problem
from keyadmin.rotation.decide import Action, Decision, RotationTerms, decide

RETENTION: Final = timedelta(days=30)  # how long a deleted key can be brought back (facts 3)
UNUSED_AFTER: Final = timedelta(days=30)
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
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Use:
    """The last use of a key, and the APIs that it was used for."""

    last: datetime
    services: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AuditFacts:
    """What is known of one project. `now` = the server's time.

    `gemini` = whether the Generative Language API is on; `used` = the use of its keys in the last six weeks, by uid.
    None = it was not found out, or not asked for.
    """

    project: str
    keys: tuple[Key, ...]
    now: datetime
    max_age: timedelta = MAX_AGE
    gemini: bool | None = None
    used: Mapping[str, Use] | None = None

    @cached_property
    def live(self) -> tuple[Key, ...]:
        """The keys that work: those that are not deleted."""
        return tuple(key for key in self.keys if key.delete_time is None)

    @cached_property
    def rotations(self) -> tuple[tuple[Lineage, Decision], ...]:
        """The lineages that keyadmin was told to rotate, and what is next with each."""
        if not any(key.annotations or key.key_id.startswith("ka-") for key in self.keys):
            return ()
        terms = RotationTerms(max_age=self.max_age)
        lineages = (lineage for lineage in read(self.keys, self.project) if lineage.adopted)
        decided = ((lineage, decide(lineage, terms, self.now)) for lineage in lineages)
        return tuple((lineage, decision) for lineage, decision in decided if decision.action is not Action.GONE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing. `key` is None where it is about the project; `fix` = what to type."""

    rule: str
    severity: Severity
    project: str
    key: Key | None
    message: str
    fix: str

    @property
    def label(self) -> str:
        """The key's display name, else its id; empty where the finding is about the project."""
        return "" if self.key is None else self.key.display_name or self.key.key_id

    def to_json(self) -> dict[str, Any]:
        """The contract's object: `key` = the full name, `keyName` = the display name; null where it is about the project."""
        return {
            "rule": self.rule,
            "severity": self.severity.word,
            "project": self.project,
            "key": None if self.key is None else self.key.name,
            "keyName": None if self.key is None else self.key.display_name,
            "message": self.message,
            "fix": self.fix,
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


@dataclass(frozen=True, repr=False)  # asyncio spells results out: seconds, for a large one
class AuditReport:
    """The outcome of an audit, the worst first. `keys` = those looked at, deleted ones that can be brought back included.

    `where` = what was audited, in words; `notes` = where it came from; `unknown` = what could not be judged and is no error
    of a project; `failed` = how many projects could not be checked at all, `failure` = why the first could not.
    """

    findings: tuple[Finding, ...]
    errors: tuple[Unseen, ...]
    projects: int
    keys: int
    rules: tuple[str, ...]
    source: Source
    where: str
    now: datetime
    max_age: timedelta = MAX_AGE
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    failed: int = 0
    failure: Problem | None = None
    sandbox: bool = False
    version: str = field(default="", compare=False)

    def at_least(self, severity: Severity) -> int:
        """How many findings are this bad or worse."""
        return sum(1 for finding in self.findings if finding.severity >= severity)

    @cached_property
    def by_severity(self) -> dict[str, int]:
        """The number of findings of each severity, the worst first; 0 where there is none."""
        counts = {severity.word: 0 for severity in sorted(Severity, reverse=True)}
        for finding in self.findings:
            counts[finding.severity.word] += 1
        return counts

    @cached_property
    def by_rule(self) -> dict[str, int]:
        """The number of findings of each rule that was applied."""
        counts = dict.fromkeys(self.rules, 0)
        for finding in self.findings:
            counts[finding.rule] += 1
        return counts

    def summary(self) -> dict[str, Any]:
        """The contract's object."""
        return {
            "projects": self.projects,
            "keys": self.keys,
            "findings": len(self.findings),
            "bySeverity": self.by_severity,
            "byRule": self.by_rule,
            "errors": len(self.errors),
        }

    def to_json(self) -> dict[str, Any]:
        """The contract's document, and beside it what the audit went by."""
        return {
            "summary": self.summary(),
            "findings": [finding.to_json() for finding in self.findings],
            "errors": [error.to_json() for error in self.errors],
            "scan": {
                "time": format_time(self.now),
                "scope": self.where,
                "inventory": self.source,
                "maxAge": f"{self.max_age.total_seconds():.0f}s",
                "notes": [*self.notes, *self.unknown],
            },
            **({"sandbox": True} if self.sandbox else {}),
        }

    def words(self) -> str:
        """The summary in one line."""
        found = ", ".join(f"{count} {word}" for word, count in self.by_severity.items() if count)
        line = f"{_count(self.projects, 'project')}, {_count(self.keys, 'key')}, {_count(len(self.findings), 'finding')}"
        line += f" ({found})" if found else ""
        return line + (f", {_count(len(self.errors), 'error')}" if self.errors else "")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
