"""Findings that were known before: of an earlier report in JSON, by which an audit tells what is new."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from keyadmin.audit.model import Finding, Severity
from keyadmin.audit.reading import members, unreadable
from keyadmin.audit.result import SCHEMA_VERSION
from keyadmin.audit.selection import subject
from keyadmin.model.key_codec import parse_time

_SEVERITIES: Final = {severity.word: severity for severity in Severity}


def identity(rule: str, subject: str) -> int:
    """A finding is the same as another if rule and subject are: 64 bits of a hash, for a report has very many."""
    return int.from_bytes(blake2b(f"{rule}\n{subject}".encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True)
class ReportHead:
    """What a written report is about. `time` None = it does not say; `schema` 0 = from before documents had a version."""

    path: Path
    scope: str
    time: datetime | None
    schema: int
    sandbox: bool
    summary: Mapping[str, Any] = field(default_factory=dict)
    unchecked: frozenset[str] = frozenset()
    """Projects that could not be checked, or not wholly."""
    listed: int | None = None
    """How many findings it lists, where all of it was read."""

    @property
    def rules(self) -> frozenset[str]:
        """The rules that were applied."""
        found = self.summary.get("byRule")
        return frozenset(found) if isinstance(found, dict) else frozenset()

    @property
    def partial(self) -> str:
        """What is to be said where it does not list all that was found; else nothing."""
        found = self.summary.get("findings")
        if self.listed is None or not isinstance(found, int) or self.listed >= found:
            return ""
        return f"lists {self.listed} of {found} findings: it was written with --limit or --min-severity"

    def differences(self, scope: str, *, sandbox: bool) -> Iterator[str]:
        """What is to be said where it is compared with a report of `scope`."""
        if self.sandbox != sandbox:
            yield f"{self.path} is {'of the sandbox' if self.sandbox else 'not of the sandbox'}, unlike this audit"
        if self.scope != scope:
            yield f"{self.path} is of another scope ({self.scope}; now: {scope}): what it did not check counts as new"
        if self.partial:
            yield f"{self.path} {self.partial}; the others count as new"
        if self.schema != SCHEMA_VERSION:
            version = self.schema or "none"
            yield f"{self.path} has schemaVersion {version}, not {SCHEMA_VERSION}: what is new may not be told right"


@dataclass(frozen=True, slots=True)
class WrittenFinding:
    """A finding of a written report. `accepted` = why it was accepted, where it was."""

    rule: str
    severity: Severity
    project: str
    key: str | None
    name: str
    message: str
    fix: str
    accepted: str | None = None

    @property
    def identity(self) -> int:
        """As `identity` of the finding."""
        return identity(self.rule, self.key or f"projects/{self.project}")

    def to_json(self) -> dict[str, Any]:
        """The contract's object of a finding."""
        named = {"project": self.project, "key": self.key, "keyName": self.name if self.key else None}
        why = {"accepted": {"reason": self.accepted}} if self.accepted else {}
        return {
            "rule": self.rule,
            "severity": self.severity.word,
            **named,
            "message": self.message,
            "fix": self.fix,
            **why,
        }


def read_report(path: Path) -> Iterator[ReportHead | WrittenFinding]:
    """The findings of a written report, one after another, and its head: last, since it is known at the end alone.

    Raises Problem (exit 2) with the place of the mistake.
    """
    parts: dict[str, Any] = {}
    listed = 0
    unchecked: set[str] = set()
    for name, value in members(path):
        if name == "findings" and not isinstance(value, list):
            listed += 1
            yield _finding(path, listed, value)
        elif name == "errors":
            unchecked.update([value["project"]] if isinstance(value, dict) and isinstance(value.get("project"), str) else ())
        else:
            parts[name] = value
    yield replace(head(path, parts), listed=listed, unchecked=frozenset(unchecked))


def head(path: Path, parts: Mapping[str, Any]) -> ReportHead:
    """What the members beside the findings say. Raises Problem (exit 2) where they are not those of a report."""
    scan, summary = parts.get("scan"), parts.get("summary")
    if not isinstance(scan, dict) or not isinstance(summary, dict):
        raise unreadable(path, "it has no summary and scan, as every report has")
    schema = parts.get("schemaVersion", 0)
    try:
        time = parse_time(scan.get("time"))
    except (TypeError, ValueError):
        raise unreadable(path, f"scan.time is {scan.get('time')!r}, which is not a time") from None
    version = schema if isinstance(schema, int) else 0
    return ReportHead(path, str(scan.get("scope", "")), time, version, parts.get("sandbox") is True, summary)


def _finding(path: Path, number: int, value: Any) -> WrittenFinding:
    def text(name: str, *, needed: bool = True) -> str:
        found = value.get(name)
        if isinstance(found, str):
            return found
        if found is None and not needed:
            return ""
        raise unreadable(path, f"finding {number} has no {name}")

    if not isinstance(value, dict):
        raise unreadable(path, f"finding {number} is not an object")
    severity = _SEVERITIES.get(text("severity"))
    if severity is None:
        raise unreadable(path, f"finding {number} has the severity {value['severity']!r}, which is unknown")
    accepted = value.get("accepted")
    reason = str(accepted.get("reason", "")) if isinstance(accepted, dict) else None
    key = text("key", needed=False) or None
    more = {name: text(name, needed=False) for name in ("keyName", "message", "fix")}
    return WrittenFinding(text("rule"), severity, text("project"), key, more["keyName"], more["message"], more["fix"], reason)


@dataclass(frozen=True)
class Baseline:
    """What an earlier report found. `known` = of each finding its identity, the last bits of which give way to its severity,
    in their order: eight bytes a finding, of which there may be hundreds of thousands.
    """

    head: ReportHead
    known: Sequence[int]

    def is_new(self, finding: Finding) -> bool:
        """Whether it was not there before, or not as bad."""
        about = _without_severity(identity(finding.rule, subject(finding)))
        at = bisect_right(self.known, about | _SEVERITY_BITS) - 1
        return at < 0 or _without_severity(self.known[at]) != about or finding.severity > self.known[at] & _SEVERITY_BITS


_SEVERITY_BITS: Final = 0b11


def _without_severity(known: int) -> int:
    return known & ~_SEVERITY_BITS


def read_baseline(path: Path) -> Baseline:
    """Raises Problem (exit 2) with the place of the mistake."""
    known = array("Q")
    found: ReportHead | None = None
    for each in read_report(path):
        if isinstance(each, ReportHead):
            found = each
        else:
            known.append(_without_severity(each.identity) | each.severity)
    assert found is not None
    return Baseline(found, array("Q", sorted(known)))
