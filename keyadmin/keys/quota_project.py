"""Before a key is made: the APIs that its calls need in the project charged, switched on there where that is wanted.

What is off there ends `keys create` in its midst, after APIs were enabled in the target: so it is looked at first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.access import charged
from keyadmin.access.charged import Charged
from keyadmin.access.permissions import RESOURCE_MANAGER, SERVICE_USAGE
from keyadmin.keys.retry_until import retry_until
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from keyadmin.cloud.connect import Cloud

ENABLING_S: Final = 120.0  # a call right after enabling an API may still find it off
OPTION: Final = "--enable-in-quota-project"


async def look(cloud: Cloud, target: str, apis: Collection[str], *, allowed: bool) -> Charged | None:
    """What is off in the project charged; changes nothing. None where nobody's project of the caller's is charged.

    Raises ApisOffWhereCharged where that is another project than the target and was not `allowed`, or where the Service Usage
    API itself is off.
    """
    found = await charged.look(cloud, apis)
    if found is None or not found.off:
        return found
    if found.closed:
        raise found.refusal("nothing was changed")
    if not allowed and not await _same(cloud, found, target):
        refusal = found.refusal("nothing was changed")
        refusal.fix = (refusal.fix[0], f"or let this command do it: add {OPTION}", *refusal.fix[1:])
        raise refusal
    return found


async def _same(cloud: Cloud, found: Charged, target: str) -> bool:
    """Whether the project charged is the target; one may be named by id and the other by number."""
    if found.project == target:
        return True
    if found.project.isdigit() == target.isdigit() or RESOURCE_MANAGER in found.off:
        return False
    try:
        project = await cloud.projects.get(target)
    except Problem:
        return False
    return found.project in (project.project_id, project.number)


async def open_for_looking(cloud: Cloud, found: Charged | None, target: str, observer: Observer) -> Charged | None:
    """Switch on what looking itself needs: without Resource Manager not even permissions can be read. Gives what is left."""
    first = tuple(api for api in (RESOURCE_MANAGER, SERVICE_USAGE) if found is not None and api in found.off)
    if found is None or not first:
        return found
    await enable(cloud, found, first, observer)

    async def look_again() -> None:
        await cloud.services.states(found.project, first)
        await cloud.projects.test_permissions(target, ["resourcemanager.projects.get"])

    await retry_until(
        look_again,
        worth_it=lambda problem: problem.cause is Cause.API_NOT_ENABLED,
        limit_s=ENABLING_S,
        text=f"Waiting until {', '.join(first)} is on everywhere",
        observer=observer,
    )
    return replace(found, off=tuple(api for api in found.off if api not in first), outside=False)


async def enable(cloud: Cloud, found: Charged, apis: tuple[str, ...], observer: Observer) -> None:
    """Switch APIs on in the project charged."""
    where = f"in project {found.project}, which the calls are charged to"
    named = ", ".join(apis)
    observer.step(f"Enabling {named} {where}")
    with observer.half_made(f"{named} may have been enabled {where}"):
        await cloud.services.enable(found.project, list(apis), uncharged=found.outside)


def steps(found: Charged | None, elsewhere: Collection[str]) -> list[str]:
    """What would be switched on, for people. `elsewhere` = what is switched on in the same project anyway."""
    if found is None:
        return []
    return [
        f"enable {api} in project {found.project}, which the calls are charged to" for api in found.off if api not in elsewhere
    ]
