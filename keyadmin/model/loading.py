"""Importing by name, one at a time.

The clients' packages are imported in a thread, while the embedded sandbox, in the event loop of the same process, imports their
message types. Such a package imports its types and they import the package: two threads that begin at different ends wait for
each other, and Python ends one of them with an error.
"""

from __future__ import annotations

import importlib
import threading
from types import ModuleType
from typing import Final

LOCK: Final = threading.RLock()  # shared with an embedded sandbox


def load(module: str) -> ModuleType:
    """The module, imported if need be. Raises ImportError."""
    with LOCK:
        return importlib.import_module(module)
