"""What there is to audit: projects and keys, from Cloud Asset Inventory or by asking each project.

The inventory answers for a whole organisation in a few calls and lags by minutes. What it does not carry is not assumed:
such projects are listed through the API Keys API.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from keyadmin.audit.candidates import Candidate, Taken
from keyadmin.audit.inventory_search import searched
from keyadmin.keys.resolve import project_id
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem, usage
from keyadmin.projects.descendants import below

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Inventory = Literal["auto", "api", "asset"]
INVENTORIES: Final[tuple[Inventory, ...]] = ("auto", "api", "asset")


@dataclass(frozen=True)
class AuditScope:
    """Where to look: these projects, or what lies below a folder or organisation; nothing = every project that is seen."""

    projects: tuple[str, ...] = ()
    parent: str | None = None

    @property
    def words(self) -> str:
        """For a report's heading."""
        if self.projects:
            return ", ".join(self.projects[:5]) + (f" and {len(self.projects) - 5} more" if len(self.projects) > 5 else "")
        return self.parent or "every active project that the caller sees"


async def take(cloud: Cloud, scope: AuditScope, inventory: Inventory, observer: Observer) -> Taken:
    """The projects of a scope, with what the inventory knows of their keys.

    `auto` takes the asset inventory of folders and organisations where the caller may search it. Raises Problem where the
    projects cannot be found out, or `asset` was asked for and is refused.
    """
    observer.step("Looking for projects")
    if scope.projects:
        named = tuple(dict.fromkeys([await project_id(cloud, project) for project in scope.projects]))
        if inventory == "asset":
            return await searched(cloud, [f"projects/{project}" for project in named])
        return Taken([Candidate(project) for project in named], "api")
    if scope.parent is not None:
        return await _of_parent(cloud, scope.parent, inventory)
    return await _of_caller(cloud, inventory)


async def _of_parent(cloud: Cloud, parent: str, inventory: Inventory) -> Taken:
    notes: tuple[str, ...] = ()
    if inventory != "api":
        try:
            return await searched(cloud, [parent])
        except Problem as problem:
            if inventory == "asset" or problem.exit is Exit.CREDENTIALS:
                raise
            notes = (_refused(parent, problem),)
    return Taken([Candidate(project) for project in sorted(await below(cloud, parent))], "api", notes)


async def _of_caller(cloud: Cloud, inventory: Inventory) -> Taken:
    """Every project that the caller sees; those of the organisations that may be searched come from there."""
    if inventory == "api":
        return Taken([Candidate(project) for project in await _seen(cloud)], "api")
    seen, tops = await asyncio.gather(_seen(cloud), _organizations(cloud))
    if inventory == "asset":
        if not tops:
            raise usage(
                "you see no organisation whose inventory could be searched",
                "name a folder or projects: --folder N, --projects A,B",
                "or ask each project: --inventory api",
            )
        return await searched(cloud, tops)
    notes, found = [], []
    for top in tops:
        try:
            found.append(await searched(cloud, [top]))
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            notes.append(_refused(top, problem))
    known = {candidate.project: candidate for taken in found for candidate in taken.candidates}
    rest = [Candidate(project) for project in seen if project not in known]
    notes += [note for taken in found for note in taken.notes]
    if found and rest:
        notes.append(f"{len(rest)} of the projects are in no organisation whose inventory may be searched; they were asked")
    deleted = all(each.deleted for each in found)
    return Taken([*known.values(), *rest], "asset" if found else "api", tuple(dict.fromkeys(notes)), deleted)


async def _seen(cloud: Cloud) -> list[str]:
    return sorted([found.project_id async for found in cloud.projects.search("state:ACTIVE")])


async def _organizations(cloud: Cloud) -> list[str]:
    try:
        return [found.name async for found in cloud.organizations.search()]
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return []  # projects outside an organisation are audited all the same


def _refused(top: str, problem: Problem) -> str:
    return f"Cloud Asset Inventory of {top} cannot be searched ({problem.cause}), so each project is asked: {problem.message}"
