"""What a sink is, and how one is written on a command line."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from keyadmin.model.problem import usage
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

DEFAULT_VARIABLE: Final = "GEMINI_API_KEY"
KINDS: Final = ("env-file:PATH[:VAR]", "secret-manager:projects/P/secrets/S", "exec:COMMAND", "stdout")


@dataclass(frozen=True)
class Delivery:
    """How a hand-over went: whether anything changed, and words for people (never the key)."""

    changed: bool
    detail: str


class Sink(Protocol):
    """A place that a key is handed to. `publish` may be repeated."""

    spec: str
    """As written on the command line."""
    outside: bool
    """Whether it writes outside the cloud that the key is in (a file, a program): the sandbox guards these."""
    local: bool
    """Whether it belongs to this machine: another machine cannot hand over to it."""

    async def publish(self, key: KeyString) -> Delivery:
        """Hand the key over. Raises Problem where it was not handed over."""

    async def holds(self, key: KeyString) -> bool | None:
        """Whether the sink has this key now; None where it cannot be read back."""


@dataclass(frozen=True)
class SinkSpec:
    """A sink as written: its kind and what stands behind the colon."""

    text: str
    kind: str
    value: str

    @property
    def place(self) -> str:
        """The same for all ways of writing the same file and variable."""
        if self.kind != "env-file":
            return self.text
        path, name = variable(self.value)
        return f"env-file:{os.path.abspath(path)}:{name}"


def parse(text: str) -> SinkSpec:
    """Check a sink before any call is made. Raises usage() saying which there are."""
    kind, colon, value = text.partition(":")
    if text == "stdout":
        return SinkSpec(text, "stdout", "")
    if kind == "env-file" and value:
        variable(value)
    elif kind == "exec" and value.strip():
        from keyadmin.handover.sinks.exec import words

        words(value)
    elif kind == "secret-manager" and value:
        from keyadmin.handover.sinks.secret_manager import secret_name

        secret_name(value)
    else:
        raise usage(f"{text!r} is no sink: write one of {', '.join(KINDS)}" if colon or text else "a sink is missing")
    return SinkSpec(text, kind, value)


def variable(value: str) -> tuple[Path, str]:
    """`PATH[:VAR]`: the file and the variable. Raises usage() for what cannot be one."""
    path, colon, name = value.rpartition(":")
    if not colon or "/" in name or "\\" in name:  # a colon inside the path (C:\\...) names no variable
        path, name = value, DEFAULT_VARIABLE
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise usage(f"{name!r} is no name of a variable: letters, digits and _, not beginning with a digit")
    if not path:
        raise usage("the sink env-file needs a path: env-file:PATH[:VAR]")
    return Path(path).expanduser(), name


def fingerprint(specs: Sequence[SinkSpec]) -> str:
    """A hash of the sink list (its order does not count), for annotations: the list itself is never written there.

    Of no sinks it is empty.
    """
    if not specs:
        return ""
    return hashlib.sha256("\n".join(sorted(spec.text for spec in specs)).encode()).hexdigest()[:16]


def build(specs: Sequence[SinkSpec], cloud: Cloud, *, flagged: bool, emit: Callable[[str], None]) -> list[Sink]:
    """The sinks, ready to be handed to.

    `flagged` = the sandbox was chosen by `--sandbox` on the command line: only then may a sandbox key leave the sandbox
    (contract 2). `emit` writes a line to stdout. Raises usage() for a sink that the sandbox does not allow.
    """
    from keyadmin.handover.sinks.env_file import EnvFileSink
    from keyadmin.handover.sinks.exec import CommandSink
    from keyadmin.handover.sinks.secret_manager import SecretManagerSink
    from keyadmin.handover.sinks.stdout import StdoutSink

    out: list[Sink] = []
    for spec in specs:
        sink: Sink
        if spec.kind == "env-file":
            sink = EnvFileSink(spec.text, *variable(spec.value))
        elif spec.kind == "exec":
            sink = CommandSink(spec.text, spec.value)
        elif spec.kind == "secret-manager":
            sink = SecretManagerSink(spec.text, spec.value, cloud)
        else:
            sink = StdoutSink(emit)
        if cloud.sandbox and sink.outside and not flagged:
            raise usage(
                f"the sink {spec.text!r} writes outside the sandbox, which a variable alone does not allow",
                "add --sandbox to the command line if a sandbox key is really wanted there",
            )
        out.append(sink)
    return out
