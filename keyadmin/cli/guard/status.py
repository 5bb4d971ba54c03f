"""`keyadmin guard status`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyadmin.cli.guard import options
from keyadmin.cli.guard.options import Folder, Organization
from keyadmin.cli.render import cell, show_document
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.guard.scope import in_words
from keyadmin.guard.status import BINDING, GuardStatus
from keyadmin.guard.status import status as read
from keyadmin.model import duration
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.policy_log import PolicyLogEntry

SHOWN = 10  # refusals, to people


def status(
    context: typer.Context,
    organization: Organization = None,
    folder: Folder = None,
    since: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back to look for refusals.")] = "7d",
) -> None:
    """Show keyadmin's constraints and where they apply: in dry run, enforced or inherited, and with which exemptions.

    It also shows what was refused recently, or would have been, according to the projects' policy logs.
    """
    session = current(context)
    days = duration.parse(since).days
    if days < 1:
        raise usage("--since: a day at least", "for example --since 7d")
    place = options.where(session, folder, organization)

    async def work(cloud: Cloud) -> GuardStatus:
        return await read(cloud, await options.scope(cloud, session, place), days)

    found = run(context, work)
    show_document(session, _json(session, found), "\n".join(_lines(found)))
    for text in found.unknown:
        session.console.warning(f"Not known: {text}")


def _lines(found: GuardStatus) -> list[str]:
    lines = [f"Guards of {found.scope.words}:", ""]
    if found.constraints is not None:
        names = ", ".join(each.name for each in found.constraints) or "none"
        lines.append(f"  constraints of {found.scope.organization}: {names}")
    for each in found.policies:
        how = f"{each.mode}{', inherited' if each.inherited else ''}"
        but = f", except for {', '.join(each.exceptions)}" if each.exceptions else ""
        other = "" if each.own else " (not as keyadmin writes it)"
        lines.append(f"  {each.constraint} on {in_words(each.node)}: {how}{but}{other}")
    if not found.policies:
        lines.append("  no policy of these constraints is set here")
    state = {True: "enforced here", False: "not enforced here", None: "not known here"}[found.binding]
    lines += ["", f"{BINDING}: {state}."]
    return [*lines, "", *_refused(found)]


def _refused(found: GuardStatus) -> list[str]:
    last = f"in the last {found.days} days"
    if not found.refusals:
        return [f"Nothing was refused {last}, as far as the policy logs were read."]
    count = Counter(each.dry_run for each in found.refusals)
    lines = [f"Refused {last}: {count[False]}; would have been refused in dry run: {count[True]}."]
    lines += [f"  {_entry(each)}" for each in found.refusals[:SHOWN]]
    more = len(found.refusals) - SHOWN
    return [*lines, f"  and {more} more; --format json has them all"] if more > 0 else lines


def _entry(each: PolicyLogEntry) -> str:
    how = "in dry run" if each.dry_run else "refused"
    return f"{cell(each.at)} {each.method} {each.resource} by {each.who or 'somebody'}: {each.constraint}, {how}"


def _json(session: Session, found: GuardStatus) -> dict[str, Any]:
    return {
        "scope": found.scope.node,
        "organization": found.scope.organization,
        "constraints": None if found.constraints is None else [each.name for each in found.constraints],
        "policies": [
            {
                "node": each.node,
                "constraint": each.constraint,
                "mode": each.mode,
                "inherited": each.inherited,
                "exceptions": list(each.exceptions),
                "keyadmins": each.own,
            }
            for each in found.policies
        ],
        "keyBindingEnforced": found.binding,
        "refusals": [
            {
                "at": cell(each.at, exact=True),
                "constraint": each.constraint,
                "method": each.method,
                "resource": each.resource,
                "principal": each.who,
                "dryRun": each.dry_run,
            }
            for each in found.refusals
        ],
        "unknown": list(found.unknown),
    } | session.mark
