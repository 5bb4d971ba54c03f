"""`keyadmin guard plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from keyadmin.cli.guard import options, output, rehearsal
from keyadmin.cli.guard.options import (
    As,
    Constraint,
    CreationsOnly,
    DenyGemini,
    ExceptTag,
    Folder,
    Organization,
    Preview,
    Rehearse,
)
from keyadmin.cli.guard.rehearsal import Rehearsed
from keyadmin.cli.render import show_document, show_text
from keyadmin.cli.runner import keeping_all, run
from keyadmin.cli.session import current
from keyadmin.guard import export
from keyadmin.guard.model import GuardPlan
from keyadmin.guard.plan import plan_apply

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def plan(
    context: typer.Context,
    organization: Organization = None,
    folder: Folder = None,
    constraint: Constraint = None,
    except_tag: ExceptTag = None,
    creations_only: CreationsOnly = None,
    deny_gemini: DenyGemini = False,
    rehearse: Rehearse = False,
    preview: Preview = True,
    as_: As = None,
) -> None:
    """Show what `guard apply` would do; with --rehearse also which existing keys would be refused. Nothing is changed.

    --as gcloud and --as terraform print the constraints and policies for you to apply yourself.
    """
    session = current(context)
    form = export.form(as_)
    wanted = options.request(constraint, except_tag, creations_only, deny_gemini, enforce=False)
    place = options.where(session, folder, organization)

    async def work(cloud: Cloud) -> tuple[GuardPlan, Rehearsed | None]:
        found = await plan_apply(cloud, await options.scope(cloud, session, place), wanted)
        return found, await rehearsal.rehearsed(cloud, session, found, preview=preview) if rehearse else None

    with keeping_all():
        found, seen = run(context, work)
    if form is not None:
        text = export.text(form, found).rstrip("\n")
        show_text(session, {"form": form, "content": text}, text)
        return
    data = output.plan_json(session, found)
    lines = output.plan_lines(found)
    if seen is not None:
        data["rehearsal"] = rehearsal.to_json(seen)
        lines += ["", *rehearsal.lines(session, found, seen)]
    show_document(session, data, "\n".join(lines))
    output.tell(session, found)
