"""What applying a plan would come to, as far as reads can tell: `audit fix --apply PLAN --dry-run`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.audit.fix.change import ROTATING, FixChange
from keyadmin.audit.fix.execute import FixOutcome, wanted
from keyadmin.audit.fix.journal import FixRecord
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.recompute import FixDone, FixRefused, FixTarget, recompute, used_since
from keyadmin.audit.fix.refusals import CHANGING, DELETING, by_policy, held, unpermitted
from keyadmin.audit.fix.run import left_to_do, rests_on_use
from keyadmin.audit.fix.scope import numbers_in_scope
from keyadmin.cloud.usage import KEPT
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem, or_problem
from keyadmin.model.secret import redact

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 256


async def foresee(cloud: Cloud, plan: FixPlan, record: FixRecord, observer: Observer) -> list[FixOutcome]:
    """Of each change that is not made yet: `done` where it would be made, `already`, or `skipped` with the reason.

    Raises Problem as applying the plan would: it is not for here, nobody is signed in.
    """
    from keyadmin.cloud.pace import gather_limited

    numbers = await numbers_in_scope(cloud, plan)
    projects: dict[str, list[FixChange]] = {}
    for change in left_to_do(plan, record):
        projects.setdefault(change.number, []).append(change)
    observer.total(len(projects), "Reading keys", cloud.forecast(reads=len(projects)))

    async def one(number: str) -> list[FixOutcome]:
        try:
            return await _of_project(cloud, plan, record, projects[number], numbers)
        finally:
            observer.advance()

    return [each for several in await gather_limited(projects, one, AT_ONCE) for each in several]


async def _of_project(
    cloud: Cloud, plan: FixPlan, record: FixRecord, changes: list[FixChange], numbers: frozenset[str]
) -> list[FixOutcome]:
    number = changes[0].number
    live = await or_problem(_keys(cloud, changes[0]), credentials=False) if number in numbers else {}
    if isinstance(live, Problem):
        return [FixOutcome(each, "skipped", live.message, live.cause.value) for each in changes]
    having = await held(cloud, number) if live else None
    out = []
    for change in changes:
        known = record.of(change.name)
        found = recompute(change, live.get(change.name), plan.run, numbers, begun=known is not None and known.begun)
        if isinstance(found, FixRefused):
            out.append(FixOutcome(change, "skipped", found.why, found.cause.value))
        elif isinstance(found, FixDone):
            out.append(FixOutcome(change, "already", key=found.key))
        else:
            uses = await or_problem(cloud.usage.by_method(number, KEPT), credentials=False) if rests_on_use(found) else ()
            why = used_since(found, uses, plan.created, cloud.now())
            cause = uses.cause.value if isinstance(uses, Problem) else Cause.CONFLICT.value
            out.append(FixOutcome(change, "skipped", why, cause) if why else await _refused(cloud, found, having))
    return out


async def _refused(cloud: Cloud, target: FixTarget, having: frozenset[str] | None) -> FixOutcome:
    """What the service would answer: by the organisation's constraints, then by the caller's permissions."""
    change, problem = target.change, None
    if target.after is not None:
        problem = await by_policy(cloud, target.key, target.after, wanted(target))
    if problem is None and change.kind not in ROTATING:  # a rotation asks for its own permissions
        needed = (CHANGING, DELETING) if change.kind == "delete" else (CHANGING,)
        problem = unpermitted(target.key, needed, having)
    if problem is None:
        return FixOutcome(change, "done")
    return FixOutcome(change, "skipped", redact(problem.message), problem.cause.value)


async def _keys(cloud: Cloud, one: FixChange) -> dict[str, Key]:
    return {key.name: replace(key, project=one.project) async for key in cloud.keys.list(one.number, deleted=True)}
