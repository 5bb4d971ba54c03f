"""Organisation policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.model.documents.common import ABSENT, Time


@dataclass(kw_only=True)
class GuardStepJson:
    """One write. `status` is there once it was to be done."""

    action: str
    kind: Literal["constraint", "policy"]
    constraint: str
    node: str
    words: str
    status: Literal["done", "not-done"] = ABSENT


@dataclass(kw_only=True)
class RefusedKeyJson:
    """A key of the inventory that constraints would refuse as it is."""

    key: str
    keyName: str
    project: str
    by: list[str]


@dataclass(kw_only=True)
class UnknownKeyJson:
    """A key of which it is not known."""

    key: str
    by: list[str]


@dataclass(kw_only=True)
class UnreadProjectJson:
    """A project that was not read."""

    project: str
    message: str


@dataclass(kw_only=True)
class OwnWorkJson:
    """What of keyadmin's own work the constraints would refuse."""

    notes: int
    successors: int
    migrations: int
    splits: int
    mixedKeys: int


@dataclass(kw_only=True)
class PreviewedConstraintJson:
    """A constraint's rehearsal beside Google's own preview."""

    constraint: str
    same: int
    hereAlone: list[str]
    googleAlone: list[str]
    scanned: int


@dataclass(kw_only=True)
class PreviewJson:
    """Google's own preview. `unknown` = why it is not known."""

    constraints: list[PreviewedConstraintJson]
    unknown: str | None


@dataclass(kw_only=True)
class RehearsalJson:
    """What the constraints would refuse of the keys that are there."""

    keys: int
    refused: list[RefusedKeyJson]
    unknown: list[UnknownKeyJson]
    errors: list[UnreadProjectJson]
    ownWork: OwnWorkJson
    notes: list[str]
    preview: PreviewJson = ABSENT


@dataclass(kw_only=True)
class GuardPlanJson:
    """What is to be written, what stands there, and after a run what came of it. `seen` = it was seen to be enforced."""

    dryRun: Literal[True] = ABSENT
    scope: str
    organization: str
    mode: Literal["enforced", "dry-run"] = ABSENT
    steps: list[GuardStepJson]
    standing: list[str]
    leftAlone: list[str]
    notes: list[str]
    seen: bool | None = ABSENT
    rehearsal: RehearsalJson = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class StandingPolicyJson:
    """A policy that stands somewhere. `keyadmins` = exactly as keyadmin writes it."""

    node: str
    constraint: str
    mode: str
    inherited: bool
    exceptions: list[str]
    keyadmins: bool


@dataclass(kw_only=True)
class RefusalJson:
    """A line of a policy log."""

    at: Time
    constraint: str
    method: str
    resource: str
    principal: str | None
    dryRun: bool


@dataclass(kw_only=True)
class GuardStatusJson:
    """Which constraint stands where. `constraints` null = not known; `keyBindingEnforced` too."""

    scope: str
    organization: str
    constraints: list[str] | None
    policies: list[StandingPolicyJson]
    keyBindingEnforced: bool | None
    refusals: list[RefusalJson]
    unknown: list[str]
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class GuardFileJson:
    """What `guard plan --as` prints."""

    form: Literal["gcloud", "terraform"]
    content: str


GuardPlan = GuardPlanJson | GuardFileJson
GuardDone = GuardPlanJson
GuardStatus = GuardStatusJson
