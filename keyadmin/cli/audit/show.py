"""How an audit's report is shown or written to a file, in each of its formats."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from keyadmin.audit import report as report_formats
from keyadmin.audit.model import Finding
from keyadmin.audit.owner import Owner
from keyadmin.audit.result import AuditReport
from keyadmin.audit.selection import AuditSelection, grouped, shown, subject
from keyadmin.cli import pager, streams
from keyadmin.cli.audit import overview
from keyadmin.cli.audit.memory import Keeping
from keyadmin.cli.audit.overview import WORST, Look
from keyadmin.cli.render import Column, View, show_data, show_list, write
from keyadmin.cli.reveal import masked
from keyadmin.cli.session import Session
from keyadmin.cli.text import clean, terminal_height, terminal_width
from keyadmin.local.files import write_pieces, write_text
from keyadmin.model.lazy import MadeLater
from keyadmin.model.problem import usage

__all__ = ["WORST", "ReportTarget", "place", "show"]

_ENDINGS: Final = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".md": "markdown",
    ".markdown": "markdown",
    **{ending: name for name, endings in report_formats.ENDINGS.items() for ending in endings},
    ".txt": "table",
}
_PIECE: Final = 1 << 20  # bytes
_ERRORS_SAID: Final = 10


@dataclass(frozen=True)
class ReportTarget:
    """Where the report goes; `file` None = stdout. `printed` = its findings are there already, printed one by one."""

    file: Path | None = None
    printed: bool = False


def place(session: Session, output: Path | None, formats: tuple[str, ...]) -> ReportTarget:
    """Where to, checked before the audit begins; the file's ending chooses the format where `--format` does not.

    Raises usage() for a place that cannot be written.
    """
    if output is None or str(output) == "-":
        return ReportTarget()
    by_ending = _by_ending(output.name.lower())
    if by_ending is not None and not session.raw.get("format"):
        session.raw["format"] = by_ending
        session.settle(formats)
    folder = output.parent
    if output.is_dir():
        raise usage(f"--output: {output} is a folder", "name a file in it")
    if not folder.is_dir():
        raise usage(f"--output: there is no folder {folder}", f"make it first: mkdir -p {folder}")
    if not os.access(output if output.exists() and not output.is_file() else folder, os.W_OK):
        raise usage(f"--output: {folder} may not be written", "name a file in a folder of your own")
    chosen = session.raw.get("format") or session.env.get("KEYADMIN_FORMAT")
    if by_ending is None and output.suffix and not chosen:
        raise usage(f"--output: no format has the extension {output.suffix}", f"use {' '.join(_ENDINGS)}, or --format too")
    return ReportTarget(output)


def _by_ending(name: str) -> str | None:
    """The format of the longest ending that fits."""
    fitting = [ending for ending in _ENDINGS if name.endswith(ending)]
    return _ENDINGS[max(fitting, key=len)] if fitting else None


def show(
    session: Session, whole: AuditReport, wish: AuditSelection, where: ReportTarget, again: str, keeping: Keeping | None = None
) -> None:
    """What is to be shown of the report on stdout or in its file; what is to be said of it on stderr.

    `again` = the command that shows all of it. `keeping` keeps the report: what is printed, where that is all of it as JSON.
    """
    report = shown(whole, wish)
    try:
        if where.printed:
            pass
        elif where.file is None:
            _print(session, report, whole, wish, again, keeping)
        else:
            _write(where.file, lambda: _print(session, report, whole, wish, again, keeping))
            session.console.note(f"Wrote {where.file}.")
    finally:
        if keeping is not None:
            keeping.keep()
    _tell(session, whole, whole=where.file is None and session.format in ("table", "markdown"))


def _write(file: Path, printed: Callable[[], None]) -> None:
    """What `printed` prints, into a file for its owner alone: a report tells where an organisation is weak.

    It is not held in memory. A pipe or a device gets it whole.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape", newline="") as text:
        with contextlib.redirect_stdout(text):
            printed()
        text.seek(0)
        if file.exists() and not file.is_file():
            write_text(file, text.read())
        else:
            write_pieces(file, iter(lambda: bytes(text.buffer.read(_PIECE)), b""))


def _tell(session: Session, report: AuditReport, *, whole: bool) -> None:
    for note in report.notes:
        session.console.note(f"Note: {note}.")
    for text in report.unknown:
        session.console.warning(text)
    if not report.projects:
        session.console.warning("no active project was found there that you see: nothing was audited")
    if report.errors and not whole:
        for error in report.errors[:_ERRORS_SAID]:
            session.console.warning(f"{error.project} could not be checked ({error.cause}): {error.message}")
        if len(report.errors) > _ERRORS_SAID:
            session.console.warning(f"and {len(report.errors) - _ERRORS_SAID} more projects could not be checked")
    session.console.note(f"{report.words()}.")


def _print(
    session: Session, report: AuditReport, whole: AuditReport, wish: AuditSelection, again: str, keeping: Keeping | None
) -> None:
    """The report to stdout."""
    owners = _owners(report)
    match session.format:
        case "json" if keeping is not None and report is whole and not owners and session.fields is None:
            keeping.hear(partial(show_data, session, report.to_json()))
        case "json" | "yaml":
            show_data(session, _document(report, wish, owners))
        case "table" | "markdown" if session.fields is not None:
            show_list(session, report.findings, _view(owners))
        case "jsonl":
            show_data(session, MadeLater(report.findings, partial(_with_owner, owners=owners)))
        case "csv":
            show_list(session, report.findings, _view(owners))
        case "markdown":
            _markdown(session, report, owners)
        case name if name in report_formats.NAMES:
            chosen = report_formats.load(name)
            if warning := chosen.warning(report):
                session.console.warning(warning)
            for piece in chosen.pieces(report):
                streams.write(masked(clean(piece, keep="\n")))
        case _:
            look = Look(wish, again, terminal_width(), session.colour, terminal_height())
            pager.show(session, [masked(line) for line in overview.lines(report, whole, look)])


def _owners(report: AuditReport) -> dict[str, Owner]:
    """The owners that are known, by what the findings are about."""
    return {subject(each): each.owner for each in report.judgements if each.owner is not None}


def _document(report: AuditReport, wish: AuditSelection, owners: Mapping[str, Owner]) -> dict[str, Any]:
    data = report.to_json()
    if owners:
        data["findings"] = MadeLater(report.findings, partial(_with_owner, owners=owners))
    if wish.group_by != "key":
        groups = grouped(report.judgements, wish.group_by)
        data["groups"] = [
            {"name": each.name, "keys": each.keys, "findings": len(each.findings), "bySeverity": each.by_severity}
            for each in groups
        ]
    return data


def _with_owner(finding: Finding, owners: Mapping[str, Owner]) -> dict[str, Any]:
    owner = owners.get(subject(finding)) if owners else None
    if owner is None:
        return finding.to_json()
    return finding.to_json() | {"owner": {"who": list(owner.who), "source": owner.source, "reason": owner.reason}}


def _view(owners: Mapping[str, Owner], *, accepted: bool = True, new: bool = True, owner: bool = True) -> View[Finding]:
    """A line a finding."""
    more = [Column[Finding]("accepted", lambda each: each.accepted.reason if each.accepted else "")] if accepted else []
    more += [Column[Finding]("new", lambda each: each.new)] if new else []
    more += [Column[Finding]("owner", lambda each: _who(owners.get(subject(each))))] if owner else []
    return View(
        (
            Column("severity", lambda each: each.severity.word),
            Column("rule", lambda each: each.rule),
            Column("project", lambda each: each.project),
            Column("key", lambda each: each.key.name if each.key else ""),
            Column("keyName", lambda each: each.key.display_name if each.key else ""),
            Column("message", lambda each: each.message),
            Column("fix", lambda each: each.fix),
            *more,
        ),
        partial(_with_owner, owners=owners),
        "No finding to show.",
    )


def _who(owner: Owner | None) -> str:
    return "" if owner is None else owner.words


def _markdown(session: Session, report: AuditReport, owners: Mapping[str, Owner]) -> None:
    known = report.known
    write(f"# API key audit\n\n{clean(report.words())}.\n\nKnown: {known.words()}.\n")
    if report.accepted or report.new is not None:
        new = f", {report.new} of them new" if report.new is not None else ""
        write(f"{report.accepted} accepted{new}.\n")
    if report.findings:
        view = _view(owners, accepted=report.accepted > 0, new=report.new is not None, owner=bool(owners))
        show_list(session, report.findings, view)
    elif not (report.whole or report).findings:
        write(f"{known.nothing()}\n")
    if report.trend:
        _markdown_trend(session, report)
    for title, texts in (
        ("Projects that could not be checked", [f"{e.project} ({e.cause}): {e.message}" for e in report.errors]),
        ("Notes", [*report.notes, *report.unknown]),
    ):
        if texts:
            write(f"\n## {title}\n")
            for text in texts:
                write(f"- {flat(text)}")


def _markdown_trend(session: Session, report: AuditReport) -> None:
    """Earlier audits of the same scope, then this one."""
    points = [*((each.time, each.by_severity) for each in report.trend), (report.now, report.by_severity)]
    write("\n## Trend\n")
    columns = [Column[Any](word, partial(_of_word, word)) for word in report.by_severity]
    show_list(session, points, View((Column[Any]("time", lambda each: each[0]), *columns), lambda each: each))


def _of_word(word: str, point: tuple[datetime, Mapping[str, int]]) -> int:
    return point[1].get(word, 0)


def flat(text: str) -> str:
    """One line of Markdown that others' words cannot turn into markup."""
    return clean(" ".join(text.split())).replace("<", "&lt;").replace("[", "\\[").replace("`", "\\`")
