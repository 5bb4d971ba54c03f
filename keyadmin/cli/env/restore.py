"""`keyadmin env restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import Column, View, show_list, show_to_programs
from keyadmin.cli.session import Session, current
from keyadmin.local import backups
from keyadmin.local.backups import Backup
from keyadmin.local.environment.changing import chosen_backup, restore
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage

PathOption = Annotated[
    Path | None, typer.Argument(metavar="PATH", help="The file; by default the one that keyadmin changed last.")
]
Number = Annotated[
    int, typer.Option("--number", metavar="N", min=1, help="Which backup: 1 is the newest, as numbered by --list.")
]
ListThem = Annotated[bool, typer.Option("--list", help="List the backups instead; of one file, or of all.")]


def restore_(
    context: typer.Context, path: PathOption = None, number: Number = 1, list_: ListThem = False, dry_run: DryRun = False
) -> None:
    """Restore a file to what it was before keyadmin changed it. Its present content is kept as a backup, so this can be undone.

    `env set`, `env unset` and `completion --install` keep the last ten versions of each file in a private folder.
    """
    session = current(context)
    known = backups.of(path) if path is not None else backups.everything()
    if list_:
        _list(session, known)
        return
    if path is None:
        if not known:
            raise usage("keyadmin has no backup of any file: there is nothing to put back")
        path = known[0].path
    if dry_run:
        chosen = chosen_backup(path, number)
        if restore(path, number, dry_run=True).changed:
            would(session, f"put {path} back as it was at {chosen.time:%Y-%m-%d %H:%M:%S} UTC ({chosen.size} bytes)")
        else:
            would(session, f"leave {path} as it is: it holds that already")
        return
    change = restore(path, number)
    if not change.changed:
        session.console.note(f"{path} holds that already.")
    else:
        session.console.note(f"{path} is as it was before that change.")
        for note in change.notes:
            session.console.note(f"Note: {note}.", always=True)
        if change.backup is not None:
            session.console.note(
                f"What it held until now is kept too. To undo this: {typed('env restore', str(path.absolute()))}"
            )
    show_to_programs(session, {"path": str(path), "restored": change.changed})


def _list(session: Session, known: list[Backup]) -> None:
    view = View[Backup](
        (
            Column("File", lambda one: str(one.path), fold=True),
            Column("Number", lambda one: str(one.number)),
            Column("Kept at", lambda one: f"{one.time:%Y-%m-%d %H:%M:%S} UTC"),
            Column("Bytes", lambda one: str(one.size)),
        ),
        lambda one: one.to_json(),
        "keyadmin has no backup there.",
    )
    show_list(session, known, view)
