"""What an audit knows of earlier ones and of decisions: accepted findings, a baseline, kept reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyadmin.audit.history import Packed
from keyadmin.cli.session import Session
from keyadmin.model.problem import Problem
from keyadmin.rotation.policy import DEFAULT_FILE

if TYPE_CHECKING:
    from keyadmin.audit.accepted import Acceptances
    from keyadmin.audit.baseline import Baseline
    from keyadmin.audit.model import Finding
    from keyadmin.audit.result import AuditReport

NOT_KEPT: Final = "none"


@dataclass(frozen=True)
class Known:
    """What is known before an audit begins."""

    accepted: Acceptances
    baseline: Baseline | None

    def mark(self) -> Callable[[Finding], None] | None:
        """Puts on a finding whether it is accepted and whether it is new; None where nothing is known of any."""
        from keyadmin.audit.marks import marker

        return marker(self.accepted, self.baseline)

    def marked(self, report: AuditReport) -> AuditReport:
        """The report with what is accepted and what is new."""
        mark = self.mark()
        return report if mark is None else report.marked(mark, compared=self.baseline is not None)

    def tell(self, session: Session, report: AuditReport) -> None:
        """What is to be said of entries and of the baseline, once the report is there."""
        for text in self.accepted.warnings:
            session.console.warning(text)
        for text in self.accepted.unused(report.rules, report.checked):
            session.console.warning(text)
        if self.baseline is not None:
            for text in self.baseline.head.differences(report.where, sandbox=report.sandbox):
                session.console.warning(text)


def known(session: Session, policy: str | None, baseline: Path | None) -> Known:
    """Read before any call. Raises Problem (exit 2) for a file that was named and cannot be used."""
    from keyadmin.audit.baseline import read_baseline

    return Known(_accepted(session, policy), None if baseline is None else read_baseline(baseline))


def _accepted(session: Session, named: str | None) -> Acceptances:
    from keyadmin.audit.accepted import Acceptances, read_accepted

    path = Path(named) if named is not None else Path(DEFAULT_FILE)
    try:
        accepted = read_accepted(path, datetime.now(UTC), found=named is None)
    except FileNotFoundError:
        if named is None:
            return Acceptances()
        from keyadmin.model.problem import usage

        raise usage(f"there is no file {path}", "name a file with [[audit.accept]], or leave --policy out") from None
    if named is None and (accepted.entries or accepted.warnings):
        session.console.note(f"Accepted findings: ./{DEFAULT_FILE}", always=True)
    return accepted


class Keeping:
    """A report that is kept. What is printed is kept where that is all of it as JSON; else the same is made for it."""

    def __init__(self, session: Session, report: AuditReport, folder: Path) -> None:
        self._session = session
        self._report = report
        self._folder = folder
        self._packed = Packed()
        self._heard = False
        self.path: Path | None = None
        """Its file, once it is there."""

    def hear(self, printed: Callable[[Callable[[str], None]], None]) -> None:
        """`printed` prints the whole report as JSON, and gives each piece to what it gets."""
        printed(self._packed.add)
        self._heard = True

    def keep(self) -> None:
        """Write it into its folder; one that cannot be written costs a warning, not the audit."""
        from keyadmin.audit import history
        from keyadmin.cli.render import json_document

        packed = self._packed if self._heard else Packed(json_document(self._report.to_json()))
        try:
            self.path = history.keep(self._folder, self._report, packed)
        except (Problem, OSError) as error:
            _not_kept(self._session, error)


@dataclass(frozen=True)
class Remembered:
    """The report with what earlier ones found; the file of the last one of the same scope; what keeps it, where it is kept."""

    report: AuditReport
    before: Path | None = None
    keeping: Keeping | None = None

    @property
    def kept(self) -> Path | None:
        """The report's own file, once it is there."""
        return None if self.keeping is None else self.keeping.path


def remembered(session: Session, report: AuditReport, folder: str | None, *, whole: bool) -> Remembered:
    """The report with what earlier ones of its scope found, and what keeps it where it is by all rules (`whole`)."""
    from keyadmin.audit import history

    if folder == NOT_KEPT or not report.projects or report.failed == report.projects:
        return Remembered(report)
    place = Path(folder) if folder is not None else history.default_folder(sandbox=report.sandbox)
    try:
        heads, damaged = history.kept(place, sandbox=report.sandbox)
    except (Problem, OSError) as error:
        _not_kept(session, error)
        return Remembered(report)
    report = replace(report, trend=history.trend(heads, report))
    for text in damaged:
        session.console.warning(text)
    before = next((each.path for each in heads if history.alike(each, report)), None)
    return Remembered(report, before, Keeping(session, report, place) if whole or folder is not None else None)


def _not_kept(session: Session, error: Exception) -> None:
    session.console.warning(f"the report was not kept: {error}")
