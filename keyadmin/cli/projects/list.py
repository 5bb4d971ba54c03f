"""`keyadmin projects list`: what AI Studio's Projects page shows, or everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli import remember
from keyadmin.cli.confirm import confirm
from keyadmin.cli.options import Yes
from keyadmin.cli.projects.named import import_list
from keyadmin.cli.projects.view import view
from keyadmin.cli.render import show_list, show_text, show_to_programs
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage
from keyadmin.projects import facts, listing

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.local.imports import Imports
    from keyadmin.projects.facts import ProjectFacts
    from keyadmin.projects.listing import Listing


def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Every project you can see, not only imported ones.")] = False,
    apis: Annotated[bool, typer.Option("--apis", help="Show whether the Gemini API is on in each.")] = False,
    keys: Annotated[bool, typer.Option("--keys", help="Show how many API keys each has.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write the import list to a file (- = stdout) instead.")
    ] = None,
    yes: Yes = False,
) -> None:
    """List the imported projects, at most 50 as AI Studio does. --all lists every project you can see.

    Until you import projects, those in which keys were created in the last 30 days come first, then the others.
    """
    session = current(context)
    if export is not None:
        if all_ or apis or keys:
            raise usage("--export goes with no other option: it writes the list of imported projects")
        _export(session, export, run(context, import_list), yes=yes)
        return
    mine: list[str] = []

    async def work(cloud: Cloud) -> tuple[Listing, dict[str, ProjectFacts]]:
        if not all_:
            mine.extend((await import_list(cloud)).ids())
        found = await _found(session, cloud, mine, all_=all_)
        if all_:
            remember.all_projects(session, found.projects)
        if not (apis or keys):
            return found, {}
        return found, await facts.look(cloud, found.projects, apis=apis, keys=keys, observer=session.observer)

    found, about = run(context, work)
    show_list(session, found.projects, view(session, about))
    _notes(session, found, nothing_imported=not all_ and not mine)


async def _found(session: Session, cloud: Cloud, mine: list[str], *, all_: bool) -> Listing:
    if all_:
        return await listing.everything(cloud)
    return await (listing.imported(cloud, mine) if mine else listing.suggested(cloud, session.observer))


def _notes(session: Session, found: Listing, *, nothing_imported: bool) -> None:
    """What is not shown, said even when quiet: a list that leaves things out must not pass for a whole one."""
    console = session.console
    if nothing_imported and found.projects:
        first = f"the first {found.recent} had" if found.recent > 1 else "the first had"
        lately = f"; {first} keys made in the last 30 days" if found.recent else ""
        console.note(f"No project is imported yet; these are projects that you can see{lately}.")
        console.note(f"Import those you work with: {typed('projects import', 'ID...')}, or --search TEXT")
    elif not found.projects and not found.unreadable:
        console.note(f"You see no project yet. Make one with a key: {typed('projects default')}")
    if nothing_imported and found.unlooked:
        console.note(f"The keys of {_count(found.unlooked)} could not be checked; those are sorted by id.")
    if found.hidden:
        console.note(f"{found.hidden} more projects are not shown; --all shows every project you can see.", always=True)
    for name in found.unreadable:
        console.warning(f"the imported project {name} does not exist any more, or you cannot see it")
    if found.unreadable:
        console.note(f"To take what is gone off your list: {typed('projects forget', *found.unreadable)}")


def _count(number: int) -> str:
    return "1 project" if number == 1 else f"{number} projects"


def _export(session: Session, file: Path, imports: Imports, *, yes: bool) -> None:
    from keyadmin.local.files import write_text
    from keyadmin.local.imports import SCHEMA_VERSION, as_text

    ids = imports.ids()
    text = as_text(imports.account, ids)
    data = {"schemaVersion": SCHEMA_VERSION, "file": str(file), "projects": ids} | session.mark
    if str(file) == "-":
        show_text(session, data, text.rstrip("\n"))
        return
    if file.exists():
        confirm(session, f"{file} exists. Overwrite it?", yes=yes)
    write_text(file, text, mode=0o644)
    show_to_programs(session, data)
    session.console.note(
        f"Wrote {_count(len(ids))} to {file}. To import them elsewhere: {typed('projects import', file=str(file))}"
    )
