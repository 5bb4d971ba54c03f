"""What an audit does once its report is there: the difference to the last one, notices, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keyadmin.cli.audit.memory import Remembered
from keyadmin.cli.notices import failures
from keyadmin.cli.session import Session
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Problem

if TYPE_CHECKING:
    from keyadmin.audit.diff import AuditDiff
    from keyadmin.audit.result import AuditReport
    from keyadmin.unattended.destinations import Notices


@dataclass(frozen=True)
class AfterAudit:
    """What was asked for beside the report."""

    session: Session
    notices: Notices | None
    metrics: Path | None
    diff: bool

    @contextmanager
    def failures(self) -> Iterator[None]:
        """An audit that ends before it has a report is told too."""
        with failures(self.session, self.notices):
            yield

    def tell(self, report: AuditReport, code: int, remembered: Remembered, *, written: bool) -> None:
        """Show what changed, write the metrics, tell who wants to be told. None of it changes how the audit ended.

        `written` = the report went to a file.
        """
        changes = self._changes(remembered) if self.diff or self.notices is not None else None
        if self.diff:
            self._show(changes, remembered, lines=written or self.session.format == "table")
        if self.metrics is not None:
            from keyadmin.audit.telling import write_metrics

            try:
                write_metrics(self.metrics, report, code)
            except Problem as problem:
                self.session.console.warning(problem.message)
        if self.notices is None:
            return
        from keyadmin.audit.telling import audit_notice

        notice = audit_notice(self.session.command, report, code, changes)
        if notice is None:
            self.session.console.note("Nothing to tell: no finding at the threshold, and nothing changed.")
        else:
            self.notices.send(notice)

    def _changes(self, remembered: Remembered) -> AuditDiff | None:
        from keyadmin.audit.diff import compare

        if remembered.before is None or remembered.kept is None:
            return None
        try:
            return compare(remembered.before, remembered.kept)
        except (Problem, OSError) as error:
            self.session.console.warning(f"this audit could not be compared with the last one: {error}")
            return None

    def _show(self, changes: AuditDiff | None, remembered: Remembered, *, lines: bool) -> None:
        """The counts, and the command that shows all; the changes where `lines` have a place on stdout."""
        if changes is None:
            why = "it was not kept" if remembered.kept is None else "no earlier one of the same scope is kept"
            self.session.console.note(f"This audit was not compared with the last one: {why}.", always=True)
            return
        if lines:
            from keyadmin.cli.audit.diff import show_lines

            show_lines(self.session, changes)
        for warning in changes.warnings:
            self.session.console.warning(warning)
        command = typed("audit diff", str(remembered.before), str(remembered.kept))
        self.session.console.note(f"Since the last audit: {changes.words()}. All of it: {command}", always=True)
