"""Diagnoses, explanations, leaks, variables, settings, the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.model.documents.common import ABSENT, CauseName, DryRunJson, Time
from keyadmin.model.key import Restricted


@dataclass(kw_only=True)
class CheckJson:
    """One check of a diagnosis."""

    id: str
    status: Literal["ok", "missing", "failed", "unknown"]
    required: bool
    permission: str = ABSENT
    detail: str
    fix: str = ABSENT


@dataclass(kw_only=True)
class CustomRoleJson:
    """A role of exactly what is missing."""

    title: str
    includedPermissions: list[str]


@dataclass(kw_only=True)
class RemedyJson:
    """The smallest grant that mends it."""

    roles: list[str]
    customRole: CustomRoleJson
    commands: list[str]
    message: str
    lastResort: list[str] = ABSENT
    uncovered: list[str] = ABSENT


@dataclass(kw_only=True)
class DiagnosisJson:
    """What a project still lacks for a feature."""

    project: str
    feature: str
    ready: bool
    principal: str | None
    checks: list[CheckJson]
    missingPermissions: list[str]
    remedy: RemedyJson
    unknown: list[str] = ABSENT


@dataclass(kw_only=True)
class CredentialsJson:
    """Where the credentials come from; of broken ones why."""

    kind: str = ABSENT
    source: str = ABSENT
    variable: str = ABSENT
    file: str = ABSENT
    subjectTokenFrom: str = ABSENT
    audience: str = ABSENT
    impersonates: str = ABSENT
    privateKeyId: str = ABSENT
    problem: str = ABSENT
    cause: CauseName = ABSENT


@dataclass(kw_only=True)
class HostJson:
    """Whether a host can be reached."""

    host: str
    reached: bool
    ms: int = ABSENT
    reason: str = ABSENT


@dataclass(kw_only=True)
class ChargedJson:
    """The project that calls of an API are charged to; null = not known."""

    api: str
    project: str | None


@dataclass(kw_only=True)
class PlaceJson:
    """A proxy or certificates, and what chose them."""

    url: str = ABSENT
    file: str = ABSENT
    from_: str = ABSENT
    error: str = ABSENT


@dataclass(kw_only=True)
class ConnectionJson:
    """What is in force between this machine and Google."""

    credentials: CredentialsJson
    account: str | None
    quotaProject: str | None
    scopes: list[str] | None
    universe: str
    proxy: PlaceJson | None
    ca: PlaceJson
    clockSkewSeconds: float | None
    hosts: list[HostJson]
    charged: list[ChargedJson]
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class LookedAtJson:
    """What `explain --verify` saw: `project` was looked at; `steps` of `fix`, from 1, are done where the check is ok."""

    check: str
    status: Literal["ok", "failed", "unknown"]
    detail: str = ABSENT
    project: str = ABSENT
    steps: list[int] = ABSENT


@dataclass(kw_only=True)
class ExplanationJson:
    """What an error means, and whose turn it is to do something about it. Of an unknown one, what was read of it."""

    cause: CauseName
    title: str
    explanation: str
    permission: str = ABSENT
    service: str = ABSENT
    project: str = ABSENT
    vendor: str = ABSENT
    status: str = ABSENT
    reason: str = ABSENT
    help: str = ABSENT
    fix: list[str]
    turn: Literal["person", "admin", "billing", "google"] = ABSENT
    source: str
    count: int
    others: int = ABSENT
    verified: list[LookedAtJson] = ABSENT


@dataclass(kw_only=True)
class LeakPlaceJson:
    """Where a key string stands."""

    path: str
    line: int
    commit: str = ABSENT
    gitignored: Literal[True] = ABSENT


@dataclass(kw_only=True)
class LeakJson:
    """A key string that was found, masked, and whether it still works."""

    maskedKey: str
    fingerprint: str
    life: Literal["alive", "dead", "unknown"]
    reason: str
    project: str = ABSENT
    places: list[LeakPlaceJson]
    fix: list[str]
    name: str = ABSENT
    displayName: str = ABSENT
    restricted: Restricted = ABSENT
    revoked: Literal[True] = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class VariableJson:
    """A variable that is set somewhere; `maskedKey` null = worked out by the shell."""

    variable: str
    source: str
    maskedKey: str | None
    used: bool
    line: int = ABSENT
    warnings: list[str]


@dataclass(kw_only=True)
class VariableSetJson:
    """A variable that was set or taken out."""

    variable: str
    set: bool
    place: str


@dataclass(kw_only=True)
class BackupJson:
    """A file as it was before a change."""

    path: str
    number: int
    time: Time
    bytes: int
    backup: str


@dataclass(kw_only=True)
class RestoredJson:
    """A file that was put back; `restored` false = it held that already."""

    path: str
    restored: bool


@dataclass(kw_only=True)
class SettingJson:
    """A setting and what set it; null = nothing."""

    name: str
    value: str | None
    source: str | None


@dataclass(kw_only=True)
class SnippetJson:
    """A program that calls the Gemini API."""

    language: str
    api: str
    model: str
    explicit: bool
    code: str


@dataclass(kw_only=True)
class TokenJson:
    """An ephemeral token: `name` is the token itself."""

    name: str
    uses: int
    expireTime: Time
    newSessionExpireTime: Time
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class SandboxTimeJson:
    """The sandbox's time after a change of all of it."""

    now: Time
    sandbox: Literal[True]


@dataclass(kw_only=True)
class ReadyJson:
    """Where a served sandbox is."""

    rest: str
    grpc: str
    pid: int


@dataclass(kw_only=True)
class CompletionJson:
    """The script that completes commands in a shell, or the file that it was installed in."""

    shell: str
    script: str = ABSENT
    file: str = ABSENT


Diagnoses = list[DiagnosisJson] | ConnectionJson
DiagnosisLine = DiagnosisJson | ConnectionJson
Explained = ExplanationJson | list[ExplanationJson]
ExplanationLine = ExplanationJson
Leaks = list[LeakJson]
Variables = list[VariableJson]
VariableChanged = VariableSetJson | DryRunJson
Restored = RestoredJson | list[BackupJson] | DryRunJson
RestoredLine = RestoredJson | BackupJson | DryRunJson
Setting = SettingJson
SettingChanged = SettingJson | DryRunJson
Settings = list[SettingJson]
Snippet = SnippetJson
MadeToken = TokenJson | DryRunJson
SandboxTime = SandboxTimeJson | DryRunJson
Ready = ReadyJson
SandboxVariables = dict[str, str]
CompletionScript = CompletionJson | DryRunJson
