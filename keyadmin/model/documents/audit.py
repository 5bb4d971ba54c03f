"""Audits: reports, what was accepted, comparisons, history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.model.documents.common import ABSENT, DryRunJson, SeverityWord, Time, UnseenProjectJson


@dataclass(kw_only=True)
class AcceptedJson:
    """Why a finding is accepted, who answers for it, and the last day."""

    reason: str = ABSENT
    owner: str = ABSENT
    until: str = ABSENT


@dataclass(kw_only=True)
class OwnerJson:
    """Whose a key or a project is, as far as it was asked for."""

    who: list[str]
    source: Literal["label", "log", "policy", "unknown"]
    reason: str


@dataclass(kw_only=True)
class FindingJson:
    """What a rule found. `key` and `keyName` are null where it is about the project."""

    rule: str
    severity: SeverityWord
    project: str
    key: str | None
    keyName: str | None
    message: str
    fix: str
    notRead: list[str] = ABSENT
    accepted: AcceptedJson = ABSENT
    new: bool = ABSENT
    owner: OwnerJson = ABSENT


@dataclass(kw_only=True)
class SummaryJson:
    """The counts of a report. Accepted findings are in `accepted` alone; `new` is there with a baseline."""

    projects: int
    keys: int
    findings: int
    bySeverity: dict[str, int]
    byRule: dict[str, int]
    errors: int
    accepted: int
    new: int = ABSENT


@dataclass(kw_only=True)
class KnownKeysJson:
    """Where the keys were read, and as of when; null = the inventory does not say it."""

    source: Literal["api", "asset"]
    asOf: Time | None
    lag: str | None


@dataclass(kw_only=True)
class KnownUseJson:
    """How much of the use was read, and until when."""

    read: Literal["all", "some", "none"]
    until: Time | None
    window: str


@dataclass(kw_only=True)
class KnownJson:
    """As of when an audit knows what it says."""

    keys: KnownKeysJson
    use: KnownUseJson
    notLookedAt: list[str]


@dataclass(kw_only=True)
class ScanJson:
    """What an audit went by."""

    time: Time
    scope: str
    inventory: Literal["api", "asset"]
    known: KnownJson
    maxAge: str
    notes: list[str]


@dataclass(kw_only=True)
class GroupJson:
    """The findings of a project, a rule or an owner, counted."""

    name: str
    keys: int
    findings: int
    bySeverity: dict[str, int]


@dataclass(kw_only=True)
class ReportJson:
    """A report. It is read back as a baseline, by `audit diff`, and by `audit history`."""

    schemaVersion: Literal[1]
    summary: SummaryJson
    findings: list[FindingJson]
    errors: list[UnseenProjectJson]
    scan: ScanJson
    sandbox: Literal[True] = ABSENT
    groups: list[GroupJson] = ABSENT


@dataclass(kw_only=True)
class AcceptanceJson(AcceptedJson):
    """An entry of the policy file."""

    rule: str
    key: str | None
    project: str | None


@dataclass(kw_only=True)
class AcceptancesJson:
    """The entries that were written."""

    file: str
    accepted: list[AcceptanceJson]
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ReportHeadJson:
    """A report that was written. `summary` is that report's own."""

    file: str
    time: Time | None
    scope: str
    summary: SummaryJson
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ComparedFindingJson:
    """A finding of a comparison. `change` = what is different."""

    rule: str
    severity: SeverityWord
    project: str
    key: str | None
    keyName: str | None
    message: str
    fix: str
    accepted: AcceptedJson = ABSENT
    change: str = ABSENT


@dataclass(kw_only=True)
class FindingChangeJson(ComparedFindingJson):
    """The same with its kind."""

    kind: Literal["new", "worse", "changed", "gone", "unknown"]


@dataclass(kw_only=True)
class ChangeCountsJson:
    """How many findings are of each kind."""

    new: int
    worse: int
    changed: int
    gone: int
    unknown: int


@dataclass(kw_only=True)
class ChangesJson:
    """The findings by kind. `unknown` = what the later audit did not check."""

    new: list[ComparedFindingJson]
    worse: list[ComparedFindingJson]
    changed: list[ComparedFindingJson]
    gone: list[ComparedFindingJson]
    unknown: list[ComparedFindingJson]


@dataclass(kw_only=True)
class ComparisonJson:
    """Two reports compared."""

    schemaVersion: Literal[1]
    old: ReportHeadJson
    new: ReportHeadJson
    summary: ChangeCountsJson
    changes: ChangesJson
    sandbox: Literal[True] = ABSENT


Report = ReportJson
ReportLine = FindingJson
Accepted = AcceptancesJson | DryRunJson
Comparison = ComparisonJson
ComparisonLine = FindingChangeJson
History = list[ReportHeadJson]
