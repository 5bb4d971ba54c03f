"""The APIs that have to be on in the project which calls are charged to: Google demands it there, whatever the calls are about.

Source: an API must be on in the quota project (python-resource-manager #129, terraform-provider-google #11435).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyadmin.access.permissions import RESOURCE_MANAGER, SERVICE_USAGE
from keyadmin.model.command_line import gcloud, typed
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

_TOLD_AT_ONCE: Final = (Cause.NETWORK_UNREACHABLE, Cause.QUOTA_PROJECT_DENIED, Cause.QUOTA_PROJECT_NOT_SET)


@dataclass(frozen=True)
class Charged:
    """The project that calls are charged to. `off` = the APIs that are needed and off there, those of the first calls first.

    `unknown` = why they could not be read. Where the Service Usage API itself is off, calls that name the project cannot read
    or switch on anything: `outside` = calls that name no quota project can; `closed` = they cannot either, and `off` holds all
    that are needed.
    """

    project: str
    off: tuple[str, ...] = ()
    unknown: Problem | None = None
    closed: bool = False
    outside: bool = False

    @property
    def command(self) -> str:
        """The one command that switches them all on."""
        if self.closed or self.outside:  # gcloud's own calls are not charged to the project
            return gcloud("services enable", *self.off, project=self.project)
        return typed("projects enable", self.project, *self.off)

    def refusal(self, what: str) -> ApisOffWhereCharged:
        """The Problem that names them all. `what` = what needs them: `keys create`."""
        several = "these APIs, which it calls, are off" if len(self.off) > 1 else "an API that it calls is off"
        if self.closed:
            several = "the Service Usage API is off, so nothing can be read or switched on there"
        return ApisOffWhereCharged(
            Cause.API_NOT_ENABLED,
            f"{what}: calls are charged to project {self.project}, where {several}: {', '.join(self.off)}",
            status="PERMISSION_DENIED",
            service=self.off[0],
            project=self.project,
            fix=(self.command, "or charge another project, where they are on: --quota-project PROJECT"),
            closed=self.closed,
        )


@dataclass(eq=False)
class ApisOffWhereCharged(Problem):
    """Nothing was changed yet: the APIs may be switched on in the project charged, if that is wanted, and all begun anew."""

    closed: bool = False


def charged_to(cloud: Cloud) -> str | None:
    """The project (id or number) that calls are charged to; None where that is nobody's of the caller (gcloud's own)."""
    caller = cloud.caller
    return caller.quota_project or caller.own_project


async def look(cloud: Cloud, apis: Collection[str]) -> Charged | None:
    """Which of these are off in the project charged: one call. None where no project of the caller's is charged.

    Raises Problem where that says something of the credentials or the network.
    """
    project = charged_to(cloud)
    if project is None:
        return None
    wanted = sorted(set(apis), key=lambda api: (api not in (RESOURCE_MANAGER, SERVICE_USAGE), api))
    try:
        states = await cloud.services.states(project, wanted)
    except Problem as problem:
        if problem.cause is Cause.API_NOT_ENABLED and problem.service == SERVICE_USAGE:
            return await _from_outside(cloud, project, wanted)
        if problem.exit is Exit.CREDENTIALS or problem.cause in _TOLD_AT_ONCE:
            raise
        return Charged(project, unknown=problem)
    # The Service Usage API has just answered on that project's account.
    return Charged(project, tuple(api for api in wanted if states.get(api) != "ENABLED" and api != SERVICE_USAGE))


async def _from_outside(cloud: Cloud, project: str, wanted: list[str]) -> Charged:
    """The Service Usage API is off there: ask without naming the project. A person's own login is mostly refused then."""
    closed = Charged(project, tuple(wanted), closed=True)
    if cloud.caller.quota_project is None:
        return closed  # nothing was named: it would be the same call again
    try:
        states = await cloud.services.states(project, wanted, uncharged=True)
    except Problem:
        return closed
    return Charged(project, tuple(api for api in wanted if states.get(api) != "ENABLED"), outside=True)
