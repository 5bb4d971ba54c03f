"""`keyadmin rotation status`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyadmin.cli.options import ChargeProjects
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.options import Grace, Only, PolicyIfAny, ShardOption
from keyadmin.cli.rotation.scope_options import is_there, rules_if_any, scope
from keyadmin.cli.rotation.view import ended, planned_view, tell_resting, tell_ways
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import key_names
from keyadmin.cli.text import counted
from keyadmin.model import duration
from keyadmin.model.problem import usage
from keyadmin.rotation.scope import RunPlan, plan_run
from keyadmin.rotation.status import status_of_key, status_of_project

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Key = Annotated[
    str | None,
    typer.Argument(metavar="KEY", autocompletion=key_names, help="One key: its id, its full name, or its display name."),
]
Look = Callable[["Cloud"], Coroutine[Any, Any, RunPlan]]


def status(
    context: typer.Context,
    key: Key = None,
    policy: PolicyIfAny = None,
    only: Only = None,
    grace: Grace = None,
    shard: ShardOption = None,
    charge_projects: ChargeProjects = False,
) -> int:
    """Show the state of every lineage (the generations of one key) in the policy, or only that of KEY.

    Without a policy file: all lineages of the project. Exit code 3: one is stuck, or a project could not be checked.
    """
    session = current(context)
    session.charge_each = charge_projects
    if key is not None and (only or shard):
        raise usage("KEY names one key; --only and --shard narrow a policy", "leave out one of them")
    found = run(context, _look(session, key, policy, only, grace, shard))
    show_list(session, found.planned, planned_view(session))
    stuck = [(one.chosen.lineage.newest.key, problem) for one in found.planned if (problem := one.problem) is not None]
    tell_ways(session, [(one, problem.fix) for one, problem in stuck[1:]])
    tell_resting(session, found)
    what = f"{len(stuck)} of {counted(len(found.planned), 'lineage')} {'is' if len(stuck) == 1 else 'are'} stuck"
    return ended(session, found.selection, what, stuck)


def _look(
    session: Session, key: str | None, policy: str | None, only: list[str] | None, grace: str | None, shard: str | None
) -> Look:
    """What is looked at: read and checked before any call. Raises usage()."""
    wait = duration.parse(grace) if grace is not None else None
    if key is not None:
        rules = rules_if_any(session, policy)
        return lambda cloud: status_of_key(cloud, key, partial(session.project, cloud), rules, wait, session.observer)
    if only or shard or is_there(policy):
        wanted = scope(session, policy, names=only, grace=grace, shard_text=shard)
        return lambda cloud: plan_run(cloud, wanted, session.observer)

    async def of_project(cloud: Cloud) -> RunPlan:
        return await status_of_project(cloud, await session.project(cloud), wait)

    return of_project
