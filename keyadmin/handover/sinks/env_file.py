"""The sink `env-file`: a variable in a file of `NAME=value` lines (.env, systemd EnvironmentFile, docker --env-file)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import ClassVar, Final

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.local import git_status
from keyadmin.local.edited import IN_PLACE, editing, opened, peek, refuse_unwritable
from keyadmin.model.env_text import decode, encode, value_of, with_variable
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

MODE: Final = 0o600
DEFAULT_VARIABLE: Final = "GEMINI_API_KEY"


def variable(value: str) -> tuple[Path, str]:
    """`PATH[:VAR]`: the file and the variable. Raises usage() for what cannot be one."""
    path, colon, name = value.rpartition(":")
    if not colon or "/" in name or "\\" in name:  # a colon inside the path (C:\\...) names no variable
        path, name = value, DEFAULT_VARIABLE
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise usage(f"invalid variable name {name!r}: use letters, digits and _, not beginning with a digit")
    if not path:
        raise usage("the sink env-file needs a path: env-file:PATH[:VAR]")
    return Path(path).expanduser(), name


class EnvFileSink(Sink):
    """Replaces the variable's line and leaves all other lines and comments as they are; mode 0600, one writer at a time.

    Root, who rotates for others, leaves the file to its owner.
    """

    kind = "env-file"
    pattern = "env-file:PATH[:VAR]"
    local = True
    tested_against: ClassVar[str] = "files read by python-dotenv, shells and systemd"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._path, self._name = variable(spec.value)

    @classmethod
    def parse(cls, value: str) -> str:
        """A path, and perhaps the name of a variable. Raises usage()."""
        variable(value)
        return value

    @classmethod
    def place(cls, value: str) -> str | None:
        """The file's real folder, its name and the variable: however the path is spelled."""
        path, name = variable(value)
        return f"env-file:{os.path.join(os.path.realpath(path.parent), path.name)}:{name}"

    @classmethod
    def below(cls, value: str, folder: Path) -> str:
        """Relative paths of a policy file count from its folder."""
        return value if value.startswith("~") else str(folder / value)

    @classmethod
    def writes_below(cls, value: str) -> Path | None:
        """The file's folder, where the path is absolute and has no placeholder."""
        return variable(value)[0].parent if value.startswith("/") and "{" not in value else None

    async def preflight(self) -> None:
        """Whether the file can be written as it is now. Raises Problem as `deliver` would: a link, no folder, not text."""
        refuse_unwritable(self._path)
        with opened(self._path) as file:
            _text(self._path, file.data)
            file.refuse_others()

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the variable. Raises Problem: a symbolic link, no folder, not writable, not text, another user's file."""
        if not key.well_formed:
            raise Problem(
                Cause.INVALID_ARGUMENT,
                f"{self._path} was not changed: what should go there does not have the form of a key string",
            )
        with editing(self._path) as file:
            text = _text(self._path, file.data)
            changed = with_variable(text, self._name, key.reveal())
            if changed == text and file.mode == MODE:
                return Delivery(False, f"{self._path} has it already")
            file.refuse_others()
            in_place = file.write(encode(changed), MODE)
        narrowed = "" if file.mode in (None, MODE) else f"; its mode was {file.mode:04o} and is {MODE:04o} now"
        cost = f"; {IN_PLACE}" if in_place else ""
        return Delivery(True, f"written to {self._path} as {self._name}{narrowed}{cost}{_bare(self._path)}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the file's variable is this key."""
        return value_of(_text(self._path, peek(self._path)), self._name) == key.reveal()


def _bare(path: Path) -> str:
    """A warning of a file that the next commit may contain."""
    if not git_status.not_ignored([str(path)]):
        return ""
    if git_status.tracked(path):
        return f"; git tracks {path}, so that the key may be committed: git rm --cached, and add it to .gitignore"
    return f"; git does not ignore {path}: add it to .gitignore"


def _text(path: Path, data: bytes | None) -> str:
    """The file's text, empty where there is none. Raises Problem for what no program reads as NAME=value lines."""
    if data is not None and (b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff"))):
        why = "it is not UTF-8 text but UTF-16 or binary, which programs that read NAME=value lines do not understand"
        raise Problem(Cause.INVALID_ARGUMENT, f"{path} cannot be used: {why}", fix=(f"save {path} as UTF-8 text",))
    return decode(data or b"")
