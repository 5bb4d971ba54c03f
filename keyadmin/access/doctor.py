"""doctor: what a project still lacks for a feature, and the smallest grant that mends it.

What cannot be found out is `unknown` with the reason. A check that cannot be read blocks only where it is about the feature's
own permissions: nobody needs more rights for being diagnosed than for doing the thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from keyadmin.access.checks import Check, all_checks, checks_of_member, granted
from keyadmin.access.member import MemberAccess, access_of
from keyadmin.access.permissions import Feature
from keyadmin.access.probe import Asker, ProbeResult, asker, probe
from keyadmin.access.remedy import Remedy, member_of, remedy
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause, Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.handover.sink import Sink


@dataclass(frozen=True)
class Diagnosis:
    """The answer for one project. `principal` is None where it cannot be found out.

    `unread` = of a diagnosis of somebody else, what was not looked at and may change the answer.
    """

    project: str
    feature: Feature
    principal: str | None
    checks: tuple[Check, ...]
    remedy: Remedy
    unread: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether every required check is ok."""
        return all(check.status == "ok" for check in self.checks if check.required)

    @property
    def missing(self) -> tuple[str, ...]:
        """The permissions that the feature needs and the caller does not hold."""
        return missing_of(self.checks)

    def to_json(self) -> dict[str, Any]:
        """The contract's object."""
        return {
            "project": self.project,
            "feature": self.feature.name,
            "ready": self.ready,
            "principal": self.principal,
            "checks": [check.to_json() for check in self.checks],
            "missingPermissions": list(self.missing),
            "remedy": self.remedy.to_json(),
            **({"unknown": list(self.unread)} if self.unread else {}),
        }


def missing_of(checks: Sequence[Check]) -> tuple[str, ...]:
    """The permissions of the required checks that are missing."""
    return tuple(check.permission for check in checks if check.permission and check.required and check.status == "missing")


def conclude(seen: ProbeResult, by: Asker, feature: Feature) -> Diagnosis:
    """From what was seen to the answer. Pure."""
    checks = all_checks(seen, by, feature)
    member = member_of(by.caller.principal)
    no_access = granted(seen.held) == "none"
    mend = remedy(feature, seen.name, member, missing_of(checks), no_access=no_access)
    return Diagnosis(seen.name, feature, by.caller.principal, checks, mend)


def conclude_for(seen: ProbeResult, by: Asker, feature: Feature, member: str, access: MemberAccess | Problem) -> Diagnosis:
    """The same for somebody else, by what the policies say of them. Pure."""
    checks = checks_of_member(seen, by, feature, member, access)
    mend = remedy(feature, seen.name, member, missing_of(checks))
    unread = () if isinstance(access, Problem) else (*access.notes, *_said(access))
    return Diagnosis(seen.name, feature, member.partition(":")[2], checks, mend, unread)


def _said(access: MemberAccess) -> list[str]:
    return [f"{name}: {why}" for name, why in access.unknown.items()]


async def diagnose_member(
    cloud: Cloud, projects: Sequence[str], feature: Feature, member: str, observer: Observer = SILENT
) -> list[Diagnosis]:
    """Every project for somebody else, as far as the caller may read. What cannot be read is unknown, never missing."""
    from keyadmin.cloud.pace import gather_limited

    observer.total(len(projects), "Checking projects")
    names = feature.looked_for

    async def one(project: str) -> tuple[ProbeResult, MemberAccess | Problem]:
        try:
            return await asyncio.gather(
                probe(cloud, project, feature), or_problem(access_of(cloud, project, member, names), credentials=False)
            )
        finally:
            observer.advance()

    by, found = await asyncio.gather(asker(cloud, feature), gather_limited(projects, one))
    return [conclude_for(seen, by, feature, member, access) for seen, access in found]


async def with_sinks(found: Sequence[Diagnosis], sinks: Sequence[Sink]) -> list[Diagnosis]:
    """The same answers, and whether each sink would take a key: looked at once, and nothing is written."""
    checks = await asyncio.gather(*(_sink_check(sink) for sink in sinks))
    return [replace(one, checks=(*one.checks, *checks)) for one in found]


async def _sink_check(sink: Sink) -> Check:
    name = f"sink:{sink.spec}"
    try:
        await sink.preflight()
    except Problem as problem:
        unknown = problem.cause in (Cause.NETWORK_UNREACHABLE, Cause.SERVICE_UNAVAILABLE, Cause.RATE_LIMITED)
        fix = problem.fix[0] if problem.fix else None
        return Check(name, "unknown" if unknown else "failed", True, problem.message, fix=fix)
    return Check(name, "ok", True, f"it can take a key, as far as that shows beforehand; read back: {sink.reads_back}")


async def diagnose(cloud: Cloud, projects: Sequence[str], feature: Feature, observer: Observer = SILENT) -> list[Diagnosis]:
    """Every project, side by side, in the order given. A project that cannot be looked at is a finding, not an end."""
    from keyadmin.cloud.pace import gather_limited

    observer.total(len(projects), "Checking projects")

    async def one(project: str) -> ProbeResult:
        try:
            return await probe(cloud, project, feature)
        finally:
            observer.advance()

    by, found = await asyncio.gather(asker(cloud, feature), gather_limited(projects, one))
    return [conclude(seen, by, feature) for seen in found]
