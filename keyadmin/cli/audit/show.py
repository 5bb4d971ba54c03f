"""How an audit's report is shown or written to a file, in each of its formats."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from keyadmin.audit import report as report_formats
from keyadmin.audit.model import Finding, Severity
from keyadmin.audit.result import AuditReport
from keyadmin.cli import streams
from keyadmin.cli.console import paint
from keyadmin.cli.render import Column, View, show_data, show_list, write
from keyadmin.cli.reveal import masked
from keyadmin.cli.session import Session
from keyadmin.cli.text import clean
from keyadmin.local.files import write_text
from keyadmin.model.problem import usage

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
_STYLES: Final = {Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "blue", Severity.INFO: "dim"}
_ERRORS_SAID: Final = 10
_ALIKE: Final = 5


@dataclass(frozen=True)
class ReportTarget:
    """Where the report goes; `file` None = stdout."""

    file: Path | None = None


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
        raise usage(f"--output: no format goes by the ending {output.suffix}", f"use {' '.join(_ENDINGS)}, or --format too")
    return ReportTarget(output)


def _by_ending(name: str) -> str | None:
    """The format of the longest ending that fits."""
    fitting = [ending for ending in _ENDINGS if name.endswith(ending)]
    return _ENDINGS[max(fitting, key=len)] if fitting else None


def show(session: Session, report: AuditReport, where: ReportTarget) -> None:
    """The report on stdout or in its file; what is to be said of it on stderr."""
    if where.file is None:
        _print(session, report)
    else:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            _print(session, report)
        write_text(where.file, text.getvalue())  # for the owner alone: a report tells where an organisation is weak
        session.console.note(f"Wrote {where.file}.")
    _tell(session, report, whole=where.file is None and session.format in ("table", "markdown"))


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


def _print(session: Session, report: AuditReport) -> None:
    """The report to stdout."""
    match session.format:
        case "json" | "yaml":
            show_data(session, report.to_json())
        case "jsonl":
            show_data(session, [finding.to_json() for finding in report.findings])
        case "csv":
            show_list(session, report.findings, _VIEW)
        case "markdown":
            _markdown(session, report)
        case name if name in report_formats.NAMES:
            chosen = report_formats.load(name)
            if warning := chosen.warning(report):
                session.console.warning(warning)
            for piece in chosen.pieces(report):
                streams.write(masked(clean(piece, keep="\n")))
        case _:
            for line in _lines(report, colour=session.colour):
                write(line)


_VIEW: Final = View[Finding](
    (
        Column("severity", lambda each: each.severity.word),
        Column("rule", lambda each: each.rule),
        Column("project", lambda each: each.project),
        Column("key", lambda each: each.key.name if each.key else ""),
        Column("keyName", lambda each: each.key.display_name if each.key else ""),
        Column("message", lambda each: each.message),
        Column("fix", lambda each: each.fix),
    ),
    lambda each: each.to_json(),
    "No findings.",
)


def _markdown(session: Session, report: AuditReport) -> None:
    write(f"# API key audit\n\n{clean(report.words())}.\n")
    if report.findings:
        show_list(session, report.findings, _VIEW)
    for title, texts in (
        ("Projects that could not be checked", [f"{e.project} ({e.cause}): {e.message}" for e in report.errors]),
        ("Notes", [*report.notes, *report.unknown]),
    ):
        if texts:
            write(f"\n## {title}\n")
            for text in texts:
                write(f"- {_flat(text)}")


def _flat(text: str) -> str:
    """One line of Markdown that others' words cannot turn into markup."""
    return clean(" ".join(text.split())).replace("<", "&lt;").replace("[", "\\[").replace("`", "\\`")


def _lines(report: AuditReport, *, colour: bool) -> Iterator[str]:
    """For people: by severity, then by project, each finding with what to type; then what could not be checked."""
    for severity, of_severity in groupby(report.findings, key=lambda each: each.severity):
        found = list(of_severity)
        yield paint(f"{severity.word.upper()} ({len(found)})", _STYLES[severity], colour)
        for project, of_project in groupby(found, key=lambda each: each.project):
            yield f"\n  {paint(clean(project), 'bold', colour)}"
            for _, of_rule in groupby(of_project, key=lambda each: each.rule):
                yield from _alike(list(of_rule), _STYLES[severity], colour)
        yield ""
    if report.errors:
        yield paint(f"NOT LOOKED AT ({len(report.errors)})", "red", colour)
        for error in report.errors:
            yield f"\n  {paint(clean(error.project), 'bold', colour)}  {clean(error.cause)}"
            yield f"    {clean(' '.join(error.message.split()))}"
        yield ""
    if not report.findings:
        yield "No findings."


def _alike(findings: list[Finding], style: str, colour: bool) -> Iterator[str]:
    """What one rule found in one project; of many the first ones, with the command that lists all."""
    for finding in findings[:_ALIKE]:
        label = f"  {clean(finding.label)}" if finding.key else ""
        yield f"    {paint(finding.rule, style, colour)}{label}"
        yield f"      {clean(finding.message)}"
        yield paint(f"      {clean(finding.fix)}", "dim", colour)
    if len(findings) > _ALIKE:
        rule, project = findings[0].rule, clean(findings[0].project)
        yield f"    {paint(rule, style, colour)}  and {len(findings) - _ALIKE} more keys:"
        yield paint(f"      keyadmin audit --projects {project} --rule {rule} --format csv", "dim", colour)
