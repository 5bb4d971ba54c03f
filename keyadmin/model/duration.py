"""Durations as people write them on a command line: `90d`, `12h`, `30m`, `0s`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from keyadmin.model.problem import usage

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhdw])")


def parse(text: str) -> timedelta:
    """`90d`, `1d12h`, `1.5h`. Raises usage() for anything else."""
    compact = text.strip().lower()
    if not re.fullmatch(f"(?:{_PART.pattern})+", compact):
        raise usage(f"{text!r} is not a duration: write a number and a unit, such as 90d, 12h, 30m or 0s")
    try:
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in _PART.findall(compact)), timedelta())
    except OverflowError:
        raise usage(f"{text!r} is too long a duration") from None


def words(value: timedelta) -> str:
    """`3 min 20 s`, `2 h 5 min`, `4 d`: for people; at most two units."""
    seconds = max(0, round(value.total_seconds()))
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def typed(value: timedelta) -> str:
    """`1d12h`: as it is typed, to the second."""
    seconds, out = max(0, round(value.total_seconds())), ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        out += f"{count}{unit}" if count else ""
    return out or "0s"
