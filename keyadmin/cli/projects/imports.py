"""`keyadmin projects import` and `forget`: the list of projects that one works with, as on AI Studio's Projects page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.projects.named import import_list
from keyadmin.cli.projects.search import checked
from keyadmin.cli.projects.view import view
from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.settings import ResolvedSetting, project_id
from keyadmin.cli.suggest import project_ids
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Exit, Problem, usage
from keyadmin.projects import listing
from keyadmin.projects import search as finding
from keyadmin.projects.find import find

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", autocompletion=project_ids, help="Projects: ids or numbers.")]


@dataclass(frozen=True)
class Imported:
    """The projects that were asked for, which of them are new on the list, and ids that no project could be seen for."""

    projects: Sequence[Project]
    new: Sequence[str]
    unseen: Sequence[str] = ()


def import_(
    context: typer.Context,
    ids: Ids = None,
    search: Annotated[str | None, typer.Option("--search", metavar="QUERY", help="Import all matches of a search.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every active project you can see.")] = False,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Read the projects from a file (- = stdin): one id per line, JSON or CSV."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Import projects into the list that projects list shows. Each account has its own list, kept on this machine."""
    session = current(context)
    if sum([bool(ids), search is not None, all_, file is not None]) > 1:
        raise usage("ids, --search, --all and --file do not go together", "give one of them")
    named = [project_id(ResolvedSetting(each, "ID")).value for each in (from_file(file) if file else ids or ())]
    query = checked(search) if search is not None else None

    async def work(cloud: Cloud) -> Imported:
        if query is not None:
            projects = (await finding.search(cloud, query, everything=True)).projects
        elif all_:
            projects = tuple(each for each in (await listing.everything(cloud)).projects if each.state == "ACTIVE")
        else:
            wanted = named or await _picked(session, cloud)
            if len(wanted) == 1:
                projects = (await find(cloud, wanted[0]),)
            else:
                return await _import(session, cloud, wanted, await listing.readable(cloud, wanted), dry_run=dry_run)
        return await _import(session, cloud, [each.project_id for each in projects], projects, dry_run=dry_run)

    _say(session, run(context, work), dry_run=dry_run)


async def _picked(session: Session, cloud: Cloud) -> list[str]:
    if not session.interactive:
        raise usage(
            "nothing was named", f"name projects: {typed('projects import', 'ID...')}, or --search TEXT, --all, --file FILE"
        )
    from keyadmin.cli.picker import pick_projects

    return await pick_projects(session, cloud)


async def _import(
    session: Session, cloud: Cloud, wanted: Sequence[str], found: Sequence[Project | None], *, dry_run: bool
) -> Imported:
    projects = [each for each in found if each is not None]
    imports = await import_list(cloud)
    ids = list(dict.fromkeys(each.project_id for each in projects))
    known = set(imports.ids()) if dry_run else set()
    new = [each for each in ids if each not in known] if dry_run else imports.add(ids)
    return Imported(projects, new, [name for name, each in zip(wanted, found, strict=True) if each is None])


def _say(session: Session, done: Imported, *, dry_run: bool) -> None:
    show_list(session, done.projects, view(session))
    if dry_run:
        would(session, f"import {_count(done.new)}", document=False)
    else:
        before = len(done.projects) - len(done.new)
        known = f"; {before} {'was' if before == 1 else 'were'} imported before" if before else ""
        session.console.note(f"Imported {_count(done.new)}{known}.")
        if done.new:
            session.console.note(f"To make a key in one: {typed('keys create', name='NAME', project=done.new[0])}")
    if done.unseen:
        raise Problem(
            Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
            f"not imported, as they do not exist or you cannot see them: {', '.join(done.unseen)}",
            project=done.unseen[0],
            exit_code=Exit.FOUND if done.projects else Exit.FAILED,
        )


def forget(
    context: typer.Context,
    ids: Ids = None,
    all_: Annotated[bool, typer.Option("--all", help="Remove every project on the list.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove projects from your list. The projects themselves are not changed."""
    session = current(context)
    if bool(ids) is all_:
        raise usage("name the projects to forget, or add --all" if not ids else "ids and --all do not go together")
    typed = [project_id(ResolvedSetting(each, "ID")).value for each in ids or ()]
    imports = run(context, import_list)
    mine = imports.ids()
    named = typed or mine
    known = [each for each in named if each in mine]
    strange = [each for each in named if each not in mine]
    if strange and not known:
        raise _not_imported(strange, mine)
    if dry_run:
        would(session, f"forget {_count(known)}: {', '.join(known)}" if known else "forget nothing")
        return
    if all_ and known:
        confirm(session, f"Forget all {len(known)} imported projects? (projects list --export FILE keeps a copy)", yes=yes)
    show_list(session, imports.remove(known), forgotten_view(session))
    if strange:
        session.console.warning(f"not imported, so not forgotten: {', '.join(strange)}")


def forgotten_view(session: Session) -> View[str]:
    """Ids and nothing else: a project that was forgotten may not exist any more."""
    return View((Column("ID", lambda each: each),), lambda each: {"projectId": each} | session.mark, "Nothing was imported.")


def _not_imported(strange: Sequence[str], mine: Sequence[str]) -> Problem:
    from difflib import get_close_matches

    near = [word for each in strange for word in get_close_matches(each, mine, 1, 0.7)]
    return Problem(
        Cause.NOT_FOUND,
        f"not on your list: {', '.join(strange)}",
        fix=(f"did you mean {' '.join(near)}?",) if near else (f"what is: {typed('projects list', export='-')}",),
    )


def from_file(file: Path) -> list[str]:
    """The ids in a file, or on stdin. Raises Problem, usage() for what is no list."""
    from keyadmin.local.files import read_text
    from keyadmin.local.imports import from_text

    if str(file) == "-":
        return from_text(sys.stdin.read(MOST_BYTES), "stdin")
    return from_text(read_text(file), str(file))


MOST_BYTES: Final = 10_000_000


def _count(ids: Sequence[str]) -> str:
    return "1 project" if len(ids) == 1 else f"{len(ids)} projects"
