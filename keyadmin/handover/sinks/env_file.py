"""The sink `env-file`: a variable in a file of `NAME=value` lines (.env, systemd EnvironmentFile, docker --env-file)."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.local.files import editing, read_text, sweep, write_text
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
        """The file's absolute path and the variable."""
        path, name = variable(value)
        return f"env-file:{os.path.abspath(path)}:{name}"

    @classmethod
    def below(cls, value: str, folder: Path) -> str:
        """Relative paths of a policy file count from its folder."""
        return value if value.startswith("~") else str(folder / value)

    @classmethod
    def writes_below(cls, value: str) -> Path | None:
        """The file's folder, where the path is absolute and has no placeholder."""
        return variable(value)[0].parent if value.startswith("/") and "{" not in value else None

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the variable. Raises Problem: a symbolic link, no folder, not writable, not text, another user's file."""
        with editing(self._path):
            text = _read(self._path)
            changed = with_variable(text, self._name, key.reveal())
            mode = stat.S_IMODE(self._path.stat().st_mode) if self._path.exists() else MODE
            if changed == text and mode == MODE:
                return Delivery(False, f"{self._path} has it already")
            _refuse_others(self._path)
            write_text(self._path, changed, MODE)
            sweep(self._path)  # a run that was killed left a key there
        narrowed = "" if mode == MODE else f"; its mode was {mode:04o} and is {MODE:04o} now"
        return Delivery(True, f"written to {self._path} as {self._name}{narrowed}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the file's variable is this key."""
        return value_of(_read(self._path), self._name) == key.reveal()


def _read(path: Path) -> str:
    """The file's text, empty where there is none. Raises Problem."""
    if path.is_symlink():
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{path} is a symbolic link to {path.readlink()}; replacing it would cut the link",
            fix=(f"name the file itself: {path.resolve()}",),
        )
    if path.exists() and not path.is_file():  # a device may be endless, a pipe waits for ever
        raise Problem(Cause.INVALID_ARGUMENT, f"{path} is no regular file", fix=("name a file that holds NAME=value lines",))
    return read_text(path) if path.exists() else ""


def _refuse_others(path: Path) -> None:
    """Replaced by this user, another one's file would be this user's, and no more to be read by its owner. Raises Problem."""
    if os.name != "posix" or not path.exists():
        return
    owner, me = path.stat().st_uid, os.geteuid()
    if me != 0 and owner not in (me, 0):  # root reads it all the same
        raise Problem(
            Cause.CONFLICT,
            f"{path} belongs to the user {owner}, who could not read it any more: this is the user {me}",
            fix=("run keyadmin as its owner, or as root, who leaves it to its owner",),
        )


def with_variable(text: str, name: str, value: str) -> str:
    """The text with `NAME=value` in the place of the variable's first line, its other lines gone; at the end if it had none.

    An `export ` in front is kept. Lines are told apart by python-dotenv's parser, so that a `NAME=` inside a quoted value of
    several lines is no variable.
    """
    out: list[str] = []
    done = False
    for original, mine in _pieces(text, name):
        if not mine:
            out.append(original)
        elif not done:
            lead = original[: len(original) - len(original.lstrip())]
            export = "export " if original.lstrip().startswith("export") else ""
            ending = "\r\n" if original.endswith("\r\n") else "\n"
            out.append(f"{lead}{export}{name}={value}{ending}")
            done = True
    if not done:
        if out and not out[-1].endswith("\n"):
            out.append("\n")
        out.append(f"{name}={value}\n")
    return "".join(out)


def without_variable(text: str, name: str) -> str:
    """The text without the variable's lines."""
    return "".join(original for original, mine in _pieces(text, name) if not mine)


def _pieces(text: str, name: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it sets the variable."""
    from dotenv.parser import parse_stream

    for binding in parse_stream(io.StringIO(text)):
        yield binding.original.string, binding.key == name and not binding.error


def value_of(text: str, name: str) -> str | None:
    """The variable's value, the last one counting as in shells; None where it is not set."""
    from dotenv.parser import parse_stream

    found = [binding.value for binding in parse_stream(io.StringIO(text)) if binding.key == name and not binding.error]
    return found[-1] if found else None
