"""The use case `rotation status`: where lineages stand, by a policy or, where there is none, as they are found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from keyadmin.keys import resolve
from keyadmin.keys.denial import told_apart
from keyadmin.model.lineage import Lineage, read
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Problem
from keyadmin.rotation.find import Chosen, Selection, of_lineage
from keyadmin.rotation.plan import plan
from keyadmin.rotation.policy import NO_RULE, PolicyRule
from keyadmin.rotation.scope import RunPlan

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


async def status_of_key(
    cloud: Cloud,
    name: str,
    project: Callable[[], Awaitable[str]],
    rules: Sequence[PolicyRule] = (),
    grace: timedelta | None = None,
    observer: Observer = SILENT,
) -> RunPlan:
    """Where the lineage of one key stands; `rules` = those of a policy, if there is one. One listing. Raises Problem."""
    lineage = (await resolve.in_lineage(cloud, name, project, observer, choose="newest")).lineage
    chosen = await of_lineage(cloud, rules, lineage) if rules else None
    return _as_found(cloud, [chosen or Chosen(lineage, NO_RULE, ())], grace)


async def status_of_project(cloud: Cloud, project: str, grace: timedelta | None = None) -> RunPlan:
    """Where every lineage of a project stands, without a policy. One listing. Raises Problem."""
    within = await resolve.project_id(cloud, project)
    try:
        keys = [replace(key, project=within) async for key in cloud.keys.list(within, deleted=True)]
    except Problem as problem:
        raise await told_apart(cloud, within, problem) from None
    return _as_found(cloud, [Chosen(lineage, NO_RULE, ()) for lineage in _sorted(read(keys, within))], grace)


def _sorted(lineages: Sequence[Lineage]) -> list[Lineage]:
    live = [lineage for lineage in lineages if any(member.live for member in lineage.members)]
    return sorted(live, key=lambda one: (one.newest.key.display_name.casefold(), one.id))


def _as_found(cloud: Cloud, chosen: Sequence[Chosen], grace: timedelta | None) -> RunPlan:
    """`grace` = that which the rotation was begun with: it is written nowhere."""
    timed = [replace(one, rule=replace(one.rule, grace=grace)) if grace is not None else one for one in chosen]
    return RunPlan(Selection(list(timed), projects=1), tuple(plan(timed, cloud.now())))
