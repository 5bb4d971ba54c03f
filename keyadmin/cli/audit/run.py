"""`keyadmin audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.audit.rules import NAMES, chosen, rules
from keyadmin.cli.options import ChargeProjects
from keyadmin.cli.places import Folder, Organization, Places, Projects, places
from keyadmin.cli.runner import keeping_all, run
from keyadmin.cli.session import Session, current
from keyadmin.cli.settings import AUDIT_FORMATS
from keyadmin.model import duration
from keyadmin.model.problem import Exit, Problem, usage
from keyadmin.model.project_ref import checked

if TYPE_CHECKING:
    from keyadmin.audit.inventory import AuditScope, Inventory
    from keyadmin.audit.result import AuditReport
    from keyadmin.cloud.connect import Cloud

THRESHOLDS: Final = ("low", "medium", "high", "none")


def _rules(incomplete: str) -> list[tuple[str, str]]:
    return [(rule.id, rule.title) for rule in rules().values() if rule.id.startswith(incomplete)]


def _inventories(incomplete: str) -> list[str]:
    return [name for name in ("auto", "api", "asset") if name.startswith(incomplete)]


def _thresholds(incomplete: str) -> list[str]:
    return [name for name in THRESHOLDS if name.startswith(incomplete)]


Source = Annotated[
    str,
    typer.Option(
        "--inventory",
        metavar="auto|api|asset",
        autocompletion=_inventories,
        help="Ask each project (api), Cloud Asset Inventory (asset), or what is quicker and may be asked (auto).",
    ),
]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="RULE", autocompletion=_rules, help="Only this rule; may be repeated."),
]
MaxAge = Annotated[str, typer.Option("--max-age", metavar="DURATION", help="From which age on a key is too old.")]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        metavar="low|medium|high|none",
        autocompletion=_thresholds,
        help="The least severity that makes the exit code 3.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report to a file, in the format of its ending.")
]


def audit(
    context: typer.Context,
    projects: Projects = None,
    folder: Folder = None,
    organization: Organization = None,
    inventory: Source = "auto",
    rule: Rules = None,
    max_age: MaxAge = "90d",
    fail_on: FailOn = "high",
    output: Output = None,
    charge_projects: ChargeProjects = False,
) -> int:
    """Find API keys that are exposed, too old, unused or badly restricted: in some projects, or in a whole organisation.

    Without --projects, --folder, --organization or --project every active project that you see. Formats also: sarif (for
    code scanning) and html. Exit code 3 for findings at the threshold, and where a project could not be checked: what is
    in it is unknown, not right. 1 where none could.

    Rules: {rules}.
    """
    from keyadmin.audit.scan import AuditOptions, scan
    from keyadmin.cli.audit import show

    session = current(context)
    session.charge_each = charge_projects
    wanted = chosen(rule)
    wishes = AuditOptions(wanted, duration.parse(max_age), explicit=rule is not None)
    kind = inventory_named(inventory)
    if fail_on not in THRESHOLDS:
        raise usage(f"--fail-on: {fail_on!r} is not a severity here", f"use one of: {', '.join(THRESHOLDS)}")
    place = show.place(session, output, AUDIT_FORMATS)
    where = places(session, projects, folder, organization)
    named = tuple(dict.fromkeys(checked(name, "--projects") for name in (where.projects if where else ())))

    async def work(cloud: Cloud) -> AuditReport:
        return await scan(cloud, await scope_of(cloud, session, named, where), kind, wishes, session.observer)

    with keeping_all():
        report = run(context, work)
        show.show(session, report, place)
    return _code(report, fail_on)


audit.__doc__ = (audit.__doc__ or "").replace("{rules}", ", ".join(NAMES))


def inventory_named(text: str) -> Inventory:
    from keyadmin.audit.inventory import INVENTORIES as KNOWN

    for known in KNOWN:
        if known == text:
            return known
    raise usage(f"--inventory: {text!r} is not an inventory", f"use one of: {', '.join(KNOWN)}")


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
