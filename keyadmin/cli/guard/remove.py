"""`keyadmin guard remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.guard import options, output
from keyadmin.cli.guard.options import Constraint, Folder, Organization
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_document
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.guard.execute import GuardResult, execute
from keyadmin.guard.model import GuardPlan
from keyadmin.guard.plan import plan_remove

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def remove(
    context: typer.Context,
    organization: Organization = None,
    folder: Folder = None,
    constraint: Constraint = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove keyadmin's policies from the organisation, folder or project, and its constraints once no policy uses them.

    Only what has keyadmin's names and is exactly as keyadmin wrote it is removed; everything else is kept and listed.
    """
    session = current(context)
    named, place = options.rules(constraint), options.where(session, folder, organization)

    async def look(cloud: Cloud) -> GuardPlan:
        return await plan_remove(cloud, await options.scope(cloud, session, place), named)

    found = run(context, look)
    if dry_run or not found.steps:
        data = ({"dryRun": True} if dry_run else {}) | output.plan_json(session, found)
        show_document(session, data, "\n".join(output.plan_lines(found)))
        output.tell(session, found)
        return
    for line in output.plan_lines(found):
        session.console.say(line)
    output.tell(session, found)
    confirm(session, f"Take this away from {found.scope.words}?", yes=yes)

    async def write(cloud: Cloud) -> GuardResult:
        return await execute(cloud, found, session.observer)

    result = run(context, write)
    show_document(session, output.result_json(session, result), "\n".join(output.done_lines(result)))
