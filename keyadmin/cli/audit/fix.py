"""`keyadmin audit fix`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from keyadmin.audit.rules import chosen
from keyadmin.cli.audit.fix_options import (
    OBSERVE,
    AcceptHarm,
    Apply,
    Clients,
    FixKeys,
    MinSeverity,
    Observe,
    OnlyWave,
    Out,
    Pause,
    Planning,
    StaleOk,
    UnusedFor,
    WaveShare,
    observed,
)
from keyadmin.cli.audit.options import MaxAge, Output, Rules, Source, inventory_of
from keyadmin.cli.audit.run import scope_of
from keyadmin.cli.notices import Notify, WebhookForm, WebhookSecret, notices
from keyadmin.cli.options import ChargeProjects, DryRun, Yes
from keyadmin.cli.places import Folder, Organization, Places, Projects, places
from keyadmin.cli.rotation.options import PolicyIfAny
from keyadmin.cli.runner import keeping_all, run
from keyadmin.cli.session import Session, current
from keyadmin.model import duration
from keyadmin.model.problem import usage
from keyadmin.model.project_ref import checked

if TYPE_CHECKING:
    from keyadmin.audit.fix.execute import FixOutcome
    from keyadmin.audit.fix.plan import FixPlan
    from keyadmin.audit.inventory import AuditScope
    from keyadmin.audit.result import AuditReport
    from keyadmin.cli.audit.fix_run import FixManner
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class _Where:
    """The scope, as it was typed."""

    session: Session
    named: tuple[str, ...]
    places: Places | None

    async def scope(self, cloud: Cloud) -> AuditScope:
        return await scope_of(cloud, self.session, self.named, self.places)


def fix(
    context: typer.Context,
    projects: Projects = None,
    folder: Folder = None,
    organization: Organization = None,
    rule: Rules = None,
    min_severity: MinSeverity = None,
    key: FixKeys = None,
    out: Out = None,
    apply: Apply = None,
    wave: WaveShare = None,
    only: OnlyWave = False,
    pause: Pause = None,
    observe: Observe = OBSERVE,
    unused_for: UnusedFor = None,
    clients: Clients = None,
    policy: PolicyIfAny = None,
    inventory: Source = "auto",
    max_age: MaxAge = "90d",
    stale_ok: StaleOk = False,
    accept_harm: AcceptHarm = False,
    output: Output = None,
    notify: Notify = None,
    webhook_form: WebhookForm = None,
    webhook_secret_from_env: WebhookSecret = None,
    charge_projects: ChargeProjects = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Repair the keys that an audit finds: in waves, each observed before the next, and reversible.

    Keys are restricted to the APIs they are used for, lose Gemini if they do not use it, are deleted if nobody uses them,
    migrated or rotated if the policy has sinks for them, and restricted to clients if --clients names any. A key of
    unknown use is left alone unless --key names it. --out writes the plan and --apply carries it out; without either, it
    plans, shows the plan, asks, and carries it out. keyadmin audit undo reverts a run.

    Exit code 3: a change was not made, or a wave did harm.
    """
    from keyadmin.cli.audit.fix_files import check_out
    from keyadmin.cli.audit.fix_run import FixManner

    session = current(context)
    session.charge_each, told = charge_projects, notices(session, notify, webhook_form, webhook_secret_from_env)
    if out is not None and apply is not None:
        raise usage("--out and --apply do not go together: the one writes a plan, the other carries one out")
    if out is not None:
        check_out(out)
    found = places(session, projects, folder, organization)
    named = tuple(dict.fromkeys(checked(name, "--projects") for name in (found.projects if found else ())))
    where = _Where(session, named, found)
    asked = Planning(
        *(rule, min_severity, key, clients, unused_for),
        *(inventory if inventory != "auto" else None, max_age if max_age != "90d" else None, pause),
    )
    manner = FixManner(context, observed(observe), only, accept_harm, policy, told, output, yes, dry_run)
    manner.check_output()
    if apply is not None:
        asked.refuse_beside_apply()
        return manner.apply(apply, where.scope, wave, stale_ok=stale_ok)
    return _plan(context, where, asked, manner, out, wave)


def _plan(context: typer.Context, where: _Where, asked: Planning, manner: FixManner, out: Path | None, wave: str | None) -> int:
    from keyadmin.audit.fix.facts import plan_fix
    from keyadmin.audit.scan import AuditOptions, scan
    from keyadmin.cli.audit import fix_view, memory

    session = where.session
    before = memory.known(session, manner.policy, None)
    request = asked.request(session, manner.policy, wave)
    options = AuditOptions(chosen(asked.rule), duration.parse(asked.max_age or "90d"))
    kind = inventory_of(asked.inventory or "auto")
    if not (out or manner.yes or manner.dry_run or session.interactive):
        raise usage(
            "there is no terminal, so keyadmin cannot ask whether to change keys", "add --yes, or write a plan with --out PLAN"
        )

    async def work(cloud: Cloud) -> tuple[FixPlan, list[FixOutcome], AuditReport, float]:
        scope = await where.scope(cloud)
        report = before.marked(await scan(cloud, scope, kind, options, session.observer))
        if report.failure is not None and report.failed == report.projects:
            raise report.failure
        fixed = replace(scope, projects=_ids(scope, report))
        plan, keys = await plan_fix(cloud, fixed, report, request, session.observer)
        await manner.check_scope(cloud, plan, written=out is not None)
        left = cloud.forecast(writes=plan.writes)
        return (
            plan,
            await manner.looked_at(cloud, plan, keys, written=out is not None),
            report,
            left() if left is not None else 0.0,
        )

    with keeping_all():
        plan, seen, report, seconds = run(context, work)
    fix_view.tell_audit(session, report, beyond=asked.beyond_kept())
    return manner.planned(plan, seen, out, seconds, bool(report.errors))


def _ids(scope: AuditScope, report: AuditReport) -> tuple[str, ...]:
    """The projects that were named, by their ids where findings tell them; else none."""
    known = {finding.key.project_number: finding.project for finding in report.findings if finding.key is not None}
    return tuple(dict.fromkeys(known.get(name, name) for name in scope.projects))
