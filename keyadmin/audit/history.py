"""Reports that are kept: one file an audit, JSON in gzip, for this user alone, the last sixty of a folder.

A kept report is the document that `--format json` prints: `--baseline` and `audit diff` read it. What was found stands at its
end, so that a list of audits needs the first lines of each file alone.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from keyadmin.audit.baseline import ReportHead, head
from keyadmin.audit.reading import members
from keyadmin.audit.result import AuditReport, TrendPoint
from keyadmin.local.files import write_pieces
from keyadmin.local.folders import make_private
from keyadmin.local.locks import unwritable
from keyadmin.model.problem import Cause, Problem

MOST: Final = 60  # reports of a folder
TREND: Final = 30  # audits before this one
_LEVEL: Final = 1  # of compression: reports repeat themselves, and higher ones take ten times as long
_NAME: Final = re.compile(r"(?P<sandbox>sandbox-)?audit-\d{8}T\d{12}Z-[0-9a-f]{8}\.json\.gz")


def default_folder(*, sandbox: bool) -> Path:
    """In the user's data directory; the sandbox has its own."""
    from platformdirs import user_data_path

    return user_data_path("keyadmin", appauthor=False) / ("sandbox-audits" if sandbox else "audits")


class Packed:
    """A report's text on its way into a file: compressed to a tenth, so that it may be held until all of it is there."""

    def __init__(self, pieces: Iterable[str] = ()) -> None:
        self._packer = zlib.compressobj(_LEVEL, wbits=31)  # 31 = with the header of gzip
        self._parts: list[bytes] = []
        for piece in pieces:
            self.add(piece)

    def add(self, piece: str) -> None:
        """The next piece, without key strings."""
        self._parts.append(self._packer.compress(piece.encode("utf-8", "backslashreplace")))

    def parts(self) -> list[bytes]:
        """All of it; nothing is added any more."""
        return [*self._parts, self._packer.flush()]


def keep(folder: Path, report: AuditReport, packed: Packed) -> Path:
    """Write a report into the folder, `packed` as JSON, and let go of those beyond the last sixty. Raises Problem."""
    kind = "sandbox-audit" if report.sandbox else "audit"
    path = folder / f"{kind}-{report.now:%Y%m%dT%H%M%S%f}Z-{os.urandom(4).hex()}.json.gz"
    try:
        make_private(folder)
    except OSError as error:
        raise unwritable(path, error) from error
    write_pieces(path, packed.parts())
    for old in _files(folder, sandbox=report.sandbox)[MOST:]:
        old.unlink(missing_ok=True)
    return path


def _files(folder: Path, *, sandbox: bool) -> list[Path]:
    """The kept reports, the newest first. Others' files in the folder are never touched."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unlisted(folder, error) from error
    fitting = [name for name in names if (found := _NAME.fullmatch(name)) and bool(found["sandbox"]) == sandbox]
    return [folder / name for name in sorted(fitting, reverse=True)]


def _unlisted(folder: Path, error: OSError) -> Problem:
    fix = (f"see that {folder} is a folder that you may read",)
    return Problem(Cause.UNKNOWN, f"{folder} cannot be listed: {error.strerror}", fix=fix)


def kept(folder: Path, *, sandbox: bool) -> tuple[list[ReportHead], list[str]]:
    """What the kept reports are about, the newest first, and what is to be said of files that are damaged. Raises Problem."""
    heads, wrong = [], []
    for path in _files(folder, sandbox=sandbox):
        try:
            heads.append(_head(path))
        except Problem as problem:
            wrong.append(problem.message)
    return heads, wrong


def _head(path: Path) -> ReportHead:
    parts: dict[str, Any] = {}
    for name, value in members(path):
        if name == "findings":
            break
        parts[name] = value
    return head(path, parts)


def trend(heads: Iterable[ReportHead], report: AuditReport) -> tuple[TrendPoint, ...]:
    """Audits of the same scope by the same rules that came before this one, the oldest first."""
    points = (
        TrendPoint(each.time, counts)
        for each in heads
        if each.time is not None and alike(each, report) and (counts := _counts(each.summary)) is not None
    )
    return tuple(islice(points, TREND))[::-1]


def alike(earlier: ReportHead, report: AuditReport) -> bool:
    """Whether an earlier audit is of the same scope by the same rules."""
    return earlier.scope == report.where and earlier.rules == frozenset(report.rules)


def _counts(summary: Any) -> dict[str, int] | None:
    found = summary.get("bySeverity")
    if not isinstance(found, dict) or not all(isinstance(each, int) for each in found.values()):
        return None
    return found
