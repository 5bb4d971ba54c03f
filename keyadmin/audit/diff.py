"""Two written reports side by side: what is new, gone, worse, or changed otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from keyadmin.audit.baseline import ReportHead, WrittenFinding, read_report
from keyadmin.audit.model import Severity
from keyadmin.audit.result import SCHEMA_VERSION
from keyadmin.model.key_codec import format_time

ChangeKind = Literal["new", "worse", "changed", "gone", "unknown"]
KINDS: Final[tuple[ChangeKind, ...]] = ("new", "worse", "changed", "gone", "unknown")
TITLES: Final[dict[ChangeKind, str]] = {
    "new": "New",
    "worse": "Worse",
    "changed": "Changed",
    "gone": "Gone",
    "unknown": "Not checked this time",
}


@dataclass(frozen=True, slots=True)
class FindingChange:
    """One difference. `what` = in words what is different, or why it is not known whether anything is."""

    kind: ChangeKind
    finding: WrittenFinding
    what: str = ""

    def to_json(self) -> dict[str, Any]:
        """The finding's object, and what is different."""
        return self.finding.to_json() | ({"change": self.what} if self.what else {})


@dataclass(frozen=True)
class AuditDiff:
    """What two reports differ in, each kind the worst first; `warnings` = why they may not be comparable."""

    old: ReportHead
    new: ReportHead
    changes: tuple[FindingChange, ...]
    warnings: tuple[str, ...] = ()

    def of(self, kind: ChangeKind) -> list[FindingChange]:
        """The changes of a kind."""
        return [each for each in self.changes if each.kind == kind]

    def counts(self) -> dict[ChangeKind, int]:
        """How many of each kind."""
        return {kind: len(self.of(kind)) for kind in KINDS}

    def words(self) -> str:
        """In one line."""
        return ", ".join(
            f"{count} {TITLES[kind].lower()}" for kind, count in self.counts().items() if count or kind != "unknown"
        )

    def to_json(self) -> dict[str, Any]:
        """One document: the two reports, the counts, and the findings by kind."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "old": _about(self.old),
            "new": _about(self.new),
            "summary": self.counts(),
            "changes": {kind: [each.to_json() for each in self.of(kind)] for kind in KINDS},
        }


def _about(head: ReportHead) -> dict[str, Any]:
    time = format_time(head.time) if head.time else None
    sandbox = {"sandbox": True} if head.sandbox else {}
    return {"file": str(head.path), "time": time, "scope": head.scope, "summary": dict(head.summary), **sandbox}


@dataclass(frozen=True, slots=True)
class _Known:
    """What has to be remembered of a finding of the old report: there may be hundreds of thousands."""

    severity: Severity
    accepted: bool
    name: str


def compare(old: Path, new: Path) -> AuditDiff:
    """Read both, one after the other; what is gone is read once more. Raises Problem (exit 2) with the place of a mistake."""
    known: dict[int, _Known] = {}
    before: ReportHead | None = None
    after: ReportHead | None = None
    for each in read_report(old):
        if isinstance(each, ReportHead):
            before = each
        else:
            known[each.identity] = _Known(each.severity, each.accepted is not None, each.name)
    assert before is not None
    changes: list[FindingChange] = []
    for each in read_report(new):
        if isinstance(each, ReportHead):
            after = each
        elif (found := known.pop(each.identity, None)) is None:
            changes.append(FindingChange("new", each, _why_new(each, before)))
        else:
            changes += _changes(found, each)
    assert after is not None
    if known:
        changes += [_gone(each, after) for each in _findings(old) if each.identity in known]
    changes.sort(key=lambda each: (-each.finding.severity, each.finding.project, each.finding.rule, each.finding.key or ""))
    return AuditDiff(before, after, tuple(changes), tuple(_warnings(before, after)))


def _findings(path: Path) -> Iterator[WrittenFinding]:
    return (each for each in read_report(path) if isinstance(each, WrittenFinding))


def _why_new(finding: WrittenFinding, before: ReportHead) -> str:
    """Why the earlier report may not have it though it was there."""
    if finding.project in before.unchecked:
        return "the project could not be checked before"
    return "" if finding.rule in before.rules else "the rule was not applied before"


def _changes(old: _Known, now: WrittenFinding) -> Iterator[FindingChange]:
    if now.severity > old.severity:
        yield FindingChange("worse", now, f"{old.severity.word} before")
        return
    what = []
    if now.severity < old.severity:
        what.append(f"{old.severity.word} before")
    if (now.accepted is not None) != old.accepted:
        what.append("no longer accepted" if old.accepted else f"accepted: {now.accepted}")
    if now.name != old.name:
        what.append(f"called {old.name!r} before")
    if what:
        yield FindingChange("changed", now, "; ".join(what))


def _gone(finding: WrittenFinding, after: ReportHead) -> FindingChange:
    """Gone only where the new report could have found it."""
    if finding.project in after.unchecked:
        return FindingChange("unknown", finding, "the project could not be checked")
    if finding.rule not in after.rules:
        return FindingChange("unknown", finding, "the rule was not applied")
    return FindingChange("gone", finding)


def _warnings(old: ReportHead, new: ReportHead) -> Iterator[str]:
    if old.sandbox != new.sandbox:
        yield "one of the reports is of the sandbox and the other is not"
    if old.scope != new.scope:
        yield f"the reports are of different scopes: {old.scope}; {new.scope}"
    if old.schema != new.schema:
        yield f"the reports have different schema versions: {old.schema or 'none'} and {new.schema or 'none'}"
    for head in (old, new):
        if why := head.partial:
            yield f"{head.path} {why}"
    if old.time and new.time and old.time > new.time:
        yield f"{old.path} is the younger report: what is called new was there before"
