"""`keyadmin rotation migrate`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.notices import Notify, WebhookForm, WebhookSecret, notices
from keyadmin.cli.options import ChargeProjects, DryRun, Yes
from keyadmin.cli.places import Folder, Organization, Projects, places
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.options import (
    ForceUse,
    Grace,
    Limit,
    Metrics,
    Only,
    PolicyIfAny,
    ShardOption,
    To,
)
from keyadmin.cli.rotation.run_output import RunOutput, RunRequest
from keyadmin.cli.rotation.scope_options import scope
from keyadmin.cli.rotation.view import (
    Foreseen,
    amount,
    ended_plan,
    planned_and_foreseen,
    prospect_view,
    tell_plan,
    tell_resting,
    tell_ways,
)
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.text import counted
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage
from keyadmin.rotation.decide import Action, to_migrate
from keyadmin.rotation.migration import Prospect, prospects
from keyadmin.rotation.plan import within_anywhere
from keyadmin.rotation.scope import RotationScope, RunPlan, plan_run

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def migrate(
    context: typer.Context,
    policy: PolicyIfAny = None,
    projects: Projects = None,
    folder: Folder = None,
    organization: Organization = None,
    to: To = None,
    only: Only = None,
    grace: Grace = None,
    limit: Limit = None,
    shard: ShardOption = None,
    force: ForceUse = False,
    notify: Notify = None,
    webhook_form: WebhookForm = None,
    webhook_secret_from_env: WebhookSecret = None,
    metrics: Metrics = None,
    charge_projects: ChargeProjects = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Turn standard keys that may call the Gemini API into auth keys: rotation with a change of type.

    The policy says which keys, and which sinks they go to; or name --projects, --folder or --organization and the sinks with
    --to ({project}, {lineage} and {name} are filled in for each key). A key that also serves other APIs is split: the new
    auth key gets Gemini, the old one keeps the rest. It asks first, or needs --yes; --dry-run shows the plan: which keys,
    their owners, where they go and what is missing.
    """
    session = current(context)
    session.charge_each = charge_projects
    told = notices(session, notify, webhook_form, webhook_secret_from_env)
    where = places(session, projects, folder, organization)
    if (to or where) and policy is not None:
        raise usage("--policy names the keys and their sinks already", "leave out --policy, or --projects, --folder and --to")
    if to and where is None:
        raise usage("--to needs --projects, --folder or --organization", "or put the sinks into the policy file")
    wanted = scope(session, policy, names=only, grace=grace, shard_text=shard, migrate=True, limit=limit, where=where, to=to)
    if dry_run:
        return _show(context, session, wanted)
    request = RunRequest(force, told, metrics)
    if yes:
        return RunOutput(context, request).plan_and_run(wanted)
    question = "Make auth keys in place of {what} and retire these after the grace period (--dry-run shows them)?"
    if not session.interactive:
        confirm(session, question.format(what="all selected keys"), yes=False)
    plan = run(context, lambda cloud: plan_run(cloud, wanted, session.observer))
    if plan.due:
        confirm(session, question.format(what=amount(plan)), yes=False)
    return RunOutput(context, request).run_planned(plan)


def _show(context: typer.Context, session: Session, wanted: RotationScope) -> int:
    async def look(cloud: Cloud) -> tuple[RunPlan, Foreseen, list[Prospect]]:
        found, seen = await planned_and_foreseen(cloud, session, wanted)
        return found, seen, await prospects(cloud, within_anywhere(found.planned, wanted.limit), session.observer)

    found, seen, plan = run(context, look)
    unknown = {id(one): known.unknown for one, known in seen}
    rows = [replace(one, planned=replace(one.planned, unknown=unknown.get(id(one.planned), ""))) for one in plan]
    show_list(session, rows, prospect_view(session))
    resting = [one for one in found.planned if one.decision.action is Action.REST and to_migrate(one.chosen.lineage.newest.key)]
    tell_ways(session, [(one.chosen.lineage.newest.key, (one.why,)) for one in resting if not one.resting])
    tell_plan(session, found.selection, [one.planned for one in plan])
    tell_resting(session, found)
    unready = sum(1 for one in plan if one.missing)
    if unready:
        session.console.note(
            f"Something is missing for {unready} of them; see the column, or {typed('doctor', 'PROJECT', for_='migrate')}"
        )
    where = len({one.planned.chosen.lineage.project for one in plan})
    would(session, f"migrate {counted(len(plan), 'key')} in {counted(where, 'project')}", document=False)
    return ended_plan(session, found, seen)
