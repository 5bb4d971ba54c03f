"""`keyadmin rotation run`."""

from __future__ import annotations

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.options import ChargeProjects, DryRun, Yes
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.carry_out import RunRequest, carry_out
from keyadmin.cli.rotation.common import ask, scope, survey
from keyadmin.cli.rotation.options import (
    Emergency,
    ForceUse,
    Grace,
    Limit,
    MaxAge,
    Metrics,
    Notify,
    Only,
    PolicyFile,
    ShardOption,
)
from keyadmin.cli.rotation.view import ended, planned_view, tell_plan
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.text import counted
from keyadmin.rotation.plan import within
from keyadmin.rotation.policy import DEFAULT_FILE


def run_(
    context: typer.Context,
    policy: PolicyFile = DEFAULT_FILE,
    only: Only = None,
    max_age: MaxAge = None,
    grace: Grace = None,
    limit: Limit = None,
    shard: ShardOption = None,
    emergency: Emergency = False,
    force: ForceUse = False,
    notify: Notify = None,
    metrics: Metrics = None,
    charge_projects: ChargeProjects = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Advance every lineage that is due as far as it goes now; the next run goes on with it.

    Safe to be killed and to be run twice at once. Exit code 3 where a lineage or a project failed; the others went on.
    With --format jsonl every step is a line. --emergency asks first, or needs --yes.
    """
    session = current(context)
    session.charge_each = charge_projects
    wanted = scope(session, policy, names=only, max_age=max_age, grace=grace, shard_text=shard, emergency=emergency)
    if dry_run:
        found, planned = run(context, lambda cloud: survey(cloud, wanted, session.observer))
        todo = within(planned, limit)
        show_list(session, todo, planned_view(session, found))
        tell_plan(session, found, todo)
        would(session, f"advance {len(todo)} of {counted(len(planned), 'lineage')}", document=False)
        return ended(session, found)
    if emergency:
        ask(context, wanted, limit, "Rotate {what} now and delete the old ones at once?", yes=yes)
    return carry_out(context, wanted, RunRequest(limit, force, notify, metrics))
