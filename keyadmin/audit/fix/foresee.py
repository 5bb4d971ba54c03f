"""What applying a plan would come to, as far as reads can tell: what a dry run says, and what is told before the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from keyadmin.access import constraints
from keyadmin.audit.fix.change import ROTATING, FixChange
from keyadmin.audit.fix.execute import NO_POLICY, FixOutcome, wanted
from keyadmin.audit.fix.journal import FixRecord
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.recompute import FirstStep, FixDone, FixRefused, FixTarget, recompute, used_since
from keyadmin.audit.fix.refusals import CHANGING, DELETING, by_policy, held, not_told, unpermitted
from keyadmin.audit.fix.rotations import FixRotations, prepared
from keyadmin.audit.fix.run import FixOptions, left_to_do, rests_on_use, waiting
from keyadmin.audit.fix.scope import numbers_in_scope
from keyadmin.cloud.usage import KEPT
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem, or_problem
from keyadmin.model.secret import redact

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 256


@dataclass
class _Looking:
    """What looking at the changes of a plan takes. `permissions` = whether those of the caller are asked for, too.

    `would` = by key, whether its first step would be made.
    """

    cloud: Cloud
    plan: FixPlan
    record: FixRecord
    numbers: frozenset[str]
    rotations: FixRotations | None
    permissions: bool = True
    would: dict[str, bool] = field(default_factory=dict)


async def foresee(cloud: Cloud, plan: FixPlan, record: FixRecord, options: FixOptions, observer: Observer) -> list[FixOutcome]:
    """Of each change that is not over: `done` where it would be made, or taken further, `already`, or the reason against it.

    Raises Problem as applying the plan would: it is not for here, nobody is signed in.
    """
    from keyadmin.cloud.pace import gather_limited

    numbers = await numbers_in_scope(cloud, plan)
    todo = [*waiting(plan, record), *left_to_do(plan, record)]
    looking = _Looking(cloud, plan, record, numbers, await _rotations(cloud, todo, options, observer))
    projects = _by_project(todo)
    observer.total(len(projects), "Reading keys", cloud.forecast(reads=len(projects)))

    async def one(number: str) -> list[FixOutcome]:
        try:
            return await _of_project(looking, projects[number])
        finally:
            observer.advance()

    await _prime(cloud, plan, todo)
    return [each for several in await gather_limited(projects, one, AT_ONCE) for each in several]


async def preview(
    cloud: Cloud, plan: FixPlan, keys: Mapping[str, Key], options: FixOptions, observer: Observer, *, permissions: bool
) -> list[FixOutcome]:
    """The same of a plan that was made just now from `keys` (by name): nothing is read twice.

    Without `permissions` nothing is said of the caller's: somebody else may carry the plan out.
    """
    from keyadmin.cloud.pace import gather_limited

    rotations = await _rotations(cloud, plan.changes, options, observer)
    numbers = frozenset(change.number for change in plan.changes)
    looking = _Looking(cloud, plan, FixRecord(), numbers, rotations, permissions)
    projects = _by_project(plan.changes)
    observer.total(len(projects), "Looking for what would be refused")

    async def one(number: str) -> list[FixOutcome]:
        try:
            having = await held(cloud, number) if permissions else None
            out = []
            for change in projects[number]:
                first = _first(looking, change)
                found = recompute(change, keys[change.name], plan.run, numbers, begun=False, first=first)
                out.append(await _foreseen(looking, change, found, having))
            return out
        finally:
            observer.advance()

    await _prime(cloud, plan, plan.changes)
    return [each for several in await gather_limited(projects, one, AT_ONCE) for each in several]


def _by_project(changes: Sequence[FixChange]) -> dict[str, list[FixChange]]:
    """By number, what contains a key before what replaces it."""
    out: dict[str, list[FixChange]] = {}
    for change in sorted(changes, key=lambda each: each.kind in ROTATING):
        out.setdefault(change.number, []).append(change)
    return out


async def _rotations(cloud: Cloud, todo: Sequence[FixChange], options: FixOptions, observer: Observer) -> FixRotations | None:
    if options.policy is None or not any(change.kind in ROTATING for change in todo):
        return None
    return await prepared(cloud, options.policy, options.rotation, observer)


async def _prime(cloud: Cloud, plan: FixPlan, todo: Sequence[FixChange]) -> None:
    """All projects of a plan for one organisation lie in it: nothing has to be asked for each."""
    parent = plan.scope.parent or ""
    if parent.startswith("organizations/"):
        constraints.all_in(cloud, parent, {change.project for change in todo})


async def _of_project(looking: _Looking, changes: list[FixChange]) -> list[FixOutcome]:
    cloud, number = looking.cloud, changes[0].number
    live = await or_problem(_keys(cloud, changes[0]), credentials=False) if number in looking.numbers else {}
    if isinstance(live, Problem):
        return [FixOutcome(each, "skipped", live.message, live.cause.value) for each in changes]
    having = await held(cloud, number) if live else None
    out = []
    for change in changes:
        record, first = looking.record.of(change), _first(looking, change)
        found = recompute(
            change,
            live.get(change.name),
            looking.plan.run,
            looking.numbers,
            begun=record is not None and record.begun,
            first=first,
        )
        if isinstance(found, FixTarget) and rests_on_use(found):
            found = await _by_use(looking, found)
        out.append(await _foreseen(looking, change, found, having))
    return out


def _first(looking: _Looking, change: FixChange) -> FirstStep | None:
    """What contains the key first, unless that would only be made by the run that is looked at, and would be made."""
    first = looking.plan.firsts.get(change.name) if change.kind in ROTATING else None
    if first is None or looking.would.get(change.name):
        return None
    return FirstStep(first, looking.record.of(first))


async def _by_use(looking: _Looking, found: FixTarget) -> FixTarget | FixRefused:
    uses = await or_problem(looking.cloud.usage.by_method(found.change.number, KEPT), credentials=False)
    why = used_since(found, uses, looking.plan.created, looking.cloud.now())
    return FixRefused(found.change, why, uses.cause if isinstance(uses, Problem) else Cause.CONFLICT) if why else found


async def _foreseen(
    looking: _Looking,
    change: FixChange,
    found: FixTarget | FixDone | FixRefused,
    having: frozenset[str] | Problem | None,
) -> FixOutcome:
    if isinstance(found, FixRefused):
        out = FixOutcome(change, "skipped", redact(found.why), found.cause.value)
    elif isinstance(found, FixDone):
        out = FixOutcome(change, "already", key=found.key)
    elif change.kind in ROTATING:
        out = await _rotated(looking, found, having)
    else:
        out = await _changed(looking, found, having)
    if change.name in looking.plan.firsts and change.kind not in ROTATING:
        looking.would[change.name] = out.status in ("done", "already")
    return out


async def _changed(looking: _Looking, target: FixTarget, having: frozenset[str] | Problem | None) -> FixOutcome:
    """What the service would answer: by the organisation's constraints, then by the caller's permissions."""
    change, told = target.change, ""
    problem: Problem | None = None
    if target.after is not None:
        found = await by_policy(looking.cloud, target.key, target.after, wanted(target))
        problem, told = (found, "") if isinstance(found, Problem) else (None, found)
    if problem is None and having is not None:
        needed = (CHANGING, DELETING) if change.kind == "delete" else (CHANGING,)
        problem = unpermitted(target.key, needed, having)
    if problem is None:
        return FixOutcome(change, "done", unknown=(*([told] if told else []), *_not_told(having)))
    return FixOutcome(change, "skipped", redact(problem.message), problem.cause.value)


def _not_told(having: frozenset[str] | Problem | None) -> tuple[str, ...]:
    return () if having is None else not_told(having)


async def _rotated(looking: _Looking, target: FixTarget, having: frozenset[str] | Problem | None) -> FixOutcome:
    """The next step of a rotation, of a key as its first step leaves it."""
    change, first = target.change, looking.plan.firsts.get(target.change.name)
    if looking.rotations is None:
        return FixOutcome(change, "skipped", NO_POLICY, Cause.INVALID_ARGUMENT.value)
    if first is not None and first.after is not None and looking.would.get(change.name):
        target = replace(target, key=replace(target.key, restrictions=first.after))
    found = await looking.rotations.foreseen(target, permissions=looking.permissions)
    return found if isinstance(found, FixOutcome) else FixOutcome(change, "done", unknown=(*found, *_not_told(having)))


async def _keys(cloud: Cloud, one: FixChange) -> dict[str, Key]:
    return {key.name: replace(key, project=one.project) async for key in cloud.keys.list(one.number, deleted=True)}
