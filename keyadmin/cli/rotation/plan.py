"""`keyadmin rotation plan`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.options import ChargeProjects
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.options import Emergency, Grace, Limit, MaxAge, Only, PolicyIfAny, ShardOption
from keyadmin.cli.rotation.scope_options import scope
from keyadmin.cli.rotation.view import ended, planned_view, tell_plan, tell_ways
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.text import counted
from keyadmin.rotation.plan import within_anywhere
from keyadmin.rotation.scope import plan_run


def plan(
    context: typer.Context,
    policy: PolicyIfAny = None,
    only: Only = None,
    max_age: MaxAge = None,
    grace: Grace = None,
    limit: Limit = None,
    shard: ShardOption = None,
    emergency: Emergency = False,
    charge_projects: ChargeProjects = False,
    all_: Annotated[bool, typer.Option("--all", help="Include those for which there is nothing to do.")] = False,
) -> int:
    """Show what `rotation run` would do and why. Nothing is changed.

    Exit code 3: a project could not be checked.
    """
    session = current(context)
    session.charge_each = charge_projects
    wanted = scope(
        session, policy, names=only, max_age=max_age, grace=grace, shard_text=shard, emergency=emergency, limit=limit
    )
    found = run(context, lambda cloud: plan_run(cloud, wanted, session.observer))
    shown = found.planned if all_ else within_anywhere(found.planned, limit)
    show_list(session, shown, planned_view(session, found.selection))
    tell_ways(session, [(one.chosen.lineage.newest.key, one.ways_out) for one in shown if one.ways_out])
    tell_plan(session, found.selection, found.due)
    rest = " (--all shows the others)" if len(shown) < len(found.planned) else ""
    where = f"{counted(len(found.planned), 'lineage')} in {counted(found.selection.projects, 'project')}"
    session.console.note(f"{where}; {len(shown)} shown{rest}.")
    if left_out := found.selection.unselected:
        session.console.note(
            f"{counted(left_out, 'key')} of these projects {'falls' if left_out == 1 else 'fall'} under no rule."
        )
    return ended(session, found.selection)
