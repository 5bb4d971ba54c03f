"""Whether a plan may be applied here and now, and which projects lie in its scope today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from keyadmin.audit.fix.facts import seen_organizations
from keyadmin.audit.fix.plan import STALE, FixPlan
from keyadmin.audit.inventory import AuditScope
from keyadmin.model.duration import words
from keyadmin.model.problem import Cause, Exit, Problem, or_problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AHEAD: Final = timedelta(minutes=10)  # that two servers' clocks may differ


def check_scope(plan: FixPlan, given: AuditScope) -> None:
    """Raises usage() where the command line names another scope than the plan has."""
    if (given.projects or given.parent) and (set(given.projects), given.parent) != (
        set(plan.scope.projects),
        plan.scope.parent,
    ):
        raise usage(
            f"the plan is for {plan.scope.words}, and the command line names {given.words}",
            "leave the scope out: the plan has it",
            "or make a plan for that scope",
        )


def check_world(plan: FixPlan, cloud: Cloud) -> None:
    """Raises usage() for a plan that was made in the sandbox and is used with Google, and the other way round."""
    if plan.sandbox != cloud.sandbox:
        made, here = ("the sandbox", "Google Cloud") if plan.sandbox else ("Google Cloud", "the sandbox")
        raise usage(f"the plan was made in {made}, and this is {here}", "make a plan here")


def check_age(plan: FixPlan, cloud: Cloud, *, stale_ok: bool) -> None:
    """Raises usage() for a plan that is older than seven days, or from the future, by the server's clock."""
    age = cloud.now() - plan.created
    if age < -AHEAD:
        raise usage(f"the plan says that it was made {words(-age)} from now", "correct created, or make a new plan")
    if age > STALE and not stale_ok:
        raise usage(
            f"the plan is {words(age)} old: after {STALE.days} d keys may be used for other things",
            "make a new plan, or add --stale-ok to apply this one all the same",
        )


async def numbers_in_scope(cloud: Cloud, plan: FixPlan) -> frozenset[str]:
    """The numbers of the projects that lie in the plan's scope today.

    Raises Problem (exit 2) where the plan is for another organisation than the caller sees, or its scope is not found.
    """
    here = await seen_organizations(cloud)
    planned = plan.scope.organizations
    if planned and here and not set(planned) & set(here):
        told = f"the plan is for {', '.join(planned)}, and this account sees {', '.join(here)}"
        raise usage(told, "sign in with an account of that organisation, or make a plan for this one")
    try:
        return await _numbers(cloud, plan)
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS or problem.cause not in _NOT_SEEN:
            raise
        raise _not_seen(problem, plan) from None


async def lacking(cloud: Cloud, plan: FixPlan) -> Problem | None:
    """Why this caller could not apply the plan, told when it is made: what lies below its folder or organisation is not seen.

    Asks once; None where it is seen, or where that is not known.
    """
    if plan.scope.parent is None or not plan.changes:
        return None
    found = await or_problem(_look_below(cloud, plan.scope.parent), credentials=False)
    return _not_seen(found, plan) if found is not None and found.cause in _NOT_SEEN else None


async def _look_below(cloud: Cloud, parent: str) -> None:
    async for _ in cloud.folders.list(parent):
        return


def _not_seen(problem: Problem, plan: FixPlan) -> Problem:
    """The same, of the scope of the plan: with what an admin grants, where a permission is missing."""
    from keyadmin.access.shortform import grant  # reads the role data, which only a refusal needs

    problem.message = f"the scope of the plan, {plan.scope.words}, cannot be read: {problem.message}"
    problem.exit_code = Exit.USAGE
    granting = grant(problem.permission, None) if problem.permission is not None else ()
    other = ("use the account that made the plan, or make a plan for projects that you see",)
    problem.fix = problem.fix or granting or other
    return problem


_NOT_SEEN: Final = frozenset({Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, Cause.NOT_FOUND, Cause.MISSING_IAM_PERMISSION})


async def _numbers(cloud: Cloud, plan: FixPlan) -> frozenset[str]:
    if plan.scope.projects:
        return await _of_projects(cloud, plan.scope.projects)
    if plan.scope.parent is None:
        return frozenset([project.number async for project in cloud.projects.search("state:ACTIVE")])
    from keyadmin.projects.descendants import found_below

    found = frozenset(project.number for project in await found_below(cloud, plan.scope.parent))
    if plan.changes and not found:
        raise Problem(Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, "no project of it is seen", project=plan.changes[0].project)
    return found


async def _of_projects(cloud: Cloud, projects: Sequence[str]) -> frozenset[str]:
    """The numbers of those that can be read. Raises the first Problem where none can."""
    from keyadmin.cloud.pace import gather_limited

    async def one(project: str) -> str | Problem:
        try:
            return (await cloud.projects.get(project)).number
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return problem

    answers = await gather_limited(projects, one)
    found = frozenset(each for each in answers if isinstance(each, str))
    for each in answers:
        if isinstance(each, Problem) and not found:
            raise each
    return found
