"""The sink `stdout`: the key string as one line."""

from __future__ import annotations

from typing import ClassVar

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.model.problem import usage
from keyadmin.model.secret import KeyString


class StdoutSink(Sink):
    """Prints it; nothing can be read back."""

    kind = "stdout"
    pattern = "stdout"
    outside = False
    prints = True
    reads_back: ClassVar[str] = "no"
    old_versions: ClassVar[str] = "printed before; nothing is kept"
    tested_against: ClassVar[str] = "a pipe, a file, a closed stream"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._emit = context.emit

    @classmethod
    def parse(cls, value: str) -> str:
        """Nothing may follow the word. Raises usage()."""
        if value:
            raise usage(f"'stdout:{value}' is not a sink: write stdout alone")
        return value

    @classmethod
    def place(cls, value: str) -> str | None:
        """Any number of keys may be printed."""
        return None

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Print the key."""
        self._emit(key.reveal())
        return Delivery(True, "printed to stdout")

    async def read_back(self, key: KeyString) -> bool | None:
        """Unknown."""
        return None
