"""Rotations: plans, outcomes, events, and files of schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.model.documents.common import ABSENT, CauseName, DryRunJson, FailureJson, Time
from keyadmin.model.documents.keys import HourJson, KeyJson, KeyUseJson
from keyadmin.model.key import Restricted
from keyadmin.model.lineage import State
from keyadmin.model.secret import KeyType

StepStatus = Literal["done", "already", "skipped", "waiting", "failed"]
NextAction = Literal["rest", "create", "publish", "wait", "retire", "undo", "stuck"]


@dataclass(kw_only=True)
class StepJson:
    """One step of a rotation and what became of it."""

    step: str
    status: StepStatus
    detail: str


@dataclass(kw_only=True)
class OutcomeJson:
    """A lineage after what was done. `state` is the annotation's value, `stateText` the same for people."""

    project: str
    lineage: str
    generation: int
    state: State
    stateText: str
    key: str
    displayName: str
    sinks: list[str]
    predecessor: str = ABSENT
    steps: list[StepJson]
    why: str
    unknown: list[str] = ABSENT
    until: Time = ABSENT
    cause: CauseName = ABSENT
    message: str = ABSENT
    status: str = ABSENT
    permission: str = ABSENT
    service: str = ABSENT
    fix: list[str] = ABSENT
    keyString: str = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class LeakOutcomeJson(OutcomeJson):
    """The same of `keys compromised`: with the leaked key's use, and what to look at now."""

    usage: KeyUseJson
    check: list[str]


@dataclass(kw_only=True)
class StepEventJson:
    """A step as it happens: a line of JSON lines. What it is not about is left out."""

    at: Time
    project: str = ABSENT
    lineage: str = ABSENT
    generation: int = ABSENT
    key: str = ABSENT
    step: str
    status: StepStatus
    detail: str
    cause: CauseName = ABSENT
    keyString: str = ABSENT


@dataclass(kw_only=True)
class PlannedJson:
    """A lineage and what is to be done with it."""

    project: str
    lineage: str
    generation: int
    key: str
    displayName: str
    keyType: KeyType
    rule: str
    state: State
    stateText: str
    action: NextAction
    why: str
    sinks: list[str]
    machine: str = ABSENT
    cause: str = ABSENT
    until: Time = ABSENT
    unknown: list[str] = ABSENT
    fix: list[str] = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ProspectJson(PlannedJson):
    """A standard key and what its migration would meet. `owners` null = unknown."""

    restricted: Restricted
    owners: list[str] | None
    ready: bool
    missing: list[str]
    afterwards: str
    lastUsed: HourJson | None = ABSENT
    calls: dict[str, int] = ABSENT
    checks: int = ABSENT
    lastUsedUnknown: FailureJson = ABSENT


@dataclass(kw_only=True)
class DryProspectJson(ProspectJson):
    """What `keys migrate --dry-run` says of the key that it is about."""

    dryRun: Literal[True]
    steps: list[str]


@dataclass(kw_only=True)
class ScheduleFileJson:
    """A file of a schedule."""

    path: str
    content: str


@dataclass(kw_only=True)
class WrittenFilesJson:
    """The files that were written."""

    files: list[str]


Planned = list[PlannedJson]
RunOutcomes = list[OutcomeJson] | list[PlannedJson]
RunLine = StepEventJson | PlannedJson
MigrationOutcomes = list[OutcomeJson] | list[ProspectJson]
MigrationLine = StepEventJson | ProspectJson
Rotated = OutcomeJson | DryProspectJson | DryRunJson
RolledBack = OutcomeJson | DryRunJson
LeakAnswered = LeakOutcomeJson | DryRunJson
Adopted = list[KeyJson] | DryRunJson
AdoptedLine = KeyJson | DryRunJson
ScheduleFiles = list[ScheduleFileJson] | WrittenFilesJson
ScheduleFileLine = ScheduleFileJson | WrittenFilesJson
PolicyWritten = WrittenFilesJson | DryRunJson
RunRow = OutcomeJson | PlannedJson
MigrationRow = OutcomeJson | ProspectJson
