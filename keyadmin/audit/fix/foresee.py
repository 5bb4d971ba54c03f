"""What applying a plan would come to, as far as reads can tell: `audit fix --apply PLAN --dry-run`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.audit.fix.change import FixChange
from keyadmin.audit.fix.execute import FixOutcome
from keyadmin.audit.fix.journal import FixRecord
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.recompute import FixDone, FixRefused, recompute, used_since
from keyadmin.audit.fix.run import left_to_do, rests_on_use
from keyadmin.audit.fix.scope import numbers_in_scope
from keyadmin.cloud.usage import KEPT
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem, or_problem

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
    live = await or_problem(_keys(cloud, number), credentials=False) if number in numbers else {}
    if isinstance(live, Problem):
        return [FixOutcome(each, "skipped", live.message, live.cause.value) for each in changes]
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
            out.append(FixOutcome(change, "skipped", why, "conflict") if why else FixOutcome(change, "done"))
    return out


async def _keys(cloud: Cloud, number: str) -> dict[str, Key]:
    return {key.name: replace(key, project=number) async for key in cloud.keys.list(number, deleted=True)}
