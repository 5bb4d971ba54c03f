"""`keyadmin projects create`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.keys.options import AllowExposure
from keyadmin.cli.options import DryRun
from keyadmin.cli.projects.creation import Order, carry_out, creations_of, raise_failure, show, with_consent
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.keys import validate
from keyadmin.model.problem import Exit, usage
from keyadmin.projects import create as making
from keyadmin.projects import csv_rows, names, parents
from keyadmin.projects.create import APIS, AT_ONCE, CreateOutcome, Wanted

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def create(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="The ids of the new projects.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The display name, 4 to 30 characters.")] = None,
    parent: Annotated[
        str | None,
        typer.Option("--parent", metavar="PARENT", help="A folder or organisation: its name, folders/N or organizations/N."),
    ] = None,
    count: Annotated[int | None, typer.Option("--count", metavar="N", help="Create N projects, at most 10.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Create the projects in a CSV file: columns id, name, parent.")
    ] = None,
    with_key: Annotated[
        str | None, typer.Option("--with-key", metavar="NAME", help="Create a first auth key of this name in each.")
    ] = None,
    allow_exposure: AllowExposure = False,
    dry_run: DryRun = False,
) -> int:
    """Create projects with the Generative Language API and the API Keys API switched on, at most 10 at a time as in AI Studio.

    Without an id, keyadmin chooses one like gen-lang-client-0123456789. New projects are imported. If a run was
    interrupted, or some projects failed (exit code 3), type the same command again to continue it.
    """
    session = current(context)
    key_name = validate.display_name(with_key) if with_key is not None else None
    wanted = _from_file(file, ids, name, count) if file else _from_words(ids or [], name, count)

    async def work(cloud: Cloud) -> tuple[Order, list[CreateOutcome]]:
        order = Order(await _with_parents(cloud, wanted, parent), key_name, None if allow_exposure else {})
        if dry_run:
            return order, await making.foresee(cloud, order.wanted, await creations_of(cloud))
        return order, await carry_out(session, cloud, order)

    order, outcomes = run(context, work)
    one = file is None and count is None and len(wanted) == 1
    if dry_run:
        raise_failure(outcomes, one=one)
        _would(session, order)
        return Exit.OK
    return show(session, with_consent(context, session, order, outcomes), one=one)


def _from_words(ids: Sequence[str], name: str | None, count: int | None) -> list[Wanted]:
    """The projects of the command line. Raises usage()."""
    if count is not None and ids:
        raise usage("ids and --count do not go together: name as many ids as you want projects")
    several = len(ids) or (1 if count is None else count)
    if several < 1:
        raise usage(f"--count is {count}: at least 1 project is made")
    if several > AT_ONCE:
        raise usage(f"{several} projects are wanted: {csv_rows.too_many(AT_ONCE)}", "make the first ten, then the next")
    checked = [names.project_id(each) for each in ids]
    if len(set(checked)) < len(checked):
        raise usage("an id stands twice")
    shown = [_numbered(name, place, several) for place in range(1, several + 1)]
    return [Wanted(project_id, each) for project_id, each in zip(checked or [""] * several, shown, strict=True)]


def _numbered(name: str | None, place: int, several: int) -> str:
    """One name for one project; for several the name and a number, so that people can tell them apart."""
    if name is None:
        return ""
    return names.display_name(name if several == 1 else f"{name} {place}")


def _from_file(file: Path, ids: Sequence[str] | None, name: str | None, count: int | None) -> list[Wanted]:
    """The projects of a CSV file. Raises usage() naming the bad rows."""
    if ids or name is not None or count is not None:
        raise usage("--file goes with neither ids nor --name nor --count: the rows say it all")
    from keyadmin.local.files import read_text

    rows = csv_rows.rows_of(read_text(file), str(file), AT_ONCE)
    return [Wanted(row.project_id, row.display_name, row.parent, row.number) for row in rows]


async def _with_parents(cloud: Cloud, wanted: Sequence[Wanted], parent: str | None) -> list[Wanted]:
    """With folders and organisations by their number, each looked up once, before anything is made. Raises Problem."""
    found: dict[str, str] = {"": ""}
    complete = [replace(each, parent=each.parent or parent or "") for each in wanted]
    for each in complete:
        if each.parent not in found:
            found[each.parent] = await _parent(cloud, each)
    return [replace(each, parent=found[each.parent]) for each in complete]


async def _parent(cloud: Cloud, wanted: Wanted) -> str:
    from keyadmin.model.problem import Problem

    try:
        return await parents.find(cloud, wanted.parent)
    except Problem as problem:
        if wanted.row is None:
            raise
        raise replace(problem, message=f"nothing was made, row {wanted.row}: {problem.message}") from None


def _would(session: Session, order: Order) -> None:
    each = "\n".join(
        f"  {wanted.project_id or f'{names.STYLE}NNNNNNNNNN'}"
        + (f" named {wanted.display_name!r}" if wanted.display_name else "")
        + (f" in {wanted.parent}" if wanted.parent else "")
        for wanted in order.wanted
    )
    key = f", and make an auth key named {order.key_name!r} in each" if order.key_name is not None else ""
    would(session, f"make\n{each}\nwith {' and '.join(APIS)} switched on{key}")
