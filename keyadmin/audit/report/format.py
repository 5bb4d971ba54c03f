"""What a format of a report is that only audits have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keyadmin.audit.result import AuditReport


@dataclass(frozen=True)
class ReportFormat:
    """One format. `pieces` = the report as text, piece by piece; `warning` = what is to be said of this report, if anything."""

    pieces: Callable[[AuditReport], Iterator[str]]
    warning: Callable[[AuditReport], str | None] = lambda report: None
