"""The difference of two reports as one HTML page for a review: nothing is loaded, nothing runs, what others wrote is text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from keyadmin.audit.baseline import ReportHead
from keyadmin.audit.diff import KINDS, TITLES, AuditDiff, FindingChange
from keyadmin.data.pages import PageFiles

_FILES: Final = PageFiles("keyadmin.audit.report.html", ("report.css", "table.css", "narrow.css"), ())


def pieces(diff: AuditDiff) -> Iterator[str]:
    """The page, piece by piece."""
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_FILES.policy())}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>API key audit: what changed</title><style>{_FILES.style}</style></head>"
        f"<body><h1>API key audit: what changed</h1><p>{escape(diff.words())}.</p>"
    )
    yield f"<ul><li>Before: {_about(diff.old)}</li><li>Now: {_about(diff.new)}</li>"
    yield from (f"<li>Warning: {escape(text)}</li>" for text in diff.warnings)
    yield "</ul>\n"
    for kind in KINDS:
        if found := diff.of(kind):
            yield f"<h2>{TITLES[kind]} ({len(found)})</h2>"
            yield from _table(found)
    yield "</body></html>\n"


def _about(head: ReportHead) -> str:
    time = f"{head.time:%Y-%m-%d %H:%M} UTC" if head.time else "at a time it does not say"
    return escape(f"{head.scope}, {time}, {head.path.name}" + (" (sandbox)" if head.sandbox else ""))


def _table(changes: Sequence[FindingChange]) -> Iterator[str]:
    titles = ("Severity", "Project", "Key", "Rule", "What was found", "What to type")
    heads = "".join(f'<th scope="col">{title}</th>' for title in titles)
    yield f'<div class="scroll"><table class="listing"><thead><tr>{heads}</tr></thead><tbody>\n'
    for each in changes:
        found = each.finding
        named = f"<bdi>{escape(found.name or found.key.rpartition('/')[2])}</bdi>" if found.key else "(the project)"
        what = f"<br>{escape(each.what)}" if each.what else ""
        fix = f"<code>{escape(found.fix)}</code>" if each.kind != "gone" else ""
        yield (
            f'<tr><td class="{found.severity.word}">{found.severity.word}</td><td>{escape(found.project)}</td><td>{named}</td>'
            f"<td>{escape(found.rule)}</td><td>{escape(found.message)}{what}</td><td>{fix}</td></tr>\n"
        )
    yield "</tbody></table></div>\n"
