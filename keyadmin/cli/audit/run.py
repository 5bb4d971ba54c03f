"""`keyadmin audit`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from keyadmin.audit.rules import NAMES, chosen
from keyadmin.cli.audit import options as given
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
    from keyadmin.audit.inventory import AuditScope
    from keyadmin.audit.result import AuditReport
    from keyadmin.audit.selection import AuditSelection
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
    fail_on: given.FailOn = "high",
    min_severity: given.MinSeverity = None,
    limit: given.ShownAtMost = None,
    group_by: given.GroupedBy = "key",
    all_: given.ShowAll = False,
    output: given.Output = None,
    baseline: given.BaselineFile = None,
    policy: given.PolicyFile = None,
    keep: given.KeepIn = None,
    charge_projects: ChargeProjects = False,
) -> int:
    """Find API keys that are exposed, too old, unused or badly restricted: in some projects, or in a whole organisation.

    By default it checks every active project that you can see. Further formats: sarif (for code scanning) and html. Exit
    code 3: there are findings at the threshold, or some projects could not be checked and so are unknown. Exit code 1: no
    project could be checked.

    Rules: {rules}.
    """
    from keyadmin.audit.collector import uncollected
    from keyadmin.audit.scan import AuditOptions, scan
    from keyadmin.cli.audit import memory, show, stream

    session = current(context)
    session.charge_each = charge_projects
    wishes = AuditOptions(chosen(rule), duration.parse(max_age), explicit=rule is not None)
    kind = given.inventory_of(inventory)
    if fail_on not in given.THRESHOLDS:
        raise usage(f"--fail-on: {fail_on!r} is not a severity here", f"use one of: {', '.join(given.THRESHOLDS)}")
    wish = given.selection_of(min_severity, limit, group_by, every=all_)
    target = show.place(session, output, AUDIT_FORMATS)
    where = places(session, projects, folder, organization)
    named = tuple(dict.fromkeys(checked(name, "--projects") for name in (where.projects if where else ())))
    before = memory.known(session, policy, baseline)
    if session.format == "table" and not all_:
        wish = replace(wish, limit=wish.limit or show.WORST, open_only=True)

    target = replace(target, printed=stream.may(session, wish, target))

    async def work(cloud: Cloud) -> AuditReport:
        scope = await scope_of(cloud, session, named, where)
        async with stream.printing(session, before.mark(), wish, wanted=target.printed) as found:
            report = await scan(cloud, scope, kind, replace(wishes, found=found), session.observer)
        return await _owned(cloud, session, before.marked(report), wish)

    with keeping_all(), uncollected():
        report = memory.remembered(session, run(context, work), keep, whole=rule is None)
        again = _again(context, _scope_options(session, where))
        show.show(session, report, wish, target, again)
        before.tell(session, report)
    return _code(report, fail_on)


audit.__doc__ = (audit.__doc__ or "").replace("{rules}", ", ".join(NAMES))


_AGAIN: Final = ("inventory", "rule", "max_age", "min_severity", "group_by", "baseline", "policy", "charge_projects")


def _again(context: typer.Context, scope: dict[str, str | tuple[str, ...] | None]) -> str:
    """The command that shows all of the same audit: with what was typed and is not as by default."""
    usual = {parameter.name: parameter.default for parameter in context.command.params}
    given_ = {name: value for name in _AGAIN if (value := context.params.get(name)) != usual.get(name)}
    more = {name: str(value) if isinstance(value, Path) else value for name, value in given_.items()}
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
