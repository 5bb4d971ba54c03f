"""Findings as JSON lines while the audit goes on: each as soon as its project was judged, in the order of arrival."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from keyadmin.audit.judgement import KeyJudgement
from keyadmin.audit.model import Finding
from keyadmin.audit.selection import AuditSelection
from keyadmin.cli import streams
from keyadmin.cli.audit.show import ReportTarget
from keyadmin.cli.json_text import LONG
from keyadmin.cli.render import show_data
from keyadmin.cli.session import Session
from keyadmin.model.lazy import MadeLater

Mark = Callable[[Finding], None]
Found = Callable[[Sequence[KeyJudgement]], None]


def may(session: Session, wish: AuditSelection, where: ReportTarget) -> bool:
    """Whether findings can be printed before all are there: as lines to stdout, none of them left out for worse ones."""
    return session.format == "jsonl" and where.file is None and wish.limit is None and wish.group_by == "key"


@asynccontextmanager
async def printing(session: Session, mark: Mark | None, wish: AuditSelection, *, wanted: bool) -> AsyncIterator[Found | None]:
    """Gives what takes judgements and prints their findings; all are printed at the end. None where not `wanted`.

    `mark` puts on what is known of a finding. Raises OSError at the end: what stdout goes to is full.
    """
    if not wanted:
        yield None
        return
    lines = _Lines(session, mark, wish)
    writer = asyncio.create_task(lines.write())
    try:
        yield lines.add
        lines.end()
        await writer
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


class _Lines:
    """Findings on their way to stdout. A reader that is in no hurry holds up no call: a thread waits for it."""

    def __init__(self, session: Session, mark: Mark | None, wish: AuditSelection) -> None:
        self._session = session
        self._mark = mark
        self._at_least = wish.at_least
        self._waiting: list[Finding] = []
        self._more = asyncio.Event()
        self._ended = False

    def add(self, judgements: Sequence[KeyJudgement]) -> None:
        """The findings of one project."""
        found = (finding for judgement in judgements for finding in judgement.findings)
        self._waiting += [finding for finding in found if finding.severity >= self._at_least]
        self._more.set()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._more.set()

    async def write(self) -> None:
        """Print what there is, as it comes, until the end. Raises OSError as `streams.write` does."""
        while not self._ended or self._waiting:
            await self._more.wait()
            batch, self._waiting = self._waiting[:LONG], self._waiting[LONG:]
            if not (self._waiting or self._ended):
                self._more.clear()
            if sys.stdout.isatty():  # between a line of progress that is erased and the next
                self._session.observer.aside()
                self._print(batch)
            else:
                await asyncio.to_thread(self._print, batch)

    def _print(self, batch: Sequence[Finding]) -> None:
        if self._mark is not None:
            for finding in batch:
                self._mark(finding)
        show_data(self._session, MadeLater(batch, Finding.to_json))
        streams.flush()
