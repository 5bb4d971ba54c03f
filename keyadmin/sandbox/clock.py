"""Sandbox time: the machine's clock plus an offset that `/_sandbox/clock` moves. Microseconds since the epoch inside."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from keyadmin.sandbox.status import invalid
from keyadmin.sandbox.store import Store

LATEST = 253_370_764_800_000_000  # microseconds: the beginning of the year 9999
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


class Clock:
    """Moved for every process that shares the state: the offset is kept in it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = -1
        self._offset = 0

    def now(self) -> int:
        """Microseconds since the epoch, sandbox time."""
        if self._generation != self._store.generation:
            row = self._store.one("SELECT value FROM meta WHERE name = 'clock-offset'")
            self._offset = int(row[0]) if row else 0
            self._generation = self._store.generation
        return time.time_ns() // 1000 + self._offset

    def advance(self, micros: int) -> None:
        """Move forwards (or back, if negative). Raises INVALID_ARGUMENT where it would leave the years 1970 to 9998."""
        with self._store.change():
            row = self._store.one("SELECT value FROM meta WHERE name = 'clock-offset'")
            offset = (int(row[0]) if row else 0) + micros
            if not 0 <= time.time_ns() // 1000 + offset < LATEST:
                raise invalid("The clock cannot be moved out of the years 1970 to 9998.", "advance")
            self._store.run("INSERT OR REPLACE INTO meta VALUES ('clock-offset', ?)", str(offset))
        self._store.generation += 1


def rfc3339(micros: int) -> str:
    """`2026-03-09T12:23:30.364834Z`: microseconds always, as the API Keys service writes (recorded)."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> int:
    """Microseconds since the epoch. Raises INVALID_ARGUMENT for what is no RFC 3339 time."""
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except (TypeError, ValueError):
        raise invalid(f"Invalid time: {text!r} is not an RFC 3339 timestamp.") from None
    if moment.tzinfo is None:
        raise invalid(f"Invalid time: {text!r} has no offset from UTC.")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def parse_duration(text: object) -> int:
    """`31d`, `12h`, `30m`, `0.5s`, `-1d` as microseconds. Raises INVALID_ARGUMENT."""
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)([dhms])", text) if isinstance(text, str) else None
    if not found:
        raise invalid(f"Invalid duration {text!r}: write a number and d, h, m or s, such as 31d or 30s.")
    seconds = float(found[1]) * _UNITS[found[2]]
    if abs(seconds) > 1e12:
        raise invalid(f"Invalid duration {str(text)[:40]!r}: it is too long.")
    return int(seconds * 1_000_000)
