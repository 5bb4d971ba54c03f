"""What custom constraints say of a key before it is made or changed, and a refusal by one in its own words.

Where the organisation's constraints may be read they are evaluated with a CEL library; which of them is enforced in the project
is asked only of those that would refuse. Where they may not be read that is said: the service refuses in any case.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakKeyDictionary

from keyadmin.access.cel import KeyCondition
from keyadmin.model.command_line import gcloud, typed
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.org_policy import KEY_TYPE, UPDATE, CustomConstraint
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

T = TypeVar("T")
LIST: Final = "orgpolicy.customConstraints.list"
_PREFIX: Final = "custom.keyadmin"
# "customConstraints/custom.X": "description", as both forms of the refusal list them (facts 2: aiplatform, gkemulticloud).
_LISTED: Final = re.compile(r'"customConstraints/(custom\.[A-Za-z0-9]+)"\s*:\s*"((?:[^"\\]|\\.)*)"')


@dataclass
class _Known:
    """What one connection has read already."""

    organizations: dict[str, str | Problem | None] = field(default_factory=dict)  # by project; None = it has none
    constraints: dict[str, list[tuple[CustomConstraint, KeyCondition]] | Problem] = field(default_factory=dict)
    enforced: dict[tuple[str, str], bool | Problem | None] = field(default_factory=dict)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)  # many projects of one organisation ask at the same time


_known: WeakKeyDictionary[Cloud, _Known] = WeakKeyDictionary()


@dataclass(frozen=True)
class Foreseen:
    """`refusing` = constraints that certainly refuse it; `unknown` = why it is not known whether others do, else empty."""

    refusing: tuple[CustomConstraint, ...] = ()
    unknown: str = ""


def all_in(cloud: Cloud, organization: str, projects: Iterable[str]) -> None:
    """Take it from the caller, who has looked, that these projects lie in an organisation: a call less for each."""
    known = _known.setdefault(cloud, _Known())
    known.organizations |= dict.fromkeys(projects, organization)


async def foresee(cloud: Cloud, key: Key, method: str) -> Foreseen:
    """What the constraints say of a key as it is to be (`key.project` = where), made (CREATE) or changed (UPDATE).

    Raises Problem for missing credentials alone.
    """
    known = _known.setdefault(cloud, _Known())
    try:
        organization = await _organization(cloud, key.project, known)
        async with known.reading:
            rules = await _constraints(cloud, organization, known) if organization is not None else []
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return Foreseen(unknown=f"whether a constraint of the organisation refuses it is not known: {problem.message}")
    refusing, unknown = [], []
    for constraint, condition in rules:
        if not constraint.governs(method):
            continue
        holds = condition.holds(key)
        if holds is not None and holds != constraint.denies:
            continue
        enforced = await _enforced(cloud, key.project, constraint.name, known)
        if enforced is True and holds is not None:
            refusing.append(constraint)
        elif enforced is not False:
            why = f": {enforced.message}" if isinstance(enforced, Problem) else ""
            unknown.append(f"whether {constraint.name} refuses it is not known{why}")
    return Foreseen(tuple(refusing), "; ".join(unknown))


async def _organization(cloud: Cloud, project: str, known: _Known) -> str | None:
    if project not in known.organizations:
        try:
            above = await cloud.projects.ancestry(project)
            known.organizations[project] = next((name for name in above if name.startswith("organizations/")), None)
        except Problem as problem:
            known.organizations[project] = problem
    return _or_raise(known.organizations[project])


async def _constraints(cloud: Cloud, organization: str, known: _Known) -> list[tuple[CustomConstraint, KeyCondition]]:
    if organization not in known.constraints:
        try:
            if LIST not in await cloud.projects.permissions_on(organization, [LIST]):  # asked first: no call is denied for it
                raise Problem(Cause.MISSING_IAM_PERMISSION, f"{LIST} is missing on {organization}", permission=LIST)
            found = await cloud.org_policy.constraints(organization)
            about = [each for each in found if KEY_TYPE in each.types]
            known.constraints[organization] = [(each, KeyCondition(each.condition)) for each in about]
        except Problem as problem:
            known.constraints[organization] = problem
    return _or_raise(known.constraints[organization])


async def _enforced(cloud: Cloud, project: str, constraint: str, known: _Known) -> bool | Problem | None:
    """None where conditions decide it case by case; a Problem where it may not be read."""
    if (project, constraint) not in known.enforced:
        try:
            known.enforced[project, constraint] = await cloud.org_policy.enforced(f"projects/{project}", constraint)
        except Problem as problem:
            known.enforced[project, constraint] = problem
    return known.enforced[project, constraint]


def _or_raise(found: T | Problem) -> T:
    if isinstance(found, Problem):
        raise found
    return found


async def require(cloud: Cloud, key: Key, method: str, what: str) -> str:
    """Why it is not known whether the constraints let it through; empty where they do. Raises the refusal where they do not."""
    found = await foresee(cloud, key, method)
    if found.refusing:
        named = {each.name: each.description for each in found.refusing}
        raise refusal(key.project, what, named, None if method != UPDATE else key.key_id)
    return found.unknown


def refusal(project: str | None, what: str, named: Mapping[str, str], key_id: str | None = None) -> Problem:
    """The Problem of constraints that refuse something, with what they say themselves: the same beforehand and afterwards."""
    said = "; ".join(f"{text or 'it says nothing more'} ({name})" for name, text in named.items())
    cures = [cure for name in named if (cure := _cure(name, key_id, project))]
    first = next(iter(named))
    see = gcloud("org-policies describe", first, project=project, effective=True)
    return Problem(
        Cause.ORG_POLICY_CONSTRAINT,
        f"an organisation policy forbids to {what}: {said}",
        status="FAILED_PRECONDITION",
        project=project,
        constraint=first,
        fix=(
            *dict.fromkeys(cures),
            f"see what stands here: {typed('guard status', project=project)}, or {see}",
            "or an organisation policy admin excepts the project by a tag; a change of policy takes up to 15 minutes",
        ),
    )


def _cure(name: str, key_id: str | None, project: str | None) -> str:
    """What to type so that a constraint of keyadmin's lets it through."""
    if not name.startswith(_PREFIX) or key_id is None:
        return ""
    rule = name.removeprefix(_PREFIX)
    if rule == "KeyHasTargets":
        return f"cure the key first: {typed('keys restrict', key_id, project=project, api_target='SERVICE')}"
    fresh = f"make an auth key for Gemini alone: {typed('keys create', name='NAME', project=project)}"
    if rule == "GeminiAlone":
        left = typed("keys restrict", key_id, project=project, remove_api_target=GEMINI)
        return f"{fresh}; then take Gemini from this one: {left}"
    if rule == "GeminiAuthOnly":
        return f"{fresh}; once nothing uses this one any more: {typed('keys delete', key_id, project=project)}"
    if rule == "NoOpenClients":
        sites = typed("keys restrict", key_id, project=project, allowed_referrers="SITE")
        return f"cure the key first: {sites}, or {typed('keys restrict', key_id, project=project, allowed_ips='ADDRESS')}"
    return ""


def told(problem: Problem, project: str | None, what: str, key_id: str | None = None) -> Problem:
    """The same Problem, or where custom constraints refused it theirs, with their own descriptions."""
    if problem.cause is not Cause.ORG_POLICY_CONSTRAINT:
        return problem
    named = {name: text.replace('\\"', '"').replace("\\\\", "\\") for name, text in _LISTED.findall(problem.message)}
    if not named:
        return problem
    out = refusal(project, what, named, key_id)
    out.notes = list(problem.notes)
    return out
