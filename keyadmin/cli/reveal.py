"""Which key strings a command shows on purpose. All others are masked in whatever it prints, wherever they come from:
display names, annotations and paths are written by others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from keyadmin.model.secret import KeyString, redact

_SHOWN: Final[ContextVar[set[str] | None]] = ContextVar("keyadmin_shown", default=None)


@contextmanager
def nothing_yet() -> Iterator[None]:
    """Around one command line: what it shows is not shown by the next one in the same process."""
    token = _SHOWN.set(set())
    try:
        yield
    finally:
        _SHOWN.reset(token)


def reveal(key: KeyString) -> str:
    """The key string itself, for stdout: `keys show`, `keys create --show`, the sink `stdout`, `tokens create`."""
    shown = _SHOWN.get()
    if shown is None:
        _SHOWN.set(shown := set())
    shown.add(key.reveal())
    return key.reveal()


def masked(text: str) -> str:
    """`text` with every key string masked but those that were revealed."""
    return redact(text, but=_SHOWN.get() or ())
