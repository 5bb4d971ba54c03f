"""`keyadmin doctor`: what a project still lacks, and the smallest grant that mends it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.access import doctor as access
from keyadmin.access import grant
from keyadmin.access.doctor import Diagnosis
from keyadmin.access.permissions import DEFAULT, NAMES, checked_member, feature_named
from keyadmin.access.remedy import Remedy, custom_role, remedy
from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.console import paint
from keyadmin.cli.keys.sink_options import flagged
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import Column, View, show_document, show_list, write
from keyadmin.cli.rotation.options import To
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import project_ids
from keyadmin.cli.text import counted, folded, terminal_width
from keyadmin.handover.registry import build, parse
from keyadmin.local.files import write_text
from keyadmin.model.command_line import gcloud, typed
from keyadmin.model.problem import Exit, Problem, usage
from keyadmin.model.project_ref import checked

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

_MEMBER_HELP: Final = "Check somebody else, as far as you can see: user:ADDRESS, serviceAccount:ADDRESS, group:ADDRESS."
_BELOW: Final = " " * 12  # where the names of the checks begin


def _features(incomplete: str) -> list[str]:
    return [name for name in NAMES if name.startswith(incomplete)]


_Projects = Annotated[
    list[str] | None,
    typer.Argument(metavar="PROJECT", autocompletion=project_ids, help="Projects to check; by default the default project."),
]
_For = Annotated[
    str,
    typer.Option("--for", metavar="FEATURE", autocompletion=_features, help=f"What you want to do: {', '.join(NAMES)}."),
]
_Message = Annotated[bool, typer.Option("--message", help="Print only the message to send to an admin.")]
_RoleFile = Annotated[
    Path | None,
    typer.Option("--role-file", metavar="FILE", help="Write a custom role with the missing permissions (gcloud's YAML)."),
]
_Apply = Annotated[bool, typer.Option("--apply", help="Grant --member what is certainly missing, if you are allowed to.")]
_Member = Annotated[
    str | None,
    typer.Option(
        "--member",
        metavar="MEMBER",
        help="Check somebody else, as far as you can see: user:ADDRESS, serviceAccount:ADDRESS, group:ADDRESS.",
    ),
]
_Connection = Annotated[
    bool,
    typer.Option("--connection", help="Show credentials, proxy, certificates, clock and hosts instead."),
]


def doctor(
    context: typer.Context,
    projects: _Projects = None,
    for_: _For = DEFAULT,
    message: _Message = False,
    role_file: _RoleFile = None,
    apply: _Apply = False,
    member: _Member = None,
    to: To = None,
    connection: _Connection = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Check what projects still lack for API keys: permissions, APIs, organisation policies, limits, a quota project.

    Prints the smallest grant that fixes it. Exit code 3 = not ready.
    """
    session = current(context)
    if connection:
        if projects or apply or member or message or role_file or to:
            raise usage("--connection goes with no other option", typed("doctor", connection=True, project="PROJECT"))
        from keyadmin.cli.doctor_connection import show_connection

        return show_connection(context, session)
    feature = feature_named(for_)
    named = list(dict.fromkeys(checked(project, "PROJECT") for project in projects or ()))
    whom = _whom(apply, member)
    specs = [parse(text) for text in to or ()]

    async def look(cloud: Cloud) -> list[Diagnosis]:
        asked = named or [await session.project(cloud)]
        sinks = build(specs, cloud, flagged=flagged(session), emit=write)
        if whom is None:
            found = await access.diagnose(cloud, asked, feature, session.observer)
        else:
            found = await access.diagnose_member(cloud, asked, feature, whom, session.observer)
        return await access.with_sinks(found, sinks) if sinks else found

    found = run(context, look)
    if role_file is not None:
        _write_role(session, role_file, found, yes=yes, dry_run=dry_run)
    grants = grant.plan(found, whom) if apply and whom else []
    applied = apply and _apply(context, session, grants, found, yes=yes, dry_run=dry_run)
    if apply and not dry_run and any(each.roles for each in grants):
        found = run(context, look)  # what was missing before is no answer any more
    _show(session, found, message=message)
    return Exit.OK if all(each.ready or (applied and (dry_run or _only_permissions(each))) for each in found) else Exit.FOUND


def _only_permissions(found: Diagnosis) -> bool:
    """Whether nothing else is in the way: what was just granted may take minutes until every server knows."""
    return all(check.permission for check in found.checks if check.required and check.status != "ok")


def _whom(apply: bool, member: str | None) -> str | None:
    """The member of `--member`. Raises usage() for `--apply` without it and for what is not a member."""
    if apply and member is None:
        raise usage("--apply needs --member", typed("doctor", "PROJECT", apply=True, member="user:ADDRESS"))
    return checked_member(member) if member is not None else None


def _apply(
    context: typer.Context,
    session: Session,
    grants: list[grant.Grant],
    found: list[Diagnosis],
    *,
    yes: bool,
    dry_run: bool,
) -> bool:
    """Show the difference, ask, grant. Whether the member now has all for certain: what is unknown is listed, not granted."""
    unknown = [
        check for each in found for check in each.checks if check.permission and check.required and check.status == "unknown"
    ]
    for check in unknown:
        session.console.warning(f"{check.permission} is not granted now, as it is not known to be missing: {check.detail}")
    todo = [each for each in grants if each.roles]
    if not todo:
        sure = "certainly missing" if unknown else "missing"
        session.console.note(f"Nothing is {sure} for that member as far as the policies say: nothing is granted.", always=True)
        _say_how_to_go_on(session, found, grants[0].member)
        return not unknown
    for each in todo:
        session.console.say(f"Changes to the allow policy of project {each.project}:")
        for line in each.difference():
            session.console.say(f"  {line}", style="green")
    if dry_run:
        for text in run(context, lambda cloud: grant.rehearse(cloud, todo)):
            session.console.warning(text)
        would(session, f"grant {counted(sum(len(each.roles) for each in todo), 'role')}", document=False)
        return not unknown
    left = ", ".join(dict.fromkeys(check.permission for check in unknown if check.permission))
    confirm(session, f"Grant this? Not known to be missing, and not granted: {left}." if left else "Grant this?", yes=yes)
    run(context, lambda cloud: grant.apply(cloud, todo))
    session.console.note("Granted. It may take a few minutes until every server knows.")
    return not unknown


def _say_how_to_go_on(session: Session, found: list[Diagnosis], member: str) -> None:
    """Where nothing is known to be missing since a policy may not be read: who finds out, and the grant all the same."""
    for each in found:
        names = [check.permission for check in each.checks if check.permission and check.required and check.status == "unknown"]
        if names:
            exact = typed("doctor", each.project, for_=each.feature.name)
            session.console.note(f"Whoever {member} is finds out for certain by typing: {exact}", always=True)
            for line in remedy(each.feature, each.project, member, names).predefined:
                session.console.note(f"Or grant it all the same: {line}", always=True)


def _write_role(session: Session, file: Path, found: list[Diagnosis], *, yes: bool, dry_run: bool) -> None:
    """The custom role of what is missing in any of the projects. Raises usage() for a file that cannot be written."""
    missing = sorted({name for each in found for name in each.missing})
    if not missing:
        session.console.note(f"No permission is missing: {file} is not written.")
        return
    if dry_run:
        would(session, f"write a custom role of {len(missing)} permissions to {file}", document=False)
        return
    if file.exists():
        confirm(session, f"{file} exists. Overwrite it?", yes=yes)
    role = custom_role(found[0].feature, missing)
    try:
        write_text(file, role.to_yaml(), 0o644)
    except Problem as problem:
        raise usage(problem.message, *problem.fix) from None
    command = gcloud("iam roles create", role.role_id, project=found[0].project, file=str(file))
    session.console.note(f"Wrote {file}: {command}")


def _show(session: Session, found: list[Diagnosis], *, message: bool) -> None:
    data = [each.to_json() for each in found]
    if message:
        show_document(session, data, "\n\n".join(filter(None, (each.remedy.message for each in found))))
        if not any(each.remedy.message for each in found):
            session.console.note("No permission is missing: there is nothing to ask for.")
    elif len(found) == 1 and session.format == "table":
        show_document(session, data, _report(found[0], terminal_width()), _painted)
    else:
        show_list(session, found, VIEW)


def _report(found: Diagnosis, columns: int | None) -> str:
    """One project, for people."""
    verdict = "ready" if found.ready else "not ready"
    lines = [f"{found.project}: {verdict} to {found.feature.words}", ""]
    width = max(len(check.id) for check in found.checks)
    for check in found.checks:
        status = check.status if check.required or check.status == "ok" else "note"
        lines += _beside(f"  {status:9} {check.id.ljust(width)}  ", check.detail, columns)
        if check.fix and check.required and check.status != "ok":
            lines += _beside(" " * (width + 14), f"-> {check.fix}", columns)
    if any(not check.required and check.status != "ok" for check in found.checks):
        lines += ["", "A note does not matter for this."]
    if found.unread:
        lines += ["", "Not known:", *(line for text in found.unread for line in _beside("  ", text, columns))]
    if found.feature.above:
        whole = (
            f"Over a whole folder or organisation it takes {' and '.join(found.feature.above)} there besides (roles/browser)."
        )
        lines += ["", *_beside("", whole, columns)]
    if found.remedy.commands:
        lines += ["", *_ways(found.remedy), "", "As a message to send to an admin: add --message"]
    return "\n".join(lines)


_STATUS: Final = re.compile(r"(?<=^  )(?:(ok)|(missing|failed)|(unknown)|note)(?= )|(?<=: )(?:(ready)|(not ready))(?= to )")
_STYLES: Final = ("green", "red", "yellow", "green", "red")  # by the groups of _STATUS


def _painted(line: str) -> str:
    """A line of the report with its verdict in colour; what is not in the way is dim."""
    return _STATUS.sub(lambda found: paint(found[0], _STYLES[found.lastindex - 1] if found.lastindex else "dim", True), line, 1)


def _beside(head: str, text: str, columns: int | None) -> list[str]:
    """`text` behind `head`, or below it in the terminal's width where there is no room for it."""
    if columns is None or len(head) + len(text) <= columns:
        return [f"{head}{text}"]
    below = folded(text, columns, _BELOW)
    return [head.rstrip(), *below] if head.strip() else below


def _ways(remedy: Remedy) -> list[str]:
    """The commands that grant what is missing: two ways, of which one is enough."""
    ways = [
        ("predefined roles, the smallest set that holds it", remedy.predefined),
        ("a custom role of exactly that", remedy.custom),
    ]
    lines = ["To grant what is missing, one of these two:" if remedy.predefined else "To grant what is missing:"]
    for title, commands in ways:
        if commands:
            lines += ["", f"  {title}", *(f"    {command}" for command in commands)]
    return [*lines, *(f"  Note: {note}" for note in remedy.notes)]


def _blocking(found: Diagnosis) -> str:
    return "; ".join(f"{check.id}: {check.detail}" for check in found.checks if check.required and check.status != "ok")


VIEW: Final = View[Diagnosis](
    columns=(
        Column("Project", lambda each: each.project),
        Column("Ready", lambda each: each.ready, style=lambda each: "green" if each.ready else "red"),
        Column("Missing permissions", lambda each: list(each.missing), fold=True),
        Column("Roles", lambda each: list(each.remedy.roles), fold=True),
        Column("Why", _blocking, fold=True),
    ),
    to_json=lambda each: each.to_json(),
)
