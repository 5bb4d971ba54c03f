"""The sink `file`: a file that holds the key alone, for systemd's LoadCredential, Docker and Compose secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, Final

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.local.edited import IN_PLACE, editing, opened, peek, refuse_unwritable
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

MODE: Final = 0o600


class FileSink(Sink):
    """Replaces the whole file; mode 0600, one writer at a time, the file stays its owner's."""

    kind = "file"
    pattern = "file:PATH"
    local = True
    old_versions: ClassVar[str] = "replaced; programs that read the file at their start keep the old key until they restart"
    tested_against: ClassVar[str] = "files"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._path = Path(spec.value).expanduser()

    @classmethod
    def parse(cls, value: str) -> str:
        """A path. Raises usage()."""
        if not value or value.endswith("/"):
            raise usage("the sink file needs the path of a file: file:PATH")
        return value

    @classmethod
    def place(cls, value: str) -> str | None:
        """The file's real folder and its name, however the path is spelled."""
        path = Path(value).expanduser()
        return f"file:{os.path.join(os.path.realpath(path.parent), path.name)}"

    @classmethod
    def below(cls, value: str, folder: Path) -> str:
        """Relative paths of a policy file count from its folder."""
        return value if value.startswith("~") else str(folder / value)

    @classmethod
    def writes_below(cls, value: str) -> Path | None:
        """The file's folder, where the path is absolute and has no placeholder."""
        return Path(value).parent if value.startswith("/") and "{" not in value else None

    async def preflight(self) -> None:
        """Whether the file can be written as it is now. Raises Problem as `deliver` would: a link, no folder, other content."""
        refuse_unwritable(self._path)
        with opened(self._path) as file:
            self._key(file.data)
            file.refuse_others()

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the file. Raises Problem: a symbolic link, no folder, not writable, not a key that stands there."""
        with editing(self._path) as file:
            if self._key(file.data) == key.reveal():
                return Delivery(False, f"{self._path} has it already")
            file.refuse_others()
            in_place = file.write(key.reveal().encode() + b"\n", MODE)
        return Delivery(True, f"written to {self._path}" + (f"; {IN_PLACE}" if in_place else ""))

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the file holds this key."""
        return self._key(peek(self._path)) == key.reveal()

    def _key(self, data: bytes | None) -> str:
        """The key in the file, empty where there is no file. Raises Problem for what is not a file of one key."""
        words = (data or b"").split()
        if len(words) > 1:
            raise Problem(
                Cause.CONFLICT,
                f"{self._path} holds more than one word, which would be lost: the sink file replaces the whole file",
                fix=("name another file, or use the sink env-file for NAME=value lines",),
            )
        return words[0].decode(errors="replace") if words else ""
