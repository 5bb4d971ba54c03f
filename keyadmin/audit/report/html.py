"""A report as one HTML file: nothing is loaded from anywhere, everything in it that others wrote is escaped.

It reads, prints and can be searched without its script, which adds sorting and filtering.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from keyadmin.audit.model import Finding, Severity
from keyadmin.audit.report.format import ReportFormat
from keyadmin.audit.result import AuditReport
from keyadmin.audit.rule import AuditRule
from keyadmin.audit.rules import rules

# Contrasts are 4.5 to 1 or more, in light and in dark (WCAG 2.2 AA).
_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; --line: #8886; --high: #b00020; --medium: #8a4b00;
  --low: #1a5a9c; --info: #555; }
@media (prefers-color-scheme: dark) { :root { --high: #ff8a8a; --medium: #ffb866; --low: #8fc3ff; --info: #bbb; } }
body { margin: 1.5rem auto; max-width: 90rem; padding: 0 1.5rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .2rem; }
p { margin: .3rem 0; max-width: 70ch; }
.counts { display: flex; flex-wrap: wrap; gap: .8rem; padding: 0; margin: 1rem 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: 6px; padding: .5rem 1rem; min-width: 6rem; }
.counts b { display: block; font-size: 1.6rem; }
.high { color: var(--high); } .medium { color: var(--medium); } .low { color: var(--low); } .info { color: var(--info); }
.severity { font-weight: 600; white-space: nowrap; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
thead th { white-space: nowrap; }
th button { all: unset; cursor: pointer; }
th button:focus-visible, input:focus-visible, a:focus-visible { outline: 2px solid; outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: " \\25B2"; }
th[aria-sort=descending] button::after { content: " \\25BC"; }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
.id { display: block; color: var(--info); }
.tools { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin: .5rem 0; }
.tools input[type=search] { font: inherit; padding: .3rem .5rem; min-width: 16rem; }
@media print { .tools { display: none; } body { max-width: none; margin: 0; padding: 0; font-size: 10pt; }
  .scroll { overflow: visible; } tr { break-inside: avoid; } thead { display: table-header-group; } }
"""

_SCRIPT: Final = """
"use strict";
const table = document.getElementById("findings");
if (table) {
  const body = table.tBodies[0], rows = Array.from(body.rows), tools = document.getElementById("tools");
  const text = document.getElementById("text"), count = document.getElementById("count");
  const boxes = Array.from(tools.querySelectorAll("input[type=checkbox]"));
  const words = rows.map(row => row.textContent.toLowerCase());
  const show = () => {
    const wanted = text.value.toLowerCase(), on = new Set(boxes.filter(box => box.checked).map(box => box.value));
    let shown = 0;
    rows.forEach((row, place) => {
      row.hidden = !(on.has(row.dataset.severity) && words[place].includes(wanted));
      if (!row.hidden) shown += 1;
    });
    count.textContent = shown + " of " + rows.length + " findings";
  };
  text.addEventListener("input", show);
  boxes.forEach(box => box.addEventListener("change", show));
  Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
    const button = document.createElement("button");
    button.textContent = cell.textContent;
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = cell.getAttribute("aria-sort") !== "ascending";
      Array.from(table.tHead.rows[0].cells).forEach(other => other.removeAttribute("aria-sort"));
      cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = row => row.cells[column].dataset.order || row.cells[column].textContent;
      const sorted = rows.slice().sort((a, b) => (up ? 1 : -1) * value(a).localeCompare(value(b), "en", {numeric: true}));
      body.append(...sorted);
    });
  });
  tools.hidden = false;
  show();
}
"""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(_STYLE)}",
        f"script-src {_hash(_SCRIPT)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


def page(report: AuditReport) -> str:
    """The whole page."""
    title = "API key audit" + (" (sandbox)" if report.sandbox else "")
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">',
        f'<link rel="icon" href="data:,"><title>{escape(title)}: {escape(report.where)}</title><style>{_STYLE}</style></head>',
        f"<body><header><h1>{escape(title)}</h1>{_heading(report)}</header><main>",
        _counts(report),
        _errors(report),
        _findings(report),
        _rules(report),
        f"</main><script>{_SCRIPT}</script></body></html>",
    ]
    return "\n".join(part for part in parts if part)


def _heading(report: AuditReport) -> str:
    source = "Cloud Asset Inventory" if report.source == "asset" else "the API Keys API"
    lines = [
        f"Scope: {report.where}. From {source}, by keyadmin {report.version}.",
        f"{report.now:%Y-%m-%d %H:%M} UTC. Longest age allowed: {report.max_age.days} days.",
        *(f"{note[:1].upper()}{note[1:]}." for note in (*report.notes, *report.unknown)),
    ]
    if report.sandbox:
        lines.insert(0, "Made in keyadmin's sandbox: nothing here is real.")
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _counts(report: AuditReport) -> str:
    numbers = [("", "projects", report.projects), ("", "keys", report.keys)]
    numbers += [(word, word, count) for word, count in report.by_severity.items()]
    numbers += [("high" if report.errors else "", "projects not checked", len(report.errors))]
    items = "".join(f'<li class="{kind}"><b>{count}</b>{escape(word)}</li>' for kind, word, count in numbers)
    return f'<ul class="counts" aria-label="Summary">{items}</ul>'


def _errors(report: AuditReport) -> str:
    if not report.errors:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(each.project)}</th><td>{escape(each.cause)}</td><td>{escape(each.message)}</td></tr>'
        for each in report.errors
    )
    return (
        "<section><h2>Projects that could not be checked</h2><p>What is in them is unknown, not right.</p>"
        f'<div class="scroll"><table><thead>{_head("Project", "Cause", "Reason")}</thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )


def _findings(report: AuditReport) -> str:
    if not report.findings:
        return "<section><h2>Findings</h2><p>None.</p></section>"
    boxes = "".join(
        f'<label><input type="checkbox" value="{word}" checked> {word} ({count})</label>'
        for word, count in report.by_severity.items()
    )
    head = _head("Severity", "Project", "Key", "Finding", "What to type")
    return (
        '<section><h2>Findings</h2><div class="tools" id="tools" hidden>'
        f'<label>Filter <input type="search" id="text"></label>{boxes}<span id="count" role="status"></span></div>'
        f'<div class="scroll"><table id="findings"><caption>{escape(report.words())}</caption><thead>{head}</thead><tbody>'
        f"{''.join(map(_row, report.findings))}</tbody></table></div></section>"
    )


def _head(*titles: str) -> str:
    return "<tr>" + "".join(f'<th scope="col">{title}</th>' for title in titles) + "</tr>"


def _row(finding: Finding) -> str:
    word, key = finding.severity.word, finding.key
    named = f'<bdi>{escape(finding.label)}</bdi><code class="id">{escape(key.key_id)}</code>' if key else "(the project)"
    return (
        f'<tr data-severity="{word}"><td class="severity {word}" data-order="{Severity.HIGH - finding.severity}">{word}</td>'
        f'<td>{escape(finding.project)}</td><th scope="row">{named}</th>'
        f'<td><a href="#{finding.rule}">{finding.rule}</a><br>{escape(finding.message)}</td>'
        f"<td><code>{escape(finding.fix)}</code></td></tr>\n"
    )


def _rules(report: AuditReport) -> str:
    used: Iterable[AuditRule] = (rules()[rule] for rule, count in report.by_rule.items() if count)
    entries = "".join(
        f'<h3 id="{rule.id}">{escape(rule.title)} ({rule.id})</h3><p>{escape(rule.help)}</p><p>{escape(rule.fix)}</p>'
        f'<p>Source: <a rel="noreferrer" href="{escape(rule.source)}">{escape(rule.source)}</a></p>'
        for rule in used
    )
    return f"<section><h2>The rules</h2>{entries}</section>" if entries else ""


def _pieces(report: AuditReport) -> Iterator[str]:
    yield page(report) + "\n"


FORMAT: Final = ReportFormat(_pieces)
