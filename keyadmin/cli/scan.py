"""`keyadmin scan`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.text import counted
from keyadmin.leaks import finder, history
from keyadmin.leaks.finder import Hit
from keyadmin.leaks.verdict import Leak, judge, unasked
from keyadmin.model.problem import Exit, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Paths = Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders.")]
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
    if revoke and not (yes or dry_run or session.interactive):
        confirm(session, "Delete the keys that are found alive?", yes=False)
    allowed = finder.read_allow_list(allow) if allow else finder.AllowList()
    found = finder.find(paths)
    hits = found.hits + [hit for path in paths if history_ for hit in history.find(path if path.is_dir() else path.parent)]
    hits = [hit for hit in hits if not allowed.has(hit)]
    for path in found.unreadable:
        session.console.warning(f"{path} could not be read")
    leaks, failed = _judged(context, session, hits, offline=offline)
    view = _view(session.mark)
    asked = revoke and any(_revocable(leak) for leak in leaks)
    if not asked or session.format == "table":  # what is asked about is shown first; a document tells how it ended
        show_list(session, leaks, view)
    session.console.note(f"{counted(found.files, 'file')}, {counted(len(leaks), 'key string')}.")
    if asked:
        leaks, failed = _revoke(context, session, leaks, yes=yes, dry_run=dry_run)
        if session.format != "table":
            show_list(session, leaks, view)
    if failed is not None:
        raise failed
    return _code(leaks, offline=offline, incomplete=bool(found.unreadable))


def _judged(context: typer.Context, session: Session, hits: list[Hit], *, offline: bool) -> tuple[list[Leak], Problem | None]:
    """The findings; where nobody could be asked (no credentials) they are shown all the same, and the problem said."""
    if offline or not hits:
        return unasked(hits, "nobody was asked (--offline)"), None
    try:
        return run(context, lambda cloud: judge(cloud, hits, session.observer)), None
    except Problem as problem:
        return unasked(hits, problem.message), problem


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
            Column("Place", place),
            Column("Key", lambda leak: leak.key_string.masked),
            Column("Life", lambda leak: leak.life, style=lambda leak: _COLOURS.get(leak.life)),
            Column("Project", lambda leak: leak.project or "unknown"),
            Column("Restricted", lambda leak: leak.key.restricted if leak.key else "unknown"),
            Column("Reason", lambda leak: leak.reason, cut=True),
            Column("Fingerprint", lambda leak: leak.hits[0].fingerprint),
        ),
        lambda leak: leak.to_json() | mark,
        "No key strings found.",
    )


def _revocable(leak: Leak) -> bool:
    return leak.life == "alive" and leak.key is not None


def _revoke(
    context: typer.Context, session: Session, leaks: list[Leak], *, yes: bool, dry_run: bool
) -> tuple[list[Leak], Problem | None]:
    """Delete the keys found alive that the caller can name; the findings as they are then, and what kept one alive."""
    names = [leak.key.name for leak in leaks if _revocable(leak) and leak.key is not None]
    if dry_run:
        would(session, f"delete {', '.join(names)}", document=False)
        return leaks, None
    confirm(session, f"Delete {counted(len(names), 'key')} ({', '.join(names)})? Whoever uses them is shut out.", yes=yes)

    async def work(cloud: Cloud) -> dict[str, Problem]:
        kept: dict[str, Problem] = {}
        for name in names:
            try:
                await cloud.keys.delete(name)
            except Problem as problem:
                kept[name] = problem
            else:
                session.console.note(f"Deleted {name}; recoverable for 30 days.")
        return kept

    kept = run(context, work)
    done = set(names) - set(kept)
    after = [replace(leak, revoked=True) if leak.key is not None and leak.key.name in done else leak for leak in leaks]
    return after, _not_revoked(kept) if kept else None


def _not_revoked(kept: dict[str, Problem]) -> Problem:
    first = next(iter(kept.values()))
    message = f"{len(kept)} of the keys could not be deleted and still work: {', '.join(kept)}: {first.message}"
    return replace(first, message=message, exit_code=Exit.FOUND)
