"""`keyadmin audit`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from keyadmin.audit.rules import NAMES
from keyadmin.cli.audit import memory
from keyadmin.cli.audit import options as given
from keyadmin.cli.audit.after import AfterAudit
from keyadmin.cli.notices import Notify, WebhookForm, WebhookSecret, notices
from keyadmin.cli.options import ChargeProjects
from keyadmin.cli.places import Folder, Organization, Places, Projects, places
from keyadmin.cli.runner import keeping_all, run
from keyadmin.cli.session import Session, current
from keyadmin.cli.settings import AUDIT_FORMATS
from keyadmin.model import duration
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Exit, Problem, usage
from keyadmin.model.project_ref import checked

if TYPE_CHECKING:
    from keyadmin.audit.inventory import AuditScope, Inventory
    from keyadmin.audit.result import AuditReport
    from keyadmin.audit.scan import AuditOptions
    from keyadmin.audit.selection import AuditSelection
    from keyadmin.cli.audit.memory import Known
    from keyadmin.cli.audit.show import ReportTarget
    from keyadmin.cloud.connect import Cloud

_OWNERS_UNASKED: Final = 100
"""Keys whose owners are looked up without --group-by owner: beyond, a table would wait for what nobody reads."""


def audit(
    context: typer.Context,
    projects: Projects = None,
    folder: Folder = None,
    organization: Organization = None,
    inventory: given.Source = "auto",
    rule: given.Rules = None,
    max_age: given.MaxAge = "90d",
    anomaly: given.Anomaly = None,
    fail_on: given.FailOn = "high",
    min_severity: given.MinSeverity = None,
    limit: given.ShownAtMost = None,
    group_by: given.GroupedBy = "key",
    all_: given.ShowAll = False,
    output: given.Output = None,
    baseline: given.BaselineFile = None,
    policy: given.PolicyFile = None,
    keep: given.KeepIn = None,
    diff: given.Compared = False,
    metrics: given.MetricsFile = None,
    notify: Notify = None,
    webhook_form: WebhookForm = None,
    webhook_secret_from_env: WebhookSecret = None,
    charge_projects: ChargeProjects = False,
) -> int:
    """Find API keys that are exposed, too old, unused or badly restricted: in some projects, or in a whole organisation.

    By default it checks every active project that you can see. Further formats: sarif (for code scanning) and html. Exit
    code 3: there are findings at the threshold, or some projects could not be checked and so are unknown. Exit code 1: no
    project could be checked.

    Rules: {rules}.
    """
    from keyadmin.cli.audit import show

    session = current(context)
    session.charge_each = charge_projects
    after = AfterAudit(session, notices(session, notify, webhook_form, webhook_secret_from_env), metrics, diff)
    wishes = _options(rule, max_age, anomaly)
    kind = given.inventory_of(inventory)
    if fail_on not in given.THRESHOLDS:
        raise usage(f"--fail-on: {fail_on!r} is not a severity here", f"use one of: {', '.join(given.THRESHOLDS)}")
    wish = given.selection_of(min_severity, limit, group_by, every=all_)
    target = show.place(session, output, AUDIT_FORMATS)
    where = places(session, projects, folder, organization)
    asked = _Asked(wishes, kind, wish, target, where, memory.known(session, policy, baseline), keep, fail_on, after)
    with after.failures():
        return _audited(context, session, asked)


audit.__doc__ = (audit.__doc__ or "").replace("{rules}", ", ".join(NAMES))


def _options(rule: list[str] | None, max_age: str, anomaly: float | None) -> AuditOptions:
    from keyadmin.audit.scan import AuditOptions

    times = given.anomaly_of(anomaly)
    asked_for = rule is not None or times is not None
    return AuditOptions(given.rules_of(rule, times), duration.parse(max_age), explicit=asked_for, anomaly=times)


@dataclass(frozen=True)
class _Asked:
    """What the options come to."""

    wishes: AuditOptions
    kind: Inventory
    wish: AuditSelection
    target: ReportTarget
    where: Places | None
    before: Known
    keep: str | None
    fail_on: str
    after: AfterAudit

    @property
    def named(self) -> tuple[str, ...]:
        """The projects that were named."""
        return tuple(dict.fromkeys(checked(name, "--projects") for name in (self.where.projects if self.where else ())))


def _audited(context: typer.Context, session: Session, asked: _Asked) -> int:
    from keyadmin.audit.scan import scan
    from keyadmin.cli.audit import show, stream

    wish, before, named = asked.wish, asked.before, asked.named
    if session.format == "table" and not context.params.get("all_"):
        wish = replace(wish, limit=wish.limit or show.WORST, open_only=True)
    target = replace(asked.target, printed=stream.may(session, wish, asked.target))

    async def work(cloud: Cloud) -> AuditReport:
        scope = await scope_of(cloud, session, named, asked.where)
        async with stream.printing(session, before.mark(), wish, wanted=target.printed) as found:
            report = await scan(cloud, scope, asked.kind, replace(asked.wishes, found=found), session.observer)
        return await _owned(cloud, session, before.marked(report), wish)

    def reported() -> int:
        remembered = memory.remembered(session, run(context, work), asked.keep, whole=not context.params.get("rule"))
        report = remembered.report
        again = _again(context, _scope_options(session, asked.where))
        show.show(session, report, wish, target, again, remembered.keeping)
        before.tell(session, report)
        code = _code(report, asked.fail_on)
        asked.after.tell(report, code, remembered, written=target.file is not None)
        return code

    with keeping_all():
        return reported()  # of the report nothing is left when garbage is looked for again


_AGAIN: Final = ("inventory", "rule", "max_age", "anomaly", "min_severity", "group_by", "baseline", "policy", "charge_projects")


def _again(context: typer.Context, scope: dict[str, str | tuple[str, ...] | None]) -> str:
    """The command that shows all of the same audit: with what was typed and is not as by default."""
    usual = {parameter.name: parameter.default for parameter in context.command.params}
    given_ = {name: value for name in _AGAIN if (value := context.params.get(name)) != usual.get(name)}
    more = {name: str(value) if isinstance(value, Path | float) else value for name, value in given_.items()}
    return typed("audit", **scope, **more, all=True)


def _scope_options(session: Session, where: Places | None) -> dict[str, str | tuple[str, ...] | None]:
    """The options that say where, to be typed again."""
    if where is None:
        return {"project": session.settings.project.value if session.project_given and session.settings.project else None}
    if where.kind is None:
        return {"projects": where.projects}
    return {where.kind.removesuffix("s"): where.container.rpartition("/")[2]}


async def _owned(cloud: Cloud, session: Session, report: AuditReport, wish: AuditSelection) -> AuditReport:
    """The report, those judgements with their owners that are shown with them."""
    from keyadmin.audit.owners import owned
    from keyadmin.audit.selection import severe, subject

    if wish.group_by == "owner":
        return replace(report, judgements=tuple(await owned(cloud, report.judgements, session.observer)))
    if wish.group_by != "key" or (session.format != "table" and wish.limit is None):
        return report
    shown = list(severe(report.judgements, wish))[: wish.limit]
    if len(shown) > _OWNERS_UNASKED:
        return report
    owners = {subject(each): each.owner for each in await owned(cloud, shown, session.observer)}
    judged = (replace(each, owner=owners.get(subject(each))) if subject(each) in owners else each for each in report.judgements)
    return replace(report, judgements=tuple(judged))


async def scope_of(cloud: Cloud, session: Session, named: tuple[str, ...], where: Places | None) -> AuditScope:
    """Where to look: the folder or organisation by its number. Raises Problem where none has the name."""
    from keyadmin.audit.inventory import AuditScope
    from keyadmin.projects import parents

    if where is not None and where.kind is not None:
        return AuditScope(parent=await parents.find(cloud, where.container, where.kind))
    if session.project_given and session.settings.project is not None:
        return AuditScope((session.settings.project.value,))
    return AuditScope(named)


def _code(report: AuditReport, fail_on: str) -> int:
    """3 for findings at the threshold or a project not wholly looked at. Raises Problem where nothing could be looked at."""
    from keyadmin.audit.model import Severity

    if report.failure is not None and report.failed == report.projects:
        first = report.failure
        what = "the project" if report.projects == 1 else f"none of the {report.projects} projects"
        raise Problem(
            first.cause,
            f"{what} could {'not ' if report.projects == 1 else ''}be checked: {first.message}",
            status=first.status,
            permission=first.permission,
            service=first.service,
            project=first.project or report.errors[0].project,
            fix=first.fix,
        )
    bad = fail_on != "none" and report.at_least(Severity[fail_on.upper()]) > 0
    return Exit.FOUND if bad or report.errors else Exit.OK
