"""The sink `exec`: a program that gets the key on its standard input."""

from __future__ import annotations

import asyncio
import logging
import shlex
import shutil
import signal
from pathlib import Path
from typing import ClassVar, Final

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkSpec
from keyadmin.local.subprocesses import Output, environment
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString, redact_echo

TIMEOUT_S: Final = 300.0
_READ: Final = 8000  # characters of the program's own words that are masked,
_SHOWN: Final = 500  # and of these what --verbose shows: a program may echo the key in a form that nobody thought of
_LOG: Final = logging.getLogger(__name__)


def words(command: str, whose: str = "the sink exec") -> list[str]:
    """The command split as a shell splits words; no shell runs it. `whose` = what it belongs to. Raises usage()."""
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise usage(f"the command of {whose} cannot be split into words: {error}") from None
    if not found:
        raise usage(f"{whose} needs a command: exec:COMMAND")
    return found


class ExecSink(Sink):
    """Exit code 0 = handed over. The key is in neither the arguments nor the environment of the program."""

    kind = "exec"
    pattern = "exec:COMMAND"
    local = True
    reads_back: ClassVar[str] = "no: it gets the key once more before the old one is deleted"
    old_versions: ClassVar[str] = "up to the program"
    tested_against: ClassVar[str] = "programs that take it, fail, hang, and leave children behind"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._words = words(spec.value)

    @classmethod
    def parse(cls, value: str) -> str:
        """A command that splits into words. Raises usage()."""
        words(value)
        return value

    async def preflight(self) -> None:
        """Whether there is such a program. Raises Problem."""
        program = self._words[0]
        if shutil.which(program) is None:
            why = "it may not be executed" if Path(program).exists() else "there is no such program"  # noqa: ASYNC240
            raise Problem(
                Cause.INVALID_ARGUMENT,
                f"{program} cannot be started: {why}",
                fix=("name a program that is on the PATH, or its whole path",),
            )

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Run the program. Raises Problem: it cannot be started, it fails, it takes over five minutes."""
        program = self._words[0]
        output = Output()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=output.end,
                stderr=output.end,
                env=environment(),  # a key that keyadmin itself was given in a variable is not passed on
            )
        except OSError as error:
            raise self._failed(f"{program} cannot be started: {error.strerror}") from None
        finally:
            output.started()
        try:
            await asyncio.wait_for(process.communicate(key.reveal().encode() + b"\n"), TIMEOUT_S)
        except TimeoutError:
            raise self._failed(f"{program} did not end within {TIMEOUT_S:.0f} s and was stopped") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            said = await asyncio.to_thread(output.said)  # it may wait, and others hand over meanwhile
            _LOG.debug("%s printed: %s", program, redact_echo(said[-_READ:], key)[-_SHOWN:])
            raise self._failed(f"{program} {_ending(process.returncode)}; it printed {output.size:,} bytes")
        return Delivery(True, f"taken by {program}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Unknown: a program cannot be read back."""
        return None

    @staticmethod
    def _failed(message: str) -> Problem:
        by_hand = "run the program yourself with some text on its standard input"
        return Problem(Cause.UNKNOWN, message, fix=(by_hand, "or add --verbose: it shows the end of what the program printed"))


def _ending(code: int | None) -> str:
    """How a program ended, in words."""
    if code is not None and code < 0:
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"
    return f"ended with exit code {code}"
