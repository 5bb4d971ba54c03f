"""Importing message classes by name, one at a time.

The clients' packages are imported in a thread, while the embedded sandbox, in the event loop of the same process, imports their
message types. Such a package imports its types and they import the package: two threads that begin at different ends wait for
each other, and Python ends one of them with an error. Whoever embeds the sandbox and imports these packages shares its lock.
"""

from __future__ import annotations

import importlib
import threading
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Final


class _Gate:
    """The lock in use; reentrant."""

    def __init__(self) -> None:
        self.lock: AbstractContextManager[object] = threading.RLock()


_GATE: Final = _Gate()


def share(lock: AbstractContextManager[object]) -> None:
    """Import under somebody else's (reentrant) lock from now on."""
    _GATE.lock = lock


def load(module: str) -> ModuleType:
    """The module, imported if need be. Raises ImportError."""
    with _GATE.lock:
        return importlib.import_module(module)
