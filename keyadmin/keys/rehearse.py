"""What a dry run can see beforehand: whether the change would be refused, and what only the change itself can show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from keyadmin.access import constraints
from keyadmin.keys import resolve
from keyadmin.keys.change import KeyChange, in_use
from keyadmin.keys.denial import may_not
from keyadmin.model.org_policy import UPDATE
from keyadmin.model.problem import Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

RECENT: Final = timedelta(days=7)  # how far back `checkExistingUsage` looks (API Keys discovery document)


async def rehearse(cloud: Cloud, change: KeyChange) -> list[str]:
    """What is not known of a change that reads do not refuse. Raises the Problem that the change would end with."""
    unknown: list[str] = []
    key = change.key
    held = await _held(cloud, change)
    if held is False:
        raise may_not(key, change.permission, f"{change.verb} it")
    if held is None:
        unknown.append(f"whether you may {change.verb} the key {key.key_id} is not known")
    if unsure := await allowed(cloud, change):
        unknown.append(unsure)
    if change.usage_check:
        used = await _used_lately(cloud, change)
        if used is True:
            raise in_use(key, deleting=change.becoming is None)
        if used is not False:
            without = "without --force that would be refused"
            unknown.append(f"whether the key {key.key_id} was used in the last 7 days is not known ({used}): {without}")
    return unknown


async def allowed(cloud: Cloud, change: KeyChange) -> str:
    """Why it is not known whether the organisation's constraints let a change through. Raises their refusal."""
    if change.becoming is None:
        return ""  # constraints are about creation and change
    if resolve.unread(change.key):
        return f"whether a constraint of the organisation refuses it is not known: the key {change.key.key_id} may not be read"
    return await constraints.require(cloud, change.becoming(change.key), UPDATE, change.words)


async def _held(cloud: Cloud, change: KeyChange) -> bool | None:
    """Whether the caller has the permission; None = it cannot be tested."""
    try:
        return change.permission in await cloud.projects.test_permissions(change.key.project, [change.permission])
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return None


async def _used_lately(cloud: Cloud, change: KeyChange) -> bool | str:
    """Whether the key was used in the last seven days; a text = why that is not known."""
    key = change.key
    if resolve.unread(key):
        return "its use is counted by its uid, which apikeys.keys.get shows"
    try:
        found = [each for each in await cloud.usage.of_project(key.project, RECENT + timedelta(hours=1)) if each.uid == key.uid]
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return problem.message
    last = max((each.last for each in found), default=None)
    if last is None or last <= cloud.now() - RECENT:
        return False
    if last - timedelta(hours=1) >= cloud.now() - RECENT:
        return True
    return "its last use lies seven days back, to the hour"
