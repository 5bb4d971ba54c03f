"""The sink `file`: a file that holds the key alone, for systemd's LoadCredential, Docker and Compose secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, Final

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.local.files import editing, read_text, sweep, write_text
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
        """The file's absolute path."""
        return f"file:{os.path.abspath(Path(value).expanduser())}"

    @classmethod
    def below(cls, value: str, folder: Path) -> str:
        """Relative paths of a policy file count from its folder."""
        return value if value.startswith("~") else str(folder / value)

    @classmethod
    def writes_below(cls, value: str) -> Path | None:
        """The file's folder, where the path is absolute and has no placeholder."""
        return Path(value).parent if value.startswith("/") and "{" not in value else None

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the file. Raises Problem: a symbolic link, no folder, not writable, not a key that stands there."""
        with editing(self._path):
            before = self._read()
            if before == key.reveal():
                return Delivery(False, f"{self._path} has it already")
            write_text(self._path, key.reveal() + "\n", MODE)
            sweep(self._path)  # a run that was killed left a key there
        return Delivery(True, f"written to {self._path}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the file holds this key."""
        return self._read() == key.reveal()

    def _read(self) -> str:
        """The key in the file, empty where there is no file. Raises Problem for what is not a file of one key."""
        if self._path.is_symlink():
            raise Problem(
                Cause.INVALID_ARGUMENT,
                f"{self._path} is a symbolic link to {self._path.readlink()}; replacing it would cut the link",
                fix=(f"name the file itself: {self._path.resolve()}",),
            )
        if self._path.exists() and not self._path.is_file():
            raise Problem(Cause.INVALID_ARGUMENT, f"{self._path} is not a regular file", fix=("name a file",))
        text = read_text(self._path).strip() if self._path.exists() else ""
        if "\n" in text or " " in text:
            raise Problem(
                Cause.CONFLICT,
                f"{self._path} holds more than one word, which would be lost: the sink file replaces the whole file",
                fix=("name another file, or use the sink env-file for NAME=value lines",),
            )
        return text
