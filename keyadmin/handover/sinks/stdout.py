"""The sink `stdout`: the key string as one line."""

from __future__ import annotations

from collections.abc import Callable

from keyadmin.handover.sink import Delivery
from keyadmin.model.secret import KeyString


class StdoutSink:
    """Prints it; nothing can be read back."""

    spec = "stdout"
    outside = False
    local = False

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit

    async def publish(self, key: KeyString) -> Delivery:
        """Print the key."""
        self._emit(key.reveal())
        return Delivery(True, "printed to stdout")

    async def holds(self, key: KeyString) -> bool | None:
        """Unknown."""
        return None
