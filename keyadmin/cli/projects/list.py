"""`keyadmin projects list`: what AI Studio's Projects page shows, or everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.projects.view import view
from keyadmin.cli.render import show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.local.imports import Imports
from keyadmin.projects import listing

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Every project you can see, not only imported ones.")] = False,
) -> None:
    """List the imported projects, at most 50 as AI Studio does. --all lists every project you can see."""
    session = current(context)
    ids: list[str] = []

    async def work(cloud: Cloud) -> listing.Listing:
        if all_:
            return await listing.everything(cloud)
        ids.extend(Imports(cloud.caller.principal, sandbox=cloud.sandbox).ids())
        return await (listing.imported(cloud, ids) if ids else listing.first(cloud))

    found = run(context, work)
    show_list(session, found.projects, view(session))
    _notes(session, found, nothing_imported=not all_ and not ids)


def _notes(session: Session, found: listing.Listing, *, nothing_imported: bool) -> None:
    """What is not shown, said even when quiet: a list that leaves things out must not pass for a whole one."""
    if nothing_imported and found.projects:
        session.talk.note("No project is imported yet; these are projects that you can see.")
    if found.hidden:
        session.talk.note(f"{found.hidden} more projects are not shown; --all shows every project you can see.", always=True)
    for name in found.unreadable:
        session.talk.warning(f"the imported project {name} does not exist any more, or you cannot see it")
