"""Python's collector of circular garbage, off for a while."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Within it the collector does not run: it would go through millions of values that all stay, again and again.

    That takes a quarter of the time of a large audit. What is not circular goes as ever.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
