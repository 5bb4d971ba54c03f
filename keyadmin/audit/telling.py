"""What an audit tells others: what is new since the last one, and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keyadmin.audit.diff import TITLES, AuditDiff, FindingChange
from keyadmin.audit.model import Finding, Severity
from keyadmin.audit.result import AuditReport
from keyadmin.model.lazy import MadeLater
from keyadmin.model.problem import Exit
from keyadmin.unattended.notice import Notice
from keyadmin.unattended.textfile import Textfile


def audit_notice(about: str, report: AuditReport, code: int, changes: AuditDiff | None) -> Notice | None:
    """What is to be told of an audit; None = nothing: it ended with 0, and nothing changed.

    `changes` = since the last kept audit of the same scope, None where there is none.
    """
    if code == Exit.OK and not (changes.changes if changes is not None else report.findings):
        return None
    words = report.words()
    summary: dict[str, Any] = {"exitCode": int(code), "scope": report.where, **report.summary()}
    if changes is not None:
        counts = ", ".join(f"{count} {TITLES[kind].lower()}" for kind, count in changes.counts().items() if count)
        words += f"; {counts or 'nothing changed'} since {_time(changes)}"
        summary["changes"] = {"since": _time(changes), **changes.counts()}
    return Notice(
        about,
        report.now,
        f"{about} of {report.where}: {words}",
        failed=code != Exit.OK,
        lines=list(_lines(report, changes)),
        summary=summary,
        events=MadeLater(report.findings, Finding.to_json) if changes is None else [_event(each) for each in changes.changes],
        sandbox=report.sandbox,
    )


def _time(changes: AuditDiff) -> str:
    time = changes.old.time
    return f"{time:%Y-%m-%d %H:%M} UTC" if time is not None else "the last one"


def _event(change: FindingChange) -> dict[str, Any]:
    return {"kind": change.kind} | change.to_json()


def _lines(report: AuditReport, changes: AuditDiff | None) -> Iterator[str]:
    for error in report.errors:
        yield f"{error.project} could not be checked ({error.cause}): {error.message}"
    if changes is not None:
        for each in changes.changes:
            found = each.finding
            name = found.name or found.key or ""
            yield f"{each.kind}: {found.severity.word} {found.project} {name} {found.rule}: {found.message}"
        return
    for finding in report.findings:
        if finding.severity >= Severity.MEDIUM and finding.accepted is None:
            yield f"{finding.severity.word} {finding.project} {finding.label} {finding.rule}: {finding.message}"


def write_metrics(path: Path, report: AuditReport, code: int) -> None:
    """A textfile for Prometheus' node exporter, replaced in one step. Raises Problem where it cannot be written."""
    text = Textfile("keyadmin_audit")
    severities = [({"severity": word}, count) for word, count in report.by_severity.items()]
    text.family("findings", "Findings by severity, accepted ones left out.", severities)
    rules = [({"rule": rule}, count) for rule, count in report.by_rule.items()]
    text.family("findings_by_rule", "Findings by rule, accepted ones left out.", rules)
    text.gauge("accepted", "Findings that somebody accepted.", report.accepted)
    if report.new is not None:
        text.gauge("new", "Findings that the baseline has not.", report.new)
    text.gauge("keys", "Keys that were checked.", report.keys)
    text.gauge("projects", "Projects that were checked.", report.projects)
    text.gauge("unreadable_projects", "Projects that could not be checked, or not wholly.", len(report.errors))
    text.gauge("exit_code", "What the audit ended with: 3 for findings at the threshold, or something unreadable.", int(code))
    text.gauge("last_run_timestamp_seconds", "When this was written, by the server's clock.", int(report.now.timestamp()))
    text.write(path)
