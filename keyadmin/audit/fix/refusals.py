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


async def by_policy(cloud: Cloud, key: Key, after: Restrictions, what: str) -> Problem | str:
    """The refusal of a key's new restrictions by constraints of the organisation, or why it is not known whether they refuse
    them; empty where they do not.

    Raises Problem for missing credentials alone.
    """
    wanted = replace(key, restrictions=after)
    return await or_problem(constraints.require(cloud, wanted, UPDATE, what), credentials=False)


async def held(cloud: Cloud, project: str) -> frozenset[str] | Problem:
    """Which permissions of changes the caller has in a project, or why that is unknown. Raises Problem without credentials."""
    return await or_problem(cloud.projects.test_permissions(project, ASKED), credentials=False)


def unpermitted(key: Key, needed: Sequence[str], having: Collection[str] | Problem) -> Problem | None:
    """The refusal of the first step that takes what the caller does not have; None = all is there, or that is unknown."""
    missing = [name for name in needed if not isinstance(having, Problem) and name not in having]
    return may_not(key, missing[0], _VERBS[missing[0]]) if missing else None


def not_told(having: Collection[str] | Problem) -> tuple[str, ...]:
    """That the permissions of the caller are unknown, and why, in words; nothing where they are known."""
    if not isinstance(having, Problem):
        return ()
    return (f"whether you have the permissions that it takes is not known: {having.message}",)
