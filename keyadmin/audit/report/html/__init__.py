"""A report as one HTML file: nothing is loaded from anywhere, and everything in it that others wrote stays text.

`page.html` holds the places of it; style and script are files of this folder, put into the page and allowed by their hashes.
Without the script it shows the summary, the worst keys, what could not be checked and the rules.
"""

from __future__ import annotations

from typing import Final

from keyadmin.audit.report.format import ReportFormat
from keyadmin.audit.report.html.page import pieces

FORMAT: Final = ReportFormat(pieces)
