"""What a run has done, for the ticket: each key before and after, in Markdown, HTML and JSON. From the plan and its journal."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Final

from keyadmin.audit.fix.change import FixChange, restrictions_in_words
from keyadmin.audit.fix.journal import FixRecord
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.plan_file import left_to_json
from keyadmin.model.command_line import typed
from keyadmin.model.key_codec import format_time, restrictions_to_json

SCHEMA_VERSION: Final = 1
_WORDS: Final = {
    "begin": "begun",
    "undo-begin": "undo begun",
    "undo-skipped": "done; not put back",
    "undo-failed": "done; not put back",
    "waiting": "under way",
    "undone": "undone",
}

_VERDICTS: Final = {
    "": "not observed",
    "not-observed": "not observed",
    "not-judged": "not judged",
    "unharmed": "no harm seen",
    "harmed": "keys were harmed",
    "accepted": "the next one came at a person's word",
}


@dataclass(frozen=True, slots=True)
class FixRow:
    """One change of a plan, and how far it is. `at` = when that was said, by the server's clock."""

    change: FixChange
    status: str
    detail: str = ""
    cause: str = ""
    at: datetime | None = None

    @property
    def before(self) -> str:
        """What the key could be used for, in words."""
        return restrictions_in_words(self.change.before)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        change = self.change
        return {
            "key": change.name,
            "project": change.project,
            "displayName": change.display_name,
            "change": change.kind,
            "wave": change.wave,
            "severity": change.severity.word,
            "status": self.status,
            "before": restrictions_to_json(change.before),
            "after": None if change.after is None else restrictions_to_json(change.after),
            "becoming": change.becoming,
            "why": change.why,
            "evidence": None if change.evidence is None else change.evidence.words,
            "detail": self.detail,
            "cause": self.cause or None,
            "at": None if self.at is None else format_time(self.at),
        }


@dataclass(frozen=True)
class FixReport:
    """A run as it stands. `waves` = what was observed behind each, in words; `called` = what `audit undo` takes for it."""

    plan: FixPlan
    rows: tuple[FixRow, ...]
    waves: tuple[str, ...]
    version: str
    called: str

    @property
    def counts(self) -> dict[str, int]:
        """How many changes are how far."""
        return dict(Counter(row.status for row in self.rows))

    @property
    def words(self) -> str:
        """The same in one line."""
        return ", ".join(f"{count} {status}" for status, count in self.counts.items()) or "no change"

    @property
    def about(self) -> str:
        """What the plan has: how many changes of which kind, of how many keys."""
        kinds = Counter(row.change.kind for row in self.rows).most_common()
        keys, projects = ({getattr(row.change, name) for row in self.rows} for name in ("name", "number"))
        told = ", ".join(f"{count} {kind}" for kind, count in kinds)
        return f"{_many(len(self.rows), 'change')} ({told}) of {_many(len(keys), 'key')} in {_many(len(projects), 'project')}"

    @property
    def in_order(self) -> list[FixRow]:
        """What did not go as planned first, then what is done, then what is left."""
        return sorted(self.rows, key=lambda row: (row.status in ("done", "planned"), row.status == "planned"))

    def to_json(self) -> dict[str, Any]:
        """The document."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "run": self.plan.run,
            "planned": format_time(self.plan.created),
            "scope": self.plan.scope.words,
            "summary": {"changes": len(self.rows), "byStatus": self.counts, "left": len(self.plan.left)},
            "waves": list(self.waves),
            "changes": [row.to_json() for row in self.rows],
            "left": [left_to_json(each, command="fix") for each in self.plan.left],
            "undo": typed("audit undo", self.called),
            **({"sandbox": True} if self.plan.sandbox else {}),
        }


def report(plan: FixPlan, record: FixRecord, version: str, called: str) -> FixReport:
    """What became of each change of a plan. `called` = its run's id, or its path where it was named."""
    rows = []
    for change in plan.changes:
        found = record.of(change)
        if found is None:
            rows.append(FixRow(change, "planned"))
        else:
            rows.append(FixRow(change, _WORDS.get(found.step, found.step), found.detail, found.cause, found.at))
    waves = []
    for number, wave in sorted(record.waves.items()):
        ended = f"ended {wave.ended:%Y-%m-%d %H:%M} UTC" if wave.ended is not None else "not ended"
        names = [each for change in plan.changes if (each := f"{change.project} {change.label}") and change.name in wave.harmed]
        harmed = f": {', '.join(dict.fromkeys(names))}" if names else ""
        waves.append(f"wave {number}: {ended}, {_VERDICTS.get(wave.verdict, wave.verdict)}{harmed}")
    return FixReport(plan, tuple(rows), tuple(waves), version, called)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def markdown(found: FixReport) -> str:
    """A page for a ticket."""
    out = [f"# API keys repaired: {found.plan.run}", ""]
    out += [f"Scope: {_flat(found.plan.scope.words)}. Planned {found.plan.created:%Y-%m-%d %H:%M} UTC.", ""]
    out += [f"{found.about}: {found.words}.", ""]
    out += [f"Back: `{typed('audit undo', found.called)}`", ""]
    out += [*(f"- {_flat(wave)}" for wave in found.waves), ""] if found.waves else []
    if found.rows:
        out += ["| Wave | Project | Key | Change | Before | After | Status |", "| --- | --- | --- | --- | --- | --- | --- |"]
        out += [f"| {' | '.join(map(_flat, _cells(row)))} |" for row in found.in_order]
    if found.plan.left:
        out += ["", "## Left alone, or repaired in part", "", "| Severity | Project | Key | Why |", "| --- | --- | --- | --- |"]
        out += [
            f"| {each.severity.word} | {_flat(each.project)} | {_flat(each.display_name or each.name)} | {_flat(each.why)} |"
            for each in found.plan.left
        ]
    return "\n".join(out) + "\n"


def _cells(row: FixRow) -> list[str]:
    change = row.change
    status = row.status + (f": {row.detail}" if row.detail and row.status in ("failed", "skipped") else "")
    key = f"{change.label} ({change.key_id})" if change.display_name else change.key_id
    return [str(change.wave), change.project, key, change.kind, row.before, change.becoming, status]


def _flat(text: str) -> str:
    """One line of Markdown that others' words cannot turn into markup."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{sign}" if sign in "\\|`*_[]~" else sign for sign in plain)


_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; --line: #8886; }
body { margin: 1.5rem auto; max-width: 90rem; padding: 0 1.5rem 4rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } caption { text-align: left; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
"""


def page(found: FixReport) -> str:
    """The same as one HTML file: nothing is loaded from anywhere, everything that others wrote is escaped."""
    plan, title = found.plan, "API keys repaired" + (" (sandbox)" if found.plan.sandbox else "")
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'"
    about = (
        f"Run {plan.run}. Scope: {plan.scope.words}. Planned {plan.created:%Y-%m-%d %H:%M} UTC, by keyadmin {found.version}."
    )
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">',
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_STYLE}</style></head><body>',
        f"<header><h1>{escape(title)}</h1><p>{escape(about)}</p><p>{escape(f'{found.about}: {found.words}')}.</p>",
        f"<p>Back: <code>{escape(typed('audit undo', found.called))}</code></p></header><main>",
        "".join(f"<p>{escape(wave[:1].upper() + wave[1:])}.</p>" for wave in found.waves),
        _table(
            "Changes",
            "change",
            ("Wave", "Project", "Key", "Change", "Before", "After", "Status"),
            [_cells(row) for row in found.in_order],
        ),
        _table(
            "Left alone, or repaired in part",
            "key",
            ("Severity", "Project", "Key", "Why", "What to type"),
            [[e.severity.word, e.project, e.display_name or e.name, e.why, e.command] for e in plan.left],
        ),
        "</main></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _table(title: str, noun: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "\n".join("<tr>" + "".join(f"<td><bdi>{escape(cell)}</bdi></td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<section><h2>{title}</h2><div class="scroll"><table><caption>{_many(len(rows), noun)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )
