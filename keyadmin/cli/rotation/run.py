"""`keyadmin rotation run`."""

from __future__ import annotations

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.notices import Notify, WebhookForm, WebhookSecret, notices
from keyadmin.cli.options import ChargeProjects, DryRun, Yes
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.options import (
    Emergency,
    ForceUse,
    Grace,
    Limit,
    MaxAge,
    Metrics,
    Only,
    PolicyIfAny,
    ShardOption,
)
from keyadmin.cli.rotation.run_output import RunOutput, RunRequest
from keyadmin.cli.rotation.scope_options import scope
from keyadmin.cli.rotation.view import (
    amount,
    as_foreseen,
    ended_plan,
    planned_and_foreseen,
    planned_view,
    tell_plan,
    tell_resting,
)
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.text import counted
from keyadmin.rotation.scope import plan_run


def run_(
    context: typer.Context,
    policy: PolicyIfAny = None,
    only: Only = None,
    max_age: MaxAge = None,
    grace: Grace = None,
    limit: Limit = None,
    shard: ShardOption = None,
    emergency: Emergency = False,
    force: ForceUse = False,
    notify: Notify = None,
    webhook_form: WebhookForm = None,
    webhook_secret_from_env: WebhookSecret = None,
    metrics: Metrics = None,
    charge_projects: ChargeProjects = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Advance every lineage (the generations of one key) that is due as far as possible now; the next run continues.

    It is safe to kill it and to run it twice at once. Exit code 3: a lineage or a project failed; the others continued. With
    --format jsonl each step is a line. --emergency asks first, or needs --yes: exactly what was shown is rotated.
    """
    session = current(context)
    session.charge_each = charge_projects
    told = notices(session, notify, webhook_form, webhook_secret_from_env)
    wanted = scope(
        session, policy, names=only, max_age=max_age, grace=grace, shard_text=shard, emergency=emergency, limit=limit
    )
    request = RunRequest(force, told, metrics)
    if dry_run:
        plan, seen = run(context, lambda cloud: planned_and_foreseen(cloud, session, wanted, force=force))
        show_list(session, [as_foreseen(*one) for one in seen], planned_view(session, plan.selection))
        tell_plan(session, plan.selection, plan.due)
        tell_resting(session, plan)
        would(session, f"advance {len(plan.due)} of {counted(len(plan.planned), 'lineage')}", document=False)
        return ended_plan(session, plan, seen)
    if emergency and not yes:
        if not session.interactive:
            confirm(session, "Rotate all selected keys now and delete the old ones at once?", yes=False)
        plan = run(context, lambda cloud: plan_run(cloud, wanted, session.observer))
        if plan.due:
            confirm(session, f"Rotate {amount(plan)} now and delete the old ones at once?", yes=False)
        return RunOutput(context, request).run_planned(plan)
    return RunOutput(context, request).plan_and_run(wanted)
