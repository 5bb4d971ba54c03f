"""Whether the caller may do what a step takes, looked at before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.refusal import lacking

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


async def permitted(cloud: Cloud, project: str, needed: Sequence[str]) -> None:
    """Raises Problem for the first of these permissions that is missing; where that cannot be tested the step will say."""
    names = list(dict.fromkeys(needed))
    if not names:
        return
    try:
        held = await cloud.projects.test_permissions(project, names)
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return
    for name in names:
        if name not in held:
            raise lacking(name, project)
