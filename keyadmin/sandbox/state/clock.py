"""Sandbox time: the machine's clock plus an offset that `/_sandbox/clock` moves. Microseconds since the epoch inside."""

from __future__ import annotations

import time

from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.messages.times import LATEST
from keyadmin.sandbox.state.store import Store


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
