"""Repairs: plans, reports, undos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.model.documents.common import ABSENT, CauseName, SeverityWord, Time
from keyadmin.model.documents.keys import RestrictionsJson
from keyadmin.model.documents.rotation import StepEventJson

ChangeWord = Literal["restrict-apis", "remove-gemini", "restrict-clients", "delete", "migrate", "rotate"]


@dataclass(kw_only=True)
class EvidenceJson:
    """The use that a change rests on: answered calls by service, refused ones, the last."""

    window: str
    calls: dict[str, int]
    refused: int
    last: Time | None


@dataclass(kw_only=True)
class FixChangeJson:
    """One change of one key. `after` null = deleted, or replaced; `evidence` null = named by hand; `owner` null = unknown."""

    kind: ChangeWord
    key: str
    project: str
    displayName: str
    wave: int
    severity: SeverityWord
    etag: str
    fingerprint: str
    before: RestrictionsJson
    after: RestrictionsJson | None
    why: str
    evidence: EvidenceJson | None
    owner: list[str] | None


@dataclass(kw_only=True)
class LeftKeyJson:
    """A key that no change repairs, and what to type."""

    key: str
    project: str
    displayName: str
    severity: SeverityWord
    rules: list[str]
    reason: str
    why: str


@dataclass(kw_only=True)
class LeftInPlanJson(LeftKeyJson):
    """The same, as a plan has it."""

    command: str


@dataclass(kw_only=True)
class LeftInReportJson(LeftKeyJson):
    """The same, as a report has it."""

    fix: str


@dataclass(kw_only=True)
class FixScopeJson:
    """The projects that a plan is about."""

    projects: list[str] = ABSENT
    parent: str = ABSENT
    organizations: list[str]


@dataclass(kw_only=True)
class FixWaveJson:
    """What is changed at once, and the pause after it."""

    wave: int
    changes: int
    pause: str


@dataclass(kw_only=True)
class FixPlanJson:
    """A plan of repairs. It is read back by `audit fix --apply`: fix-plan.schema.json says what may stand in it."""

    schemaVersion: Literal[1]
    document: Literal["keyadmin-fix-plan"]
    run: str
    created: Time
    sandbox: bool
    scope: FixScopeJson
    waves: list[FixWaveJson]
    changes: list[FixChangeJson]
    left: list[LeftInPlanJson]
    digest: str


@dataclass(kw_only=True)
class FixRowJson:
    """A change and what became of it."""

    key: str
    project: str
    displayName: str
    change: ChangeWord
    wave: int
    severity: SeverityWord
    status: str
    before: RestrictionsJson
    after: RestrictionsJson | None
    becoming: str
    why: str
    evidence: str | None
    detail: str
    cause: CauseName | None
    at: Time | None


@dataclass(kw_only=True)
class FixSummaryJson:
    """The counts of a run."""

    changes: int
    byStatus: dict[str, int]
    left: int


@dataclass(kw_only=True)
class FixReportJson:
    """What became of a plan."""

    schemaVersion: Literal[1]
    run: str
    planned: Time
    scope: str
    summary: FixSummaryJson
    waves: list[str]
    changes: list[FixRowJson]
    left: list[LeftInReportJson]
    undo: str
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class UndoneJson:
    """A key and whether it was put back."""

    key: str
    project: str
    displayName: str
    change: ChangeWord
    status: str
    detail: str
    cause: CauseName | None


@dataclass(kw_only=True)
class UndoTargetJson:
    """A key that would be put back. `opens` = whoever has it could then use it for more than now."""

    key: str
    project: str
    change: ChangeWord
    opens: bool


Fixed = FixReportJson | FixPlanJson
FixLine = StepEventJson | FixChangeJson
FixRow = FixRowJson | FixChangeJson
Undone = list[UndoneJson] | list[UndoTargetJson]
UndoneLine = StepEventJson | UndoTargetJson
UndoneRow = UndoneJson | UndoTargetJson
