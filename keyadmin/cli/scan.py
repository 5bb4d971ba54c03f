"""`keyadmin scan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.local.leaks import finder, history
from keyadmin.local.leaks.verdict import Leak, judge, unasked
from keyadmin.problem import Exit, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders.")]
History = Annotated[bool, typer.Option("--history", help="Also what the git repositories at the paths ever held.")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask nobody; every key string found is a finding (pre-commit).")]
Allow = Annotated[Path | None, typer.Option("--allow", metavar="FILE", help="Fingerprints and path patterns to pass over.")]
Revoke = Annotated[bool, typer.Option("--revoke", help="Delete the keys found alive, after asking.")]

_COLOURS = {"alive": "red", "unknown": "yellow"}


def scan(
    context: typer.Context,
    paths: Paths,
    history_: History = False,
    offline: Offline = False,
    allow: Allow = None,
    revoke: Revoke = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Find key strings in files and in git history, and say whose they are and whether they still work.

    Binary files are passed over. A line with the comment keyadmin:allow is, too. Exit code 3 when one alive is found
    (with --offline: when any is found), 1 when one could not be judged.
    """
    session = current(context)
    if offline and revoke:
        raise usage("--offline and --revoke do not go together: what nobody was asked about is not deleted")
    allowed = finder.read_allow_list(allow) if allow else finder.AllowList()
    found = finder.find(paths)
    hits = found.hits + [hit for path in paths if history_ for hit in history.find(path if path.is_dir() else path.parent)]
    hits = [hit for hit in hits if not allowed.has(hit)]
    for path in found.unreadable:
        session.talk.warning(f"{path} could not be read")
    if not hits:
        leaks: list[Leak] = []
    elif offline:
        leaks = unasked(hits)
    else:
        leaks = run(context, lambda cloud: judge(cloud, hits, session.observer))
    mark = {"sandbox": True} if session.sandbox is not None else {}
    show_list(session, leaks, _view(mark))
    session.talk.note(f"{found.files} files, {len(leaks)} key strings.")
    if revoke:
        _revoke(context, session, [leak for leak in leaks if leak.life == "alive" and leak.key is not None], yes, dry_run)
    return _code(leaks, offline=offline, incomplete=bool(found.unreadable))


def _code(leaks: list[Leak], *, offline: bool, incomplete: bool) -> int:
    if any(leak.life == "alive" or offline for leak in leaks):
        return Exit.FOUND
    return Exit.FAILED if incomplete or any(leak.life == "unknown" for leak in leaks) else Exit.OK


def _view(mark: dict[str, bool]) -> View[Leak]:
    def place(leak: Leak) -> str:
        hit = leak.hits[0]
        more = f" and {len(leak.hits) - 1} more" if len(leak.hits) > 1 else ""
        return f"{hit.path}:{hit.line}{f' ({hit.commit[:10]})' if hit.commit else ''}{more}"

    return View(
        (
            Column("place", place),
            Column("key", lambda leak: leak.key_string.masked),
            Column("life", lambda leak: leak.life, style=lambda leak: _COLOURS.get(leak.life)),
            Column("restricted", lambda leak: leak.key.restricted if leak.key else "unknown"),
            Column("reason", lambda leak: leak.reason, cut=True),
            Column("fingerprint", lambda leak: leak.hits[0].fingerprint),
        ),
        lambda leak: leak.to_json() | mark,
        "No key strings found.",
    )


def _revoke(context: typer.Context, session: Session, leaks: list[Leak], yes: bool, dry_run: bool) -> None:
    names = [leak.key.name for leak in leaks if leak.key is not None]
    if not names:
        return
    if dry_run:
        would(session, f"delete {', '.join(names)}")
        return
    confirm(session, f"Delete {len(names)} keys ({', '.join(names)})? Whoever uses them is shut out.", yes=yes)

    async def work(cloud: Cloud) -> None:
        for name in names:
            await cloud.keys.delete(name)
            session.talk.note(f"Deleted {name}; recoverable for 30 days.")

    run(context, work)
