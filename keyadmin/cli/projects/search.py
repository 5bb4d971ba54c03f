"""`keyadmin projects search`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.projects.view import view
from keyadmin.cli.render import show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage
from keyadmin.projects import search as finding

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.projects.search import Hits


def search(
    context: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="Words, or a Resource Manager query.")],
    all_: Annotated[
        bool, typer.Option("--all", help="Show all matches, however many calls it takes; otherwise 50 of the first 500.")
    ] = False,
) -> None:
    """Find projects that you can see, imported or not; best matches first.

    Words match anywhere in names and ids. A query in Resource Manager's own language is passed on unchanged:
    'name:how*', 'labels.team:blue', 'state:DELETE_REQUESTED', 'parent:folders/123 AND NOT id:test*'.
    """
    session = current(context)
    text = checked(" ".join(query))

    async def work(cloud: Cloud) -> Hits:
        session.observer.step("Searching")
        return await finding.search(cloud, text, everything=all_)

    found = run(context, work)
    shown = found.projects if all_ else found.projects[: finding.SHOWN]
    show_list(session, shown, view(session))
    if found.cut:
        session.console.note(
            f"Only the best {len(shown)} of the first {finding.PAGE} hits are shown; --all fetches all.", always=True
        )
    elif len(shown) < len(found.projects):
        session.console.note(f"{len(found.projects) - len(shown)} more hits are not shown; --all shows them.", always=True)
    elif not shown:
        session.console.note("A project made or renamed a moment ago may not be found yet. A misspelt word finds nothing.")


def checked(text: str) -> str:
    """The same. Raises usage() where there is nothing to search for."""
    if not finding.query_of(text).strip():
        raise usage("there is nothing to search for", f"to see everything: {typed('projects list', all=True)}")
    return text
