"""`keyadmin audit diff`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli import pager, streams
from keyadmin.cli.audit.overview import STYLES
from keyadmin.cli.audit.show import flat
from keyadmin.cli.console import paint
from keyadmin.cli.render import Column, View, show_data, show_list, write
from keyadmin.cli.reveal import masked
from keyadmin.cli.session import Session, current
from keyadmin.cli.text import clean, terminal_width
from keyadmin.model.command_line import typed

if TYPE_CHECKING:
    from keyadmin.audit.baseline import ReportHead
    from keyadmin.audit.diff import AuditDiff, FindingChange

_SHOWN: Final = 20  # of each kind, in a table


def diff(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The earlier report: JSON, or a kept one (.json.gz).")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The later one.")],
) -> None:
    """Compare two audit reports: what is new, worse, changed and gone. A further format is html, for a review.

    Findings are the same if rule and key are the same. "Gone" means that the later audit looked for it and did not find it;
    what it did not check is listed separately.
    """
    from keyadmin.audit.diff import compare

    session = current(context)
    found = compare(old, new)
    _show(session, found)
    for warning in found.warnings:
        session.console.warning(warning)
    session.console.note(f"{found.words()}.")


def _show(session: Session, found: AuditDiff) -> None:
    match session.format:
        case name if session.fields is not None and name != "html":
            show_list(session, found.changes, _VIEW)
        case "json" | "yaml":
            show_data(session, found.to_json() | session.mark)
        case "jsonl" | "csv":
            show_list(session, found.changes, _VIEW)
        case "markdown":
            _markdown(session, found)
        case "html":
            from keyadmin.audit.report.diff_page import pieces

            for piece in pieces(found):
                streams.write(masked(clean(piece, keep="\n")))
        case _:
            show_lines(session, found)


def show_lines(session: Session, found: AuditDiff) -> None:
    """The changes for people, the worst twenty of each kind."""
    pager.show(session, [masked(line) for line in _lines(found, colour=session.colour)])


def _view() -> View[FindingChange]:
    return View(
        (
            Column("change", lambda each: each.kind),
            Column("severity", lambda each: each.finding.severity.word),
            Column("rule", lambda each: each.finding.rule),
            Column("project", lambda each: each.finding.project),
            Column("key", lambda each: each.finding.key or ""),
            Column("keyName", lambda each: each.finding.name),
            Column("message", lambda each: each.finding.message),
            Column("what", lambda each: each.what),
            Column("fix", lambda each: each.finding.fix),
        ),
        lambda each: {"kind": each.kind} | each.to_json(),
        "Nothing changed.",
    )


_VIEW: Final = _view()


def _about(head: ReportHead) -> str:
    time = f"{head.time:%Y-%m-%d %H:%M} UTC" if head.time else "at an unknown time"
    return f"{head.path}: {head.scope}, {time}" + (" (sandbox)" if head.sandbox else "")


def _lines(found: AuditDiff, *, colour: bool) -> Iterator[str]:
    from keyadmin.audit.diff import KINDS, TITLES

    yield clean(f"Before  {_about(found.old)}")
    yield clean(f"Now     {_about(found.new)}")
    for kind in KINDS:
        changes = found.of(kind)
        if not changes:
            continue
        yield ""
        yield paint(f"{TITLES[kind]} ({len(changes)})", "bold", colour)
        for each in changes[:_SHOWN]:
            yield from _change(each, colour=colour)
        if len(changes) > _SHOWN:
            more = typed("audit diff", str(found.old.path), str(found.new.path), format="markdown")
            yield f"  and {len(changes) - _SHOWN} more: {more}"
    if not found.changes:
        yield "Nothing changed."


def _change(each: FindingChange, *, colour: bool) -> Iterator[str]:
    from textwrap import shorten

    item = each.finding
    word = paint(f"{item.severity.word.upper():<6}", STYLES[item.severity], colour)
    label = f"  {clean(item.name or item.key.rpartition('/')[2])}" if item.key else ""
    what = f" ({clean(each.what)})" if each.what else ""
    yield f"  {word}  {clean(item.project)}{label}  {item.rule}{what}"
    if each.kind in ("new", "worse"):
        width = terminal_width() or 120
        yield f"          {clean(shorten(item.message, max(30, width - 10), placeholder='…'))}"
        yield paint(f"          {clean(item.fix)}", "dim", colour)


def _markdown(session: Session, found: AuditDiff) -> None:
    from keyadmin.audit.diff import KINDS, TITLES

    write("# API key audit: what changed\n")
    write(f"{found.words()}.\n")
    for title, head in (("Before", found.old), ("Now", found.new)):
        write(f"- {title}: {flat(_about(head))}")
    for text in found.warnings:
        write(f"- Warning: {flat(text)}")
    for kind in KINDS:
        if changes := found.of(kind):
            write(f"\n## {TITLES[kind]} ({len(changes)})\n")
            show_list(session, changes, _VIEW)
