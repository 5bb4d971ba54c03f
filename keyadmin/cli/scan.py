"""`keyadmin scan`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin import __version__
from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.notices import Notify, WebhookForm, WebhookSecret, failures, notices
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import Column, View, show_data, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.text import clean, counted
from keyadmin.leaks import revoke as revocation
from keyadmin.leaks import sarif
from keyadmin.leaks.hit import AllowList, Hit, read_allow_list
from keyadmin.leaks.scan import ScanOptions, Searched, search
from keyadmin.leaks.verdict import Leak, judge, unasked
from keyadmin.model.problem import Exit, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.unattended.destinations import Notices
    from keyadmin.unattended.notice import Notice

Paths = Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders.")]
History = Annotated[bool, typer.Option("--history", help="Also search the history of git repositories at and below the paths.")]
Reflog = Annotated[bool, typer.Option("--reflog", help="Also search commits that no branch or tag reaches; implies --history.")]
Offline = Annotated[bool, typer.Option("--offline", help="Make no calls; every key string found is a finding (pre-commit).")]
Allow = Annotated[Path | None, typer.Option("--allow", metavar="FILE", help="Fingerprints and path patterns to skip.")]
Ignored = Annotated[bool, typer.Option("--ignore-gitignored", help="Skip files that git ignores, such as .env.")]
Revoke = Annotated[bool, typer.Option("--revoke", help="Delete live keys that were found, after asking.")]

_COLOURS = {"alive": "red", "unknown": "yellow"}
_SAID: Final = 20  # files that could not be read, findings with their next command: more are counted


def scan(
    context: typer.Context,
    paths: Paths,
    history: History = False,
    reflog: Reflog = False,
    offline: Offline = False,
    allow: Allow = None,
    ignore_gitignored: Ignored = False,
    revoke: Revoke = False,
    notify: Notify = None,
    webhook_form: WebhookForm = None,
    webhook_secret_from_env: WebhookSecret = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Find key strings in files and git history, and say whose they are and whether they still work.

    Encoded key strings are found too. Binary files and lines with the comment keyadmin:allow are skipped. Exit code 3: a live
    key was found (with --offline: any key). Exit code 1: one could not be judged, or something could not be read.
    """
    session = current(context)
    told = notices(session, notify, webhook_form, webhook_secret_from_env)
    if offline and revoke:
        raise usage("--offline and --revoke do not go together: what nobody was asked about is not deleted")
    if revoke and not (yes or dry_run or session.interactive):
        confirm(session, "Delete the keys that are found alive?", yes=False)
    allowed = read_allow_list(allow) if allow else AllowList()
    wanted = ScanOptions(paths, history or reflog, reflog, ignore_gitignored, allowed)
    with failures(session, told):
        return _scanned(context, session, wanted, _Wishes(offline, revoke, yes, dry_run, told))


@dataclass(frozen=True)
class _Wishes:
    """What is done with what is found."""

    offline: bool
    revoke: bool
    yes: bool
    dry_run: bool
    told: Notices | None


def _scanned(context: typer.Context, session: Session, wanted: ScanOptions, wish: _Wishes) -> int:
    found = search(wanted)
    _tell_gaps(session, found)
    leaks, failed = _judged(context, session, found.hits, offline=wish.offline)
    planned = revocation.plan(leaks) if wish.revoke else revocation.RevokePlan(())
    if not planned.keys or session.format == "table":  # what is asked about is shown first; a document tells how it ended
        _show(session, leaks, found)
    history_words = f", {counted(found.commits, 'commit')}" if wanted.history else ""
    session.console.note(f"{counted(found.files, 'file')}{history_words}, {counted(len(leaks), 'key string')}.")
    if planned.keys:
        leaks, failed = _revoke(context, session, leaks, planned, yes=wish.yes, dry_run=wish.dry_run)
        if session.format != "table":
            _show(session, leaks, found)
    code = _code(leaks, offline=wish.offline, incomplete=bool(found.gaps))
    if failed is not None:
        raise failed
    if wish.told is not None and code != Exit.OK:
        wish.told.send(_notice(session, leaks, found, code))
    return code


def _notice(session: Session, leaks: list[Leak], found: Searched, code: int) -> Notice:
    """What a scan tells: where key strings lie and whether they work, never the strings."""
    from keyadmin.unattended.notice import Notice

    lives = Counter[str](leak.life for leak in leaks)
    lines = [f"{leak.life}: {leak.key_string.masked} in {leak.hits[0].path}:{leak.hits[0].line}" for leak in leaks]
    return Notice(
        session.command,
        session.now(),
        f"{session.command}: {counted(len(leaks), 'key string')} ({', '.join(f'{n} {life}' for life, n in lives.items())})",
        failed=True,
        lines=[*sorted(lines), *found.gaps],
        summary={
            "exitCode": int(code),
            "keyStrings": len(leaks),
            **lives,
            "notRead": len(found.gaps),
        },
        events=[leak.to_json() for leak in leaks],
        sandbox=bool(session.mark),
    )


def _tell_gaps(session: Session, found: Searched) -> None:
    for gap in found.gaps[:_SAID]:
        session.console.warning(clean(gap))
    if len(found.gaps) > _SAID:
        session.console.warning(f"and {len(found.gaps) - _SAID:,} more could not be read")
    for note in found.notes:
        session.console.warning(clean(note))
    if found.passed:
        session.console.note(f"{counted(found.passed, 'place')} in files that git ignores passed over (--ignore-gitignored).")


def _show(session: Session, leaks: list[Leak], found: Searched) -> None:
    if session.format == "sarif":
        show_data(session, sarif.document(leaks, __version__, gaps=found.gaps, sandbox=bool(session.mark)))
        return
    show_list(session, leaks, _view(session.mark))
    if session.format == "table":
        steps = [(leak, step) for leak in leaks for step in leak.fix[: 2 if leak.life == "alive" else 0]]
        for leak, step in steps[:_SAID]:
            session.console.note(f"  {leak.key_string.masked}: {clean(step)}")
        if len(steps) > _SAID:
            session.console.note(f"  and {len(steps) - _SAID:,} more; --format json has the next command of each")


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
            Column("Reason", lambda leak: leak.reason, fold=True),
            Column("Fingerprint", lambda leak: leak.hits[0].fingerprint),
        ),
        lambda leak: leak.to_json() | mark,
        "No key strings found.",
        spelt=True,
    )


def _revoke(
    context: typer.Context, session: Session, leaks: list[Leak], planned: revocation.RevokePlan, *, yes: bool, dry_run: bool
) -> tuple[list[Leak], Problem | None]:
    """Delete the keys found alive that the caller can name; the findings as they are then, and what kept one alive."""
    names = ", ".join(planned.names)
    for leak in leaks:
        if leak.life == "alive" and leak.key is not None and all(hit.gitignored for hit in leak.hits):
            place = clean(leak.hits[0].path)
            session.console.warning(f"{leak.key.key_id} lies in files alone that git ignores ({place}): it may belong there")
    if dry_run:
        would(session, f"delete {names}", document=False)
        return leaks, None
    confirm(session, f"Delete {counted(len(planned.keys), 'key')} ({names})? Whoever uses them is shut out.", yes=yes)

    async def work(cloud: Cloud) -> revocation.Revoked:
        return await revocation.execute(cloud, planned, session.console.note)

    done = run(context, work)
    return revocation.after(leaks, done), done.problem()
