"""Observing a wave: waiting by the server's clock, then reading how Google answered before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from keyadmin.audit.fix.change import ROTATING, FixChange
from keyadmin.audit.fix.execute import FixWork
from keyadmin.audit.fix.observe import BEFORE, KeyCounts, WatchSpans, WaveVerdict, count, judge
from keyadmin.audit.fix.waiting import wait_until
from keyadmin.audit.fix.waves import FixWave
from keyadmin.model.duration import words
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.usage import KeyUsage

AT_ONCE: Final = 64
_MINUTE: Final = timedelta(minutes=1)
_DONE: Final = frozenset({"done", "undo-failed", "undo-skipped", "undo-begin"})

Three = tuple["list[KeyUsage]", "list[KeyUsage]", "list[KeyUsage]"]


def to_watch(work: FixWork, wave: FixWave) -> list[FixChange]:
    """The changes of a wave that were made and stand: rotations look after their keys themselves."""
    out = []
    for change in wave.changes:
        record = work.journal.record.of(change)
        if change.kind not in ROTATING and record is not None and record.step in _DONE:
            out.append(change)
    return out


async def watch(work: FixWork, wave: FixWave, ended: datetime, span: timedelta, observer: Observer) -> WaveVerdict:
    """Wait until the span is over, then judge the wave. Raises Problem for missing credentials alone."""
    changes = to_watch(work, wave)
    text = f"Observing wave {wave.number} for {words(span)}"
    if not changes:
        return WaveVerdict(wave.number, why="nothing was changed in it")
    await wait_until(work.cloud, ended + span, text, observer, lambda: work.cloud.keys.get(changes[0].name))
    observer.step(f"Reading how the keys of wave {wave.number} were answered")
    spans = WatchSpans(ended, work.cloud.now())
    return judge(wave.number, await _counts(work, changes, spans), spans)


async def _counts(work: FixWork, changes: Sequence[FixChange], spans: WatchSpans) -> list[KeyCounts]:
    from keyadmin.cloud.pace import gather_limited

    by_project: dict[str, list[FixChange]] = {}
    for change in changes:
        by_project.setdefault(change.number, []).append(change)

    async def one(project: str) -> list[KeyCounts]:
        its = by_project[project]
        try:
            keys = {key.name: key async for key in work.cloud.keys.list(project, deleted=True)}
            uses = await _uses(work, project, spans)
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return [KeyCounts(change.name, read=False) for change in its]
        return [_of(change, keys.get(change.name), uses) for change in its]

    return [each for several in await gather_limited(sorted(by_project), one, AT_ONCE) for each in several]


def _of(change: FixChange, key: Key | None, uses: Three) -> KeyCounts:
    return KeyCounts(change.name, read=False) if key is None or not key.uid else count(change.name, key.uid, *uses)


async def _uses(work: FixWork, project: str, spans: WatchSpans) -> Three:
    """Of the seven days before, of the time since, and of the part of it that shows whole."""
    between = work.cloud.usage.between
    before = await between(project, spans.ended - BEFORE, spans.ended)
    after = await between(project, spans.ended, max(spans.now, spans.ended + _MINUTE))
    shown = await between(project, spans.shown_from, spans.shown_from + spans.shown) if spans.shown >= _MINUTE else []
    return before, after, shown
