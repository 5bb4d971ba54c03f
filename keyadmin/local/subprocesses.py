"""What programs that keyadmin starts are given, and what they say."""

from __future__ import annotations

import os
import threading
from typing import Final

from keyadmin.model.secret import holds_key

_KEPT: Final = 64_000  # bytes of a program's last words
_DRAIN_S: Final = 2.0  # what a program wrote before its end is there at once; whoever reads it may have to wait for its turn


def environment() -> dict[str, str]:
    """This process's environment without variables that hold a key string: others on the machine may see a child's."""
    return {name: value for name, value in os.environ.items() if not holds_key(value)}


class Output:
    """Where a program writes what it says; of much, the end is kept.

    A pipe of its own: who waits for subprocess.PIPE to end waits for whatever the program left running (a service that it
    restarted), which holds the other end for as long as it lives.
    """

    def __init__(self) -> None:
        reading, self.end = os.pipe()
        """`end` = what the program gets as stdout and stderr."""
        self._last = b""
        self.size = 0
        """Bytes that the program wrote; all of them once `said` was called."""
        self._reader = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._reader.start()

    def _read(self, reading: int) -> None:
        while chunk := os.read(reading, 65_536):
            self._last = (self._last + chunk)[-_KEPT:]
            self.size += len(chunk)
        os.close(reading)

    def started(self) -> None:
        """The program has its end, or could not be started: this process lets go of it."""
        os.close(self.end)

    def said(self) -> str:
        """Its words, once it has ended; keyadmin's caller masks what is secret in them."""
        self._reader.join(_DRAIN_S)
        return self._last.decode(errors="replace").strip()
