"""What was shown and confirmed is what is done: keys are pinned by full name and etag between the plan and the act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyadmin.model.lineage import LAST, Lineage, successor_id
from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


class Changed(Problem):
    """A key is not as it was shown: nothing was done with its lineage."""


async def changed(cloud: Cloud, lineage: Lineage, *, creates: bool) -> Changed | None:
    """What is not as it was shown any more; None = all is. Every key is read again by its name; nothing is listed.

    `creates` = a successor is to be made: one that is there by now was not part of what was confirmed. Raises Problem.
    """
    for member in lineage.members:
        known = member.key
        try:
            now = await cloud.keys.get(known.name)
        except Problem as problem:
            if problem.cause is not Cause.NOT_FOUND:
                raise
            if member.live:
                return _changed(lineage, known.key_id, "is gone")
            continue  # deleted keys are purged
        if (now.etag, now.delete_time) != (known.etag, known.delete_time):
            return _changed(lineage, known.key_id, "was deleted" if now.delete_time and member.live else "was changed")
    if creates and lineage.next_generation <= LAST:
        name = successor_id(lineage.id, lineage.next_generation)
        if await _there(cloud, f"projects/{lineage.project}/locations/global/keys/{name}"):
            return _changed(lineage, name, "was made")
    return None


async def _there(cloud: Cloud, name: str) -> bool:
    try:
        await cloud.keys.get(name)
    except Problem as problem:
        if problem.cause is Cause.NOT_FOUND:
            return False
        raise
    return True


def _changed(lineage: Lineage, key_id: str, what: str) -> Changed:
    return Changed(
        Cause.CONFLICT,
        f"{key_id} of project {lineage.project} {what} after it was shown; nothing was done with it",
        project=lineage.project,
        fix=("give the command again: it shows how things are now",),
    )
