"""Projects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.model.documents.common import ABSENT, DryRunJson, Time
from keyadmin.model.documents.keys import KeyJson, ShownKeyJson


@dataclass(kw_only=True)
class ProjectJson:
    """The REST v3 Project, and its number by itself."""

    name: str
    projectId: str
    projectNumber: str
    displayName: str
    state: str
    parent: str = ABSENT
    createTime: Time = ABSENT
    updateTime: Time = ABSENT
    deleteTime: Time = ABSENT
    labels: dict[str, str] = ABSENT
    etag: str = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ListedProjectJson(ProjectJson):
    """A project of a list; with --apis and --keys what was found out of each."""

    geminiApi: str = ABSENT
    keyCount: int | Literal["unknown"] = ABSENT


@dataclass(kw_only=True)
class CreatedProjectJson(ProjectJson):
    """A project that was made, and the key in it where one was asked for."""

    key: ShownKeyJson = ABSENT


@dataclass(kw_only=True)
class AncestorJson:
    """A folder or an organisation above a project."""

    name: str
    displayName: str


@dataclass(kw_only=True)
class GrantSeenJson:
    """A role that lets somebody make keys, and where it is granted."""

    role: str
    on: str
    conditional: bool


@dataclass(kw_only=True)
class KeyMakerJson:
    """Somebody who may make keys. `sure` false = depends on a condition."""

    member: str
    sure: bool
    grants: list[GrantSeenJson]


@dataclass(kw_only=True)
class DescribedProjectJson(ProjectJson):
    """A project and what was found out of it; `unknown` stands for what was not."""

    hierarchy: list[AncestorJson]
    mayCreateKeys: bool | Literal["unknown"]
    missingPermissions: list[str] | Literal["unknown"]
    keyMakers: list[KeyMakerJson] | Literal["unknown"]
    grantsNotSeen: list[str]
    apis: list[str] | Literal["unknown"]
    keys: list[KeyJson] | Literal["unknown"]


@dataclass(kw_only=True)
class ForgottenJson:
    """A project that is no longer on the list of imported ones."""

    projectId: str
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ApiStateJson:
    """An API of a project after a switch."""

    project: str
    service: str
    state: Literal["ENABLED", "DISABLED"]
    changed: bool
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ExportedJson:
    """The list of imported projects, and the file that it was written to; - = stdout. It is read back by `projects import`."""

    schemaVersion: Literal[1]
    file: str
    projects: list[str]
    sandbox: Literal[True] = ABSENT


ProjectList = list[ListedProjectJson] | ExportedJson
ProjectListLine = ListedProjectJson | ExportedJson
FoundProjects = list[ListedProjectJson]
DescribedProject = DescribedProjectJson
ImportedProjects = list[ProjectJson]
ForgottenProjects = list[ForgottenJson] | DryRunJson
ForgottenProjectLine = ForgottenJson | DryRunJson
ChangedProject = ProjectJson | DryRunJson
MadeProjects = CreatedProjectJson | list[CreatedProjectJson] | DryRunJson
MadeProjectLine = CreatedProjectJson | DryRunJson
ApiStates = list[ApiStateJson] | DryRunJson
ApiStateLine = ApiStateJson | DryRunJson
