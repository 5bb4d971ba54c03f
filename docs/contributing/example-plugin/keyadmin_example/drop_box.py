"""The sink `drop-box`: a folder with one file a key id."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString


class DropBoxSink(Sink):
    """Writes FOLDER/current. keyadmin runs this in a process of its own; what it prints is thrown away."""

    kind = "drop-box"
    pattern = "drop-box:FOLDER"
    local = True
    reads_back: ClassVar[str] = "yes"
    old_versions: ClassVar[str] = "replaced"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._file = Path(spec.value) / "current"

    @classmethod
    def parse(cls, value: str) -> str:
        """A folder. Raises usage()."""
        if not value:
            raise usage("the sink drop-box needs a folder: drop-box:FOLDER")
        return value

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the file. Raises Problem where there is no folder."""
        try:
            self._file.write_text(key.reveal())
        except OSError as error:
            raise Problem(
                Cause.NOT_FOUND, f"{self._file} cannot be written: {error.strerror}", fix=("make the folder",)
            ) from None
        return Delivery(True, f"dropped for {key_id}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the file holds this key."""
        return self._file.exists() and self._file.read_text() == key.reveal()
