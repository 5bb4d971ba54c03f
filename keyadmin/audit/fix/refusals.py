"""What a change would be refused for, in the words of the refusal: a constraint of the organisation, a permission."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.access import constraints
from keyadmin.keys.denial import may_not
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.org_policy import UPDATE
from keyadmin.model.problem import Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

CHANGING: Final = "apikeys.keys.update"
DELETING: Final = "apikeys.keys.delete"
UNDELETING: Final = "apikeys.keys.undelete"
ASKED: Final = (CHANGING, DELETING, UNDELETING)

_VERBS: Final[Mapping[str, str]] = {CHANGING: "change it", DELETING: "delete it"}


async def by_policy(cloud: Cloud, key: Key, after: Restrictions, what: str) -> Problem | None:
    """The refusal of a key's new restrictions by constraints of the organisation; None = none is known of.

    Raises Problem for missing credentials alone.
    """
    wanted = replace(key, restrictions=after)
    found = await or_problem(constraints.require(cloud, wanted, UPDATE, what), credentials=False)
    return found if isinstance(found, Problem) else None


async def held(cloud: Cloud, project: str) -> frozenset[str] | None:
    """Which permissions of changes the caller has in a project; None = unknown. Raises Problem without credentials."""
    found = await or_problem(cloud.projects.test_permissions(project, ASKED), credentials=False)
    return None if isinstance(found, Problem) else found


def unpermitted(key: Key, needed: Sequence[str], having: Collection[str] | None) -> Problem | None:
    """The refusal of the first step that takes what the caller does not have; None = all is there, or that is unknown."""
    missing = [name for name in needed if having is not None and name not in having]
    return may_not(key, missing[0], _VERBS[missing[0]]) if missing else None
