"""The page around the keys: its head, the summary, the worst keys for readers without a script, errors, rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import islice
from string import Template
from typing import Final

from keyadmin.audit.judgement import KeyJudgement
from keyadmin.audit.model import Finding, Unseen
from keyadmin.audit.report.html import data
from keyadmin.audit.result import AuditReport
from keyadmin.audit.rule import AuditRule
from keyadmin.audit.rules import rules
from keyadmin.data.pages import PageFiles

FILES: Final = PageFiles(
    "keyadmin.audit.report.html",
    ("report.css", "table.css", "narrow.css"),
    ("data.js", "lines.js", "rows.js", "table.js", "charts.js", "page.js"),
)
_WORST: Final = 50  # keys that stand in the page without its script
_FEW: Final = 20  # projects that stand open in the list of those that could not be checked


def pieces(report: AuditReport) -> Iterator[str]:
    """The page, piece by piece."""
    head, tail = FILES.text("page.html").split("$data")
    parts = _parts(report)
    yield Template(head).substitute(parts)
    yield from data.pieces(report)
    yield Template(tail).substitute(parts)


def _parts(report: AuditReport) -> dict[str, str]:
    return {
        "policy": escape(FILES.policy()),
        "style": FILES.style,
        "script": FILES.script,
        "title": escape("API key audit" + (" (sandbox)" if report.sandbox else "")),
        "scope": escape(report.where),
        "version": escape(report.version),
        "facts": _facts(report),
        "counts": _counts(report),
        "worst": _worst(report),
        "errors": _errors(report.errors),
        "rules": _rules(report),
    }


def _facts(report: AuditReport) -> str:
    source = "Cloud Asset Inventory" if report.source == "asset" else "the API Keys API"
    notes = [f"{note[:1].upper()}{note[1:]}." for note in (report.known.words(), *report.notes, *report.unknown)]
    lines = [
        f"As of {report.now:%Y-%m-%d %H:%M} UTC, from {source}.",
        f"Longest age allowed: {report.max_age.days} days.",
        *_left_out(report),
        *notes,
    ]
    made = '<li class="sandbox">Made in the sandbox: nothing here is real.</li>' if report.sandbox else ""
    return made + "".join(f"<li>{escape(line)}</li>" for line in lines)


def _left_out(report: AuditReport) -> list[str]:
    """How many keys with findings are not in the page, where somebody asked for some."""
    if report.whole is None or len(report.whole.judgements) == len(report.judgements):
        return []
    return [f"Shown as asked for: {len(report.judgements):,} of {len(report.whole.judgements):,} keys with findings."]


def _counts(report: AuditReport) -> str:
    numbers = [(word, f"{word} findings", count) for word, count in report.by_severity.items()]
    numbers += [("", "projects", report.projects), ("", "keys", report.keys)]
    numbers += [("", "accepted findings", report.accepted)] if report.accepted else []
    numbers += [("", "new findings", report.new)] if report.new is not None else []
    numbers += [("high", "projects not checked", len(report.errors))] if report.errors else []
    return "".join(f'<li class="{kind}"><b>{count:,}</b>{escape(word)}</li>' for kind, word, count in numbers)


def _worst(report: AuditReport) -> str:
    rows = "".join(map(_row, islice(report.judgements, _WORST)))
    if not rows:
        return f"<p>{escape(report.known.nothing())}</p>"
    head = _head("Severity", "Project", "Key", "What was found", "What to type")
    rest = len(report.judgements) - _WORST
    more = f"<p>And {rest:,} more keys, which the script shows.</p>" if rest > 0 else ""
    return f'<table class="listing"><thead>{head}</thead><tbody>{rows}</tbody></table>{more}'


def _row(judged: KeyJudgement) -> str:
    word, key = judged.severity.word, judged.key
    label = key.display_name or key.key_id if key else "(the project)"
    named = f"<bdi>{escape(label)}</bdi>" + (f'<code class="second">{escape(key.key_id)}</code>' if key else "")
    found = "".join(f"<li>{_found(each)}</li>" for each in judged.findings)
    steps = "".join(f"<li>{escape(step.why)}<br><code>{escape(step.command)}</code></li>" for step in judged.steps)
    return (
        f'<tr><td class="{word}">{word}</td><td>{escape(judged.project)}</td><th scope="row">{named}</th>'
        f"<td><ul>{found}</ul></td><td><ol>{steps}</ol></td></tr>\n"
    )


def _found(finding: Finding) -> str:
    accepted = f" (accepted: {escape(finding.accepted.reason)})" if finding.accepted else ""
    return f'<a href="#{finding.rule}">{finding.rule}</a>: {escape(finding.message)}{accepted}'


def _head(*titles: str) -> str:
    return "<tr>" + "".join(f'<th scope="col">{title}</th>' for title in titles) + "</tr>"


def _errors(errors: Iterable[Unseen]) -> str:
    """By what went wrong, since a hundred projects may have one reason."""
    alike: dict[tuple[str, str], list[str]] = {}
    for error in errors:
        alike.setdefault((error.cause, error.message.replace(error.project, "PROJECT")), []).append(error.project)
    if not alike:
        return ""
    worst_first = sorted(alike.items(), key=lambda each: -len(each[1]))
    rows = "".join(_alike(cause, message, projects) for (cause, message), projects in worst_first)
    return (
        "<section><h2>Projects that could not be checked</h2><p>What is in them is unknown. It may be right or wrong.</p>"
        f'<table class="listing"><thead>{_head("Cause", "Reason", "Projects")}</thead><tbody>{rows}</tbody></table></section>'
    )


def _alike(cause: str, message: str, projects: list[str]) -> str:
    names = escape(", ".join(projects))
    if len(projects) == 1:
        message = message.replace("PROJECT", projects[0])
    if len(projects) > _FEW:
        names = f"<details><summary>{len(projects):,} projects</summary>{names}</details>"
    return f'<tr><th scope="row">{escape(cause)}</th><td>{escape(message)}</td><td>{names}</td></tr>'


def _rules(report: AuditReport) -> str:
    used = dict.fromkeys(finding.rule for finding in report.findings)
    found: list[AuditRule] = [rules()[rule] for rule in report.rules if rule in used]
    entries = "".join(
        f'<h3 id="{rule.id}">{escape(rule.title)} ({rule.id})</h3><p>{escape(rule.help)}</p><p>{escape(rule.fix)}</p>'
        f'<p>Source: <a rel="noreferrer" href="{escape(rule.source)}">{escape(rule.source)}</a></p>'
        for rule in found
    )
    return f"<section><h2>The rules</h2>{entries}</section>" if entries else ""
