"""Formats of a report that only audits have: SARIF for code scanning, HTML for people. The others are cli/render's.

One file a format, with `FORMAT = ReportFormat(...)`, and its line here: docs/contributing/report-format.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyadmin.audit.report.format import ReportFormat

# Name (as for --format): the endings of its files.
ENDINGS: Final = {
    "sarif": (".sarif", ".sarif.json"),
    "html": (".html", ".htm"),
}
NAMES: Final = tuple(ENDINGS)


def load(name: str) -> ReportFormat:
    """The format of this name; its module is imported when it is asked for."""
    found: ReportFormat = importlib.import_module(f"{__name__}.{name}").FORMAT
    return found
