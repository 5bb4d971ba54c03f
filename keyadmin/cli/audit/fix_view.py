"""How plans, runs and undos are shown."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from keyadmin.audit.fix.change import REASONS, FixChange, LeftAlone, restrictions_in_words
from keyadmin.audit.fix.execute import FixOutcome
from keyadmin.audit.fix.observe import WaveVerdict
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.plan_file import change_to_json, plan_to_json
from keyadmin.audit.fix.report import FixReport, FixRow, markdown, page
from keyadmin.audit.fix.run import told
from keyadmin.audit.fix.undo import UndoOutcome, UndoTarget
from keyadmin.audit.model import Severity
from keyadmin.audit.result import AuditReport
from keyadmin.cli import streams
from keyadmin.cli.render import Column, View, show_data, show_list, show_table, write
from keyadmin.cli.reveal import masked
from keyadmin.cli.session import Session
from keyadmin.cli.text import clean, counted
from keyadmin.local.files import write_text
from keyadmin.model.command_line import typed
from keyadmin.model.duration import words

if TYPE_CHECKING:
    from keyadmin.cli.audit.show import ReportTarget

T = TypeVar("T")
SHOWN: Final = 12
_LEFT_SHOWN: Final = 8
_REASONS: Final = 10
_TELL_FROM: Final = 60.0  # seconds that a quota costs, from where on it is said beforehand

_CHANGES: Final = View[FixChange](
    (
        Column("wave", lambda each: each.wave),
        Column("change", lambda each: each.kind),
        Column("project", lambda each: each.project),
        Column("key", lambda each: each.label, fold=True),
        Column("before", lambda each: restrictions_in_words(each.before), fold=True),
        Column("after", lambda each: each.becoming, fold=True),
        Column("why", lambda each: each.why, below=True),
    ),
    change_to_json,
    "Nothing to change.",
)
_ROWS: Final = View[FixRow](
    (
        Column("wave", lambda each: each.change.wave),
        Column("change", lambda each: each.change.kind),
        Column("project", lambda each: each.change.project),
        Column("key", lambda each: each.change.label, fold=True),
        Column("status", lambda each: each.status),
        Column("before", lambda each: each.before, fold=True),
        Column("after", lambda each: each.change.becoming, fold=True),
        Column("detail", lambda each: "" if each.detail in (each.change.becoming, "deleted") else each.detail, below=True),
    ),
    lambda each: each.to_json(),
    "Nothing to change.",
)
_UNDONE: Final = View[UndoOutcome](
    (
        Column("change", lambda each: each.change.kind),
        Column("project", lambda each: each.change.project),
        Column("key", lambda each: each.change.label, fold=True),
        Column("status", lambda each: "undone" if each.status == "done" else each.status),
        Column("now", lambda each: restrictions_in_words(each.change.before) if each.status == "done" else "", fold=True),
        Column("detail", lambda each: "" if each.status == "done" else each.detail, below=True),
    ),
    lambda each: {
        "key": each.change.name,
        "project": each.change.project,
        "displayName": each.change.display_name,
        "change": each.change.kind,
        "status": "undone" if each.status == "done" else each.status,
        "detail": each.detail,
        "cause": each.cause or None,
    },
    "Nothing to undo.",
)
_TARGETS: Final = View[UndoTarget](
    (
        Column("change", lambda each: each.change.kind),
        Column("project", lambda each: each.change.project),
        Column("key", lambda each: each.change.label, fold=True),
        Column(
            "now", lambda each: "deleted" if each.key.delete_time else restrictions_in_words(each.key.restrictions), fold=True
        ),
        Column("then", lambda each: restrictions_in_words(each.before or each.key.restrictions), fold=True),
    ),
    lambda each: {"key": each.change.name, "project": each.change.project, "change": each.change.kind, "opens": each.opens},
    "Nothing to undo.",
)


def tell_audit(session: Session, report: AuditReport, *, beyond: bool) -> None:
    """What the plan rests on."""
    for note in report.notes:
        session.console.note(f"Note: {note.removesuffix('.')}.")
    for error in report.errors[:SHOWN]:
        session.console.warning(f"{error.project} could not be checked ({error.cause}): {error.message}")
    if len(report.errors) > SHOWN:
        session.console.warning(f"and {len(report.errors) - SHOWN} more projects could not be checked")
    session.console.note(f"Audited: {report.words()}.")
    if beyond:
        kept = "Cloud Monitoring keeps the use of six weeks: as unused counts a key without a call in these that is old enough"
        session.console.note(f"{kept}; what was before nobody knows.")


def show_plan(session: Session, plan: FixPlan, *, beside_file: bool = False) -> None:
    """The plan on stdout: for people the first changes of it, for programs all of it.

    `beside_file` = the format is that of a report in a file.
    """
    if not beside_file and session.format in ("json", "yaml"):
        show_data(session, plan_to_json(plan))
        return
    if session.format == "table" or beside_file:
        _first(session, plan.changes, _CHANGES, "change", lambda change: change.kind)
    else:
        show_list(session, plan.changes, _CHANGES)


def tell_plan(session: Session, plan: FixPlan, seconds: float) -> None:
    """The waves, what is left alone, and how long it takes, on stderr."""
    kinds = Counter(change.kind for change in plan.changes)
    if plan.changes:
        said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        sizes = [str(len(wave.changes)) for wave in plan.waves]
        waves = f"in waves of {' + '.join(sizes)}" if len(sizes) > 1 else "in one wave"
        session.console.note(f"{counted(len(plan.changes), 'change')} ({said}) {waves}.", always=True)
    if seconds > _TELL_FROM:
        took = words(timedelta(seconds=seconds))
        text = f"{counted(plan.writes, 'call')} that change keys: under the quota that takes {took}, not counting observation"
        session.console.note(f"{text}; quicker: --charge-projects.", always=True)
    _tell_left(session, plan)


def reasons(trouble: Sequence[FixOutcome]) -> list[str]:
    """Why changes are not made, the first ones with the key."""
    out = [f"{each.change.project} {each.change.key_id}: {each.detail} [{each.cause}]" for each in trouble[:_REASONS]]
    return [*out, f"and {len(trouble) - _REASONS} more"] if len(trouble) > _REASONS else out


def tell_foreseen(session: Session, trouble: Sequence[FixOutcome], seen: Sequence[FixOutcome]) -> None:
    """What would be refused as things are, and what nobody can tell before the change itself."""
    if trouble:
        session.console.warning(f"{len(trouble)} of {counted(len(seen), 'change')} could not be made as things stand")
        for reason in reasons(trouble):
            session.console.note(f"  {reason}", always=True)
    tell_unknown(session, [text for each in seen for text in each.unknown], "change")


def tell_unknown(session: Session, texts: Sequence[str], noun: str) -> None:
    """What could not be found out beforehand, each with the number of changes that it is about."""
    told = Counter(texts).most_common()
    for text, count in told[:_REASONS]:
        session.console.warning(f"{counted(count, noun)}: {text}; only the change itself will show it")
    if len(told) > _REASONS:
        session.console.warning(f"and {len(told) - _REASONS} more things that are not known beforehand")


def _tell_left(session: Session, plan: FixPlan) -> None:
    """What no change repairs: high findings by name with what to type, one of each reason first; the others counted."""
    high = [each for each in plan.left if each.severity is Severity.HIGH]
    changed, seen = {change.name for change in plan.changes}, Counter[Hashable]()
    for each in sorted(high, key=lambda one: _nth(seen, one.reason))[:_LEFT_SHOWN]:
        how = "repaired in part" if each.name in changed else "left alone"
        session.console.warning(f"{how}: {each.project} {each.display_name or each.name}: {each.why}")
        session.console.note(f"  {each.command}", always=True)
    if len(high) > _LEFT_SHOWN:
        text = f"{len(high)} keys keep high findings ({_by_reason(high)}); --out and --format json name each"
        session.console.warning(f"{text}, with its command")
    if others := [each for each in plan.left if each.severity is not Severity.HIGH]:
        session.console.note(f"With lesser findings: {_by_reason(others)}.")


def _nth(seen: Counter[Hashable], kind: Hashable) -> int:
    """Which of its kind it is: the first, the second."""
    seen[kind] += 1
    return seen[kind]


def _by_reason(left: Sequence[LeftAlone]) -> str:
    counts = Counter(each.reason for each in left)
    return ", ".join(f"{count} {REASONS.get(reason, reason)}" for reason, count in counts.most_common())


def show_report(session: Session, found: FixReport, where: ReportTarget) -> None:
    """What became of the plan, on stdout or in a file, and in a line."""
    session.console.note(f"Of {counted(len(found.rows), 'change')}: {found.words}.")
    if where.file is None:
        _print(session, found)
        return
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        _print(session, found)
    write_text(where.file, text.getvalue())  # for the owner alone: it tells where an organisation was weak
    session.console.note(f"Wrote {where.file}.")


def _print(session: Session, found: FixReport) -> None:
    match session.format:
        case "json" | "yaml":
            show_data(session, found.to_json())
        case "jsonl":
            pass  # its events were written as they happened
        case "html" | "markdown":
            text = page(found) if session.format == "html" else markdown(found)
            streams.write(masked(clean(text, keep="\n")))
        case "csv":
            show_list(session, found.rows, _ROWS)
        case _:
            _table(session, found)


def _table(session: Session, found: FixReport) -> None:
    """For people: what is not as planned first, then the rest as far as it has room."""
    _first(session, found.in_order, _ROWS, "change")


def tell_harm(session: Session, verdicts: Sequence[WaveVerdict], plan: FixPlan, called: str) -> None:
    """What was observed: harmed keys by name, each with the command that puts it back."""
    for verdict in verdicts:
        session.console.note(f"Wave {verdict.wave}: {told(verdict)}.", always=True)
        for harm in verdict.harmed[:SHOWN]:
            session.console.warning(f"{_label(plan, harm.name)}: {harm.why}")
            session.console.note(f"  put it back: {typed('audit undo', called, key=harm.name)}", always=True)
        if len(verdict.harmed) > SHOWN:
            session.console.warning(f"and {len(verdict.harmed) - SHOWN} more keys; the journal names each")


def _label(plan: FixPlan, name: str) -> str:
    """A key by its project and name for people, with its full name."""
    found = next((each for each in plan.changes if each.name == name), None)
    return f"{found.project} {found.label} ({name})" if found is not None else name


def _first(
    session: Session, rows: Sequence[T], view: View[T], noun: str, kind: Callable[[T], Hashable] = lambda row: None
) -> None:
    """The first rows of each kind in their order, and how many more there are."""
    seen: Counter[Hashable] = Counter()
    ranked = sorted((_nth(seen, kind(row)), place) for place, row in enumerate(rows))
    show_table(session, [rows[place] for place in sorted(place for _, place in ranked[:SHOWN])], view)
    if len(rows) > SHOWN:
        write(f"... and {counted(len(rows) - SHOWN, f'more {noun}')}; --format csv shows all")


def _whole(session: Session, rows: Sequence[T], view: View[T], kind: Callable[[T], Hashable]) -> None:
    if session.format == "table":
        _first(session, rows, view, "key", kind)
    else:
        show_list(session, rows, view)


def show_undone(session: Session, outcomes: Sequence[UndoOutcome]) -> None:
    """What became of an undo."""
    _whole(session, outcomes, _UNDONE, lambda each: (each.status, each.change.kind))


def show_targets(session: Session, targets: Sequence[UndoTarget]) -> None:
    """What an undo would do."""
    _whole(session, targets, _TARGETS, lambda each: each.change.kind)
