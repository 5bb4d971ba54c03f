"""`keyadmin rotation plan` and `keyadmin rotation status`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.options import ChargeProjects
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.common import scope, survey
from keyadmin.cli.rotation.options import Emergency, Grace, Limit, MaxAge, Only, PolicyFile, ShardOption
from keyadmin.cli.rotation.view import ended, planned_view, tell_plan, tell_ways
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.text import counted
from keyadmin.rotation.plan import within, within_anywhere
from keyadmin.rotation.policy import DEFAULT_FILE


def plan(
    context: typer.Context,
    policy: PolicyFile = DEFAULT_FILE,
    only: Only = None,
    max_age: MaxAge = None,
    grace: Grace = None,
    limit: Limit = None,
    shard: ShardOption = None,
    emergency: Emergency = False,
    charge_projects: ChargeProjects = False,
    all_: Annotated[bool, typer.Option("--all", help="Also those for which nothing is to be done.")] = False,
) -> int:
    """Say what `rotation run` would do and why. Nothing is changed.

    Exit code 3 where a project could not be looked at.
    """
    session = current(context)
    session.charge_each = charge_projects
    wanted = scope(session, policy, names=only, max_age=max_age, grace=grace, shard_text=shard, emergency=emergency)
    found, planned = run(context, lambda cloud: survey(cloud, wanted, session.observer))
    shown = planned if all_ else within_anywhere(planned, limit)
    show_list(session, shown, planned_view(session, found))
    tell_ways(session, [(one.chosen.lineage.newest.key, one.ways_out) for one in shown if one.ways_out])
    tell_plan(session, found, within(planned, limit))
    rest = " (--all shows the others)" if len(shown) < len(planned) else ""
    where = f"{counted(len(planned), 'lineage')} in {counted(found.projects, 'project')}"
    session.console.note(f"{where}; {len(shown)} shown{rest}.")
    return ended(session, found)


def status(
    context: typer.Context,
    policy: PolicyFile = DEFAULT_FILE,
    only: Only = None,
    shard: ShardOption = None,
    charge_projects: ChargeProjects = False,
) -> int:
    """Show every lineage of the policy and where it stands.

    Exit code 3 where one is stuck or a project could not be looked at.
    """
    session = current(context)
    session.charge_each = charge_projects
    wanted = scope(session, policy, names=only, shard_text=shard)
    found, planned = run(context, lambda cloud: survey(cloud, wanted, session.observer))
    show_list(session, planned, planned_view(session))
    stuck = [(one.chosen.lineage.newest.key, problem) for one in planned if (problem := one.problem) is not None]
    tell_ways(session, [(key, problem.fix) for key, problem in stuck[1:]])
    what = f"{len(stuck)} of {counted(len(planned), 'lineage')} {'is' if len(stuck) == 1 else 'are'} stuck"
    return ended(session, found, what, stuck)
