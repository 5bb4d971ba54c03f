"""In which order and in how many waves changes are made: low risk first, then more and more of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from keyadmin.audit.fix.change import ROTATING, FixChange
from keyadmin.model.problem import usage

SHARES: Final = (10, 30, 60, 100)  # percent that are done after each wave


@dataclass(frozen=True, slots=True)
class FixWave:
    """A wave of a plan, and how long is waited behind it before the next one."""

    number: int
    changes: tuple[FixChange, ...]
    pause: timedelta = timedelta()


def share(text: str) -> int:
    """`10%` as 10. Raises usage() for anything but a whole percentage from 1 to 100."""
    digits = text.strip().removesuffix("%")
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= 100:
        raise usage(f"--wave: {text!r} is not a share: write a percentage from 1% to 100%, such as 10%")
    return int(digits)


def by_risk(changes: Iterable[FixChange]) -> list[FixChange]:
    """Those first that shut nobody out: unused keys, then internal ones, then by their calls. Rotations come last."""
    return sorted(changes, key=_risk)


def _risk(change: FixChange) -> tuple[int, int, str, str]:
    calls = change.evidence.total if change.evidence is not None else 0
    if change.kind in ROTATING:
        rank = 4
    elif change.evidence is None:
        rank = 3  # nobody knows whom it shuts out
    elif not calls:
        rank = 0
    else:
        rank = 1 if change.before.client_kind == "ips" else 2  # to addresses: internal; else anybody's browser or app
    return rank, calls, change.project, change.key_id


def in_waves(changes: Sequence[FixChange], first: int = SHARES[0]) -> list[FixChange]:
    """The changes in their order, each with the number of its wave: `first` percent, then 30, 60, 100 percent of all.

    A key is contained in an earlier wave than that in which it is replaced, whatever the shares say.
    """
    ends: list[int] = []
    for percent in (first, *(each for each in SHARES if each > first)):
        end = math.ceil(len(changes) * percent / 100)
        if end and (not ends or end > ends[-1]):
            ends.append(end)
    waves = [next(number for number, end in enumerate(ends, 1) if place < end) for place in range(len(changes))]
    contained = {each.name: wave for each, wave in zip(changes, waves, strict=True) if each.kind not in ROTATING}
    return [
        replace(each, wave=max(wave, contained.get(each.name, 0) + 1) if each.kind in ROTATING else wave)
        for each, wave in zip(changes, waves, strict=True)
    ]


def waves_of(changes: Sequence[FixChange], pauses: dict[int, timedelta]) -> list[FixWave]:
    """The waves in the order of their numbers; within each the changes as they stand in the plan."""
    numbers = sorted({change.wave for change in changes})
    return [
        FixWave(number, tuple(each for each in changes if each.wave == number), pauses.get(number, timedelta()))
        for number in numbers
    ]
