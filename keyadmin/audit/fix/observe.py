"""Whether a wave did harm: answers of Google's before and after it, by key. Pure.

Whether calls that a restriction refuses are counted under the key is not known. So a wave without refused calls is not yet
unharmed: a key whose answered calls fall is harmed too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from keyadmin.cloud.usage import DELAY, KeyUsage

BEFORE: Final = timedelta(days=7)
ACTS_WITHIN: Final = timedelta(minutes=5)  # until then a change may not have reached all of Google's servers
LEAST_REFUSED: Final = 5
TIMES: Final = 3  # so many times the mean of refused calls, and less than one in so many of answered ones
LEAST_ANSWERED: Final = 10.0

Verdict = Literal["harmed", "unharmed", "not-judged"]


@dataclass(frozen=True, slots=True)
class WatchSpans:
    """What is compared: the time since the wave, and the part of it whose calls are acted on and show already."""

    ended: datetime
    now: datetime

    @property
    def since(self) -> timedelta:
        """All of it: refused calls are counted in it."""
        return self.now - self.ended

    @property
    def shown_from(self) -> datetime:
        """From here on changes have reached all servers."""
        return self.ended + ACTS_WITHIN

    @property
    def shown(self) -> timedelta:
        """The part whose calls all show, made when the change acted everywhere; none where there is no such part yet."""
        return max(timedelta(), self.now - DELAY - self.shown_from)


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """The calls of one key: in the seven days before the wave, and after it."""

    name: str
    refused_before: int = 0
    answered_before: int = 0
    refused_after: int = 0
    answered_after: int = 0
    answered_shown: int = 0
    read: bool = True

    def refused_mean(self, span: timedelta) -> float:
        """In spans of that length."""
        return self.refused_before * (span / BEFORE)

    def answered_mean(self, span: timedelta) -> float:
        """In spans of that length."""
        return self.answered_before * (span / BEFORE)


@dataclass(frozen=True, slots=True)
class KeyHarm:
    """A key that a wave harmed, and how."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class WaveVerdict:
    """What was observed. `silent` = keys that were used before and of which nothing can be said."""

    wave: int
    harmed: tuple[KeyHarm, ...] = ()
    judged: int = 0
    silent: int = 0
    unread: int = 0
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """Harmed where one key is. Judged where some key could be, and none that was used is unknown."""
        if self.harmed:
            return "harmed"
        return "unharmed" if self.judged and not self.silent and not self.unread else "not-judged"


def count(name: str, uid: str, before: Iterable[KeyUsage], after: Iterable[KeyUsage], shown: Iterable[KeyUsage]) -> KeyCounts:
    """The counts of one key: `before` = of seven days, `after` = since the wave, `shown` = in the part that shows whole."""
    return KeyCounts(
        name,
        _refused(uid, before),
        _answered(uid, before),
        _refused(uid, after),
        _answered(uid, after),
        _answered(uid, shown),
    )


def _refused(uid: str, uses: Iterable[KeyUsage]) -> int:
    return sum(use.calls for use in uses if use.uid == uid and use.status == 403)


def _answered(uid: str, uses: Iterable[KeyUsage]) -> int:
    return sum(use.calls for use in uses if use.uid == uid and not use.refused and not use.is_check)


def judge(wave: int, counts: Sequence[KeyCounts], spans: WatchSpans) -> WaveVerdict:
    """What the counts say of a wave."""
    harmed, judged, silent, unread = [], 0, 0, 0
    for each in counts:
        if not each.read:
            unread += 1
        elif why := _harm(each, spans):
            harmed.append(KeyHarm(each.name, why))
        elif spans.shown and (each.answered_mean(spans.since) >= LEAST_ANSWERED or each.answered_after):
            judged += 1
        elif each.answered_before:
            silent += 1
    why = f"{DELAY.seconds // 60 + ACTS_WITHIN.seconds // 60} min have to pass until calls show" if not spans.shown else ""
    return WaveVerdict(wave, tuple(harmed), judged, silent, unread, why)


def _harm(counts: KeyCounts, spans: WatchSpans) -> str:
    """How a key is harmed; empty where it is not seen to be.

    Of the last half hour not all calls show yet. So too few of them are harm only where too few are also in the part of the
    time that shows whole.
    """
    usual = counts.refused_mean(spans.since)
    if counts.refused_after > max(LEAST_REFUSED, TIMES * usual):
        often = f"{usual:.1f} are usual" if usual >= 0.05 else "none is usual"
        return f"{counts.refused_after} calls were answered 403 since the change; {often} in that time"
    mean, shown = counts.answered_mean(spans.since), counts.answered_mean(spans.shown)
    fallen = counts.answered_after < mean / TIMES and counts.answered_shown < shown / TIMES
    if mean >= LEAST_ANSWERED and fallen:
        minutes = spans.since.total_seconds() / 60
        return f"{counts.answered_after} calls were answered in {minutes:.0f} min; {mean:.0f} are usual in that time"
    return ""
