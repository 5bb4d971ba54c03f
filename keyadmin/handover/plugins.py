"""Sinks that other packages bring, by the entry point group `keyadmin.sinks`.

What is known of a sink without a key (its text, what it occupies) is asked of the class in this process. A key is handed over
in a process of its own: what the package prints goes nowhere, what it raises is masked, and one that hangs is ended, so that it
neither shows the key nor stops other lineages. How one is written: docs/contributing/sink.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Final

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.local.subprocesses import environment
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import KeyString, redact

ENTRY_POINTS: Final = "keyadmin.sinks"
SWITCH: Final = "KEYADMIN_NO_PLUGINS"
TIMEOUT_S: Final = 300.0
_LONGEST: Final = 1_000_000  # bytes of an answer


def entries(group: str = ENTRY_POINTS) -> list[EntryPoint]:
    """The entry points of a group, by name; none where `--no-plugins` was given. Nothing is imported."""
    if os.environ.get(SWITCH, "").lower() not in ("", "0", "false"):
        return []
    return sorted(entry_points(group=group), key=lambda each: each.name)


def package_of(entry: EntryPoint) -> str:
    """The package that brings it, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def load(entry: EntryPoint) -> type[Sink]:
    """The class of an entry point. Raises Problem (exit 2): it cannot be imported, it is not a sink of that kind."""
    with _quiet():
        try:
            found = entry.load()
        except Exception as error:
            raise _refused(entry, f"cannot be loaded: {type(error).__name__}: {redact(str(error))}") from error
    if not (isinstance(found, type) and issubclass(found, Sink) and getattr(found, "kind", None) == entry.name):
        raise _refused(entry, "is not a class of keyadmin.handover.sink.Sink of that kind")
    return found


def wrapped(entry: EntryPoint) -> type[Sink]:
    """The same class for this process: it answers what its package's class answers, and hands over in another process."""
    inner = load(entry)
    package = package_of(entry)

    class Wrapped(PluginSink):
        __doc__ = inner.__doc__
        kind = entry.name
        pattern = str(getattr(inner, "pattern", f"{entry.name}:..."))
        local = bool(inner.local)
        outside = True
        reads_back = str(inner.reads_back)
        old_versions = str(inner.old_versions)
        tested_against = f"by its package, {package}"
        brought_by = package
        parse = _asked(entry, inner.parse)
        place = _asked(entry, inner.place)
        below = _asked(entry, inner.below)
        needs = _asked(entry, inner.needs)
        writes_below = _asked(entry, inner.writes_below)

    return Wrapped


class PluginSink(Sink):
    """A sink of another package, at arm's length."""

    timeout_s: ClassVar[float] = TIMEOUT_S

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._value = spec.value

    async def preflight(self) -> None:
        """What its package looks at. Raises Problem."""
        await self._ask("preflight", None, "")

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Hand over, in a process of its own. Raises Problem where it was not handed over."""
        found = await self._ask("deliver", key, key_id)
        return Delivery(bool(found.get("changed")), redact(str(found.get("detail", ""))))

    async def read_back(self, key: KeyString) -> bool | None:
        """What its package reads. Raises Problem."""
        found = await self._ask("read_back", key, "")
        held = found.get("held")
        return held if held is None else bool(held)

    async def _ask(self, action: str, key: KeyString | None, key_id: str) -> dict[str, Any]:
        order: dict[str, Any] = {"kind": self.kind, "text": self.spec, "value": self._value, "action": action, "key_id": key_id}
        order["key"] = key.reveal() if key is not None else None
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "keyadmin.handover.plugin_host"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment(),
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(json.dumps(order).encode()), self.timeout_s)
        except TimeoutError:
            raise self._failed(f"did not end within {self.timeout_s:.0f} s and was stopped") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return self._read(out, process.returncode)

    def _read(self, out: bytes, code: int | None) -> dict[str, Any]:
        try:
            found = json.loads(out[:_LONGEST])
        except ValueError:
            raise self._failed(f"ended with exit code {code} and no answer") from None
        if not isinstance(found, dict):
            raise self._failed("gave an answer of another form")
        if "error" in found:
            raise self._failed(redact(str(found["error"])), tuple(redact(str(each)) for each in found.get("fix") or ()))
        return found

    def _failed(self, why: str, fix: tuple[str, ...] = ()) -> Problem:
        message = f"the sink {self.kind} of the package {self.brought_by}: {why}"
        return Problem(Cause.UNKNOWN, message, fix=fix or ("ask those who make the package",))


def _asked(entry: EntryPoint, method: Any) -> Any:
    """A class method of another package: quiet, and a failure is told as its own. A usage error passes."""

    def ask(cls: type[Sink], *arguments: Any) -> Any:
        with _quiet():
            try:
                return method(*arguments)
            except Problem:
                raise
            except Exception as error:
                raise _refused(entry, f"failed: {type(error).__name__}: {redact(str(error))}") from error

    return classmethod(ask)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Python code prints meanwhile does not get among the data."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


def _refused(entry: EntryPoint, why: str) -> Problem:
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"the sink {entry.name} of the package {package_of(entry)} {why}",
        fix=("update or remove the package, or leave all such packages out: --no-plugins",),
        exit_code=Exit.USAGE,
    )
