"""Carrying out a plan of guards: one write after another, each as it was pinned; what stands after a failure is said.

Google answers several writes at one place with 409 (terraform-provider-google #21297, #29271), and a constraint that was made a
moment ago may not be known yet where its policy is set: both are tried again.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyadmin.guard.model import GuardPlan, GuardStep
from keyadmin.guard.plan import PROPAGATION, same
from keyadmin.keys.retry_until import retry_until
from keyadmin.model.observer import Observer
from keyadmin.model.org_policy import CustomConstraint, NodePolicy
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

PROPAGATION_S: Final = 900.0  # 15 minutes (Organization Policy documentation); examples see two
BUSY_S: Final = 60.0
CHANGED: Final = "its etag is another one now"


@dataclass(frozen=True)
class GuardResult:
    """What was done. `seen` = whether it holds on the node now as far as can be read; None = not read."""

    plan: GuardPlan
    done: tuple[GuardStep, ...]
    seen: bool | None = None
    notes: tuple[str, ...] = ()


async def execute(cloud: Cloud, plan: GuardPlan, observer: Observer, *, wait_s: float = PROPAGATION_S) -> GuardResult:
    """Carry it out, and wait for enforced policies to be seen, `wait_s` seconds at most.

    Raises Problem: conflict where somebody changed a thing in between; whatever stopped it, its notes say what stands.
    """
    done: list[GuardStep] = []
    await _unchanged(cloud, plan)
    for step in plan.steps:
        observer.step(f"{step.words[0].upper()}{step.words[1:]}")
        try:
            await _written(cloud, step, made=_made(done), observer=observer, wait_s=wait_s)
        except Problem as problem:
            raise _stopped(plan, done, step, problem) from problem
        done.append(step)
    seen, notes = await _seen(cloud, plan, observer, wait_s)
    return GuardResult(plan, tuple(done), seen, notes)


def _made(done: list[GuardStep]) -> frozenset[str]:
    """The constraints that this run has made."""
    return frozenset(step.name for step in done if step.action == "create" and isinstance(step.target, CustomConstraint))


async def _unchanged(cloud: Cloud, plan: GuardPlan) -> None:
    """Constraints have no etag: they are read again, and another one in the place is left alone. Raises Problem(conflict)."""
    about = [step for step in plan.steps if isinstance(step.target, CustomConstraint)]
    if not about:
        return
    there = {each.name: each for each in await cloud.org_policy.constraints(plan.scope.organization)}
    for step in about:
        if there.get(step.name) != step.before:
            raise _meanwhile(f"the constraint {step.name}")


def _meanwhile(what: str) -> Problem:
    return Problem(
        Cause.CONFLICT,
        f"{what} was changed by somebody else meanwhile; it was left as it is",
        status="ABORTED",
        fix=("run the command again: it makes a new plan from the present state",),
    )


async def _written(cloud: Cloud, step: GuardStep, *, made: frozenset[str], observer: Observer, wait_s: float) -> None:
    async def once() -> None:
        try:
            await _write(cloud, step)
        except Problem as problem:
            if await _done_all_the_same(cloud, step, problem):
                return
            raise

    def passing(problem: Problem) -> bool:
        if problem.cause is Cause.NOT_FOUND:
            return step.name in made  # the constraint is not known everywhere yet
        return problem.status == "ABORTED" and problem.cause is Cause.CONFLICT and CHANGED not in problem.notes

    limit = wait_s if step.name in made and isinstance(step.target, NodePolicy) else BUSY_S
    await retry_until(once, worth_it=passing, limit_s=limit, text="Waiting for other changes of policies", observer=observer)


def _write(cloud: Cloud, step: GuardStep) -> Awaitable[object]:
    policies, target = cloud.org_policy, step.target
    if isinstance(target, CustomConstraint):
        return {
            "create": policies.create_constraint,
            "update": policies.update_constraint,
            "delete": policies.delete_constraint,
        }[step.action](target)
    if step.action == "delete":
        return policies.delete_policy(target)
    return policies.create_policy(target) if step.action == "create" else policies.update_policy(target)


async def _done_all_the_same(cloud: Cloud, step: GuardStep, problem: Problem) -> bool:
    """Whether a refused write is done, an earlier try having lost its answer. Raises Problem(conflict): it is another's."""
    if isinstance(step.target, CustomConstraint):
        if step.action == "delete":
            return problem.cause is Cause.NOT_FOUND
        return problem.cause is Cause.ALREADY_EXISTS and await _same_constraint(cloud, step.target)
    if step.action == "delete" and problem.cause is Cause.NOT_FOUND:
        return True
    if problem.cause not in (Cause.ALREADY_EXISTS, Cause.CONFLICT):
        return False
    try:
        now = await cloud.org_policy.policy(step.target.node, step.target.constraint)
    except Problem:
        return False
    if step.action != "delete" and same(now.spec, step.target.spec) and same(now.dry_run, step.target.dry_run):
        return True
    if now.etag != step.target.etag:
        conflict = _meanwhile(f"the policy for {step.name}")
        conflict.notes.append(CHANGED)
        raise conflict from problem
    return False


async def _same_constraint(cloud: Cloud, wanted: CustomConstraint) -> bool:
    there = {each.name: each for each in await cloud.org_policy.constraints(wanted.organization)}
    return there.get(wanted.name) == wanted


def _stopped(plan: GuardPlan, done: list[GuardStep], step: GuardStep, problem: Problem) -> Problem:
    """The same Problem with what stands by now, and that the same command goes on from there."""
    problem.notes += [f"done before: {each.words}" for each in done]
    problem.notes += [f"not done: {each.words}" for each in plan.steps[len(done) :]]
    if not problem.fix and problem.cause is not Cause.MISSING_IAM_PERMISSION:
        problem.fix = ("run the same command again: what stands is not written twice",)
    return problem


async def _seen(cloud: Cloud, plan: GuardPlan, observer: Observer, wait_s: float) -> tuple[bool | None, tuple[str, ...]]:
    """Whether what was enforced, or taken away, holds on the node by what can be read there, waiting for it."""
    about = [step for step in plan.steps if isinstance(step.target, NodePolicy) and _shows(step)]
    if not about:
        return None, (PROPAGATION,) if plan.steps else ()
    for step in about:

        async def once(step: GuardStep = step) -> None:
            spec = await cloud.org_policy.effective(plan.scope.node, step.name)
            if not any(bool(rule.enforce) for rule in spec.rules):
                raise Problem(Cause.SERVICE_UNAVAILABLE, f"{step.name} does not show as enforced yet", status="NOT_YET")

        try:
            await retry_until(
                once,
                worth_it=lambda problem: problem.status == "NOT_YET" or problem.cause is Cause.NOT_FOUND,
                limit_s=wait_s,
                text=f"Waiting until {step.name} acts (up to 15 minutes)",
                observer=observer,
            )
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return False, (f"whether {step.name} acts by now is not known: {problem.message}", PROPAGATION)
    return True, (f"{plan.scope.words} shows them as enforced; {PROPAGATION}",)


def _shows(step: GuardStep) -> bool:
    """Whether the effective policy tells when the step has arrived: enforced, and nothing on the node may be excepted."""
    policy = step.target
    assert isinstance(policy, NodePolicy)
    return (
        step.action != "delete"
        and policy.spec is not None
        and any(rule.enforce for rule in policy.spec.rules)
        and all(not rule.condition and rule.enforce is not None for rule in policy.spec.rules)
    )
