"""`keyadmin guard apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.guard import options, output, rehearsal
from keyadmin.cli.guard.options import (
    Constraint,
    CreationsOnly,
    DenyGemini,
    ExceptTag,
    Folder,
    Organization,
    Preview,
    Rehearse,
    Wait,
)
from keyadmin.cli.guard.rehearsal import Rehearsed
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_document
from keyadmin.cli.runner import keeping_all, run
from keyadmin.cli.session import current
from keyadmin.guard.execute import GuardResult, execute
from keyadmin.guard.model import GuardPlan
from keyadmin.guard.plan import plan_apply
from keyadmin.model import duration

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Enforce = Annotated[
    bool, typer.Option("--enforce", help="Enforce, after showing the rehearsal. Without it policies are set in dry run.")
]


def apply(
    context: typer.Context,
    organization: Organization = None,
    folder: Folder = None,
    constraint: Constraint = None,
    except_tag: ExceptTag = None,
    creations_only: CreationsOnly = None,
    deny_gemini: DenyGemini = False,
    enforce: Enforce = False,
    rehearse: Rehearse = False,
    preview: Preview = True,
    wait: Wait = "15m",
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Create the constraints in the organisation and set their policies: in dry run, or enforced with --enforce.

    A policy in dry run refuses nothing; what it would refuse goes to the policy log (guard status shows it). --enforce shows
    the rehearsal and asks first. Run it again to continue what is not done yet.
    """
    session = current(context)
    wanted = options.request(constraint, except_tag, creations_only, deny_gemini, enforce=enforce)
    place, wait_s = options.where(session, folder, organization), duration.parse(wait).total_seconds()

    async def look(cloud: Cloud) -> tuple[GuardPlan, Rehearsed | None]:
        found = await plan_apply(cloud, await options.scope(cloud, session, place), wanted)
        looks = rehearse or (enforce and bool(found.steps))
        return found, await rehearsal.rehearsed(cloud, session, found, preview=preview) if looks else None

    with keeping_all():
        found, seen = run(context, look)
    data: dict[str, Any] = {"rehearsal": rehearsal.to_json(seen)} if seen is not None else {}
    told = [*output.plan_lines(found), *(["", *rehearsal.lines(session, found, seen)] if seen is not None else [])]
    if dry_run:
        show_document(session, {"dryRun": True} | output.plan_json(session, found) | data, "\n".join(told))
        output.tell(session, found)
        return
    if not found.steps:
        show_document(session, output.plan_json(session, found) | data, "\n".join(told))
        output.tell(session, found)
        return
    for line in told:
        session.console.say(line)
    output.tell(session, found)
    confirm(session, _question(found), yes=yes)

    async def write(cloud: Cloud) -> GuardResult:
        return await execute(cloud, found, session.observer, wait_s=wait_s)

    result = run(context, write)
    show_document(session, output.result_json(session, result) | data, "\n".join(output.done_lines(result)))


def _question(plan: GuardPlan) -> str:
    request = plan.request
    assert request is not None
    if not request.enforce:
        return f"Set this in dry run on {plan.scope.words}? Nobody is refused anything by it."
    running = " Running keys for the Gemini API stop at once." if request.deny_gemini else ""
    return f"Enforce this on {plan.scope.words} and all below it?{running}"
