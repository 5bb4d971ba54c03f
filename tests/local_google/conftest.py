"""One local Google for each worker; commands run in this process (`cli`) or in one of their own (`typed`, `started`)."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local_google.client import LocalGoogle, environment


@dataclass(frozen=True)
class Result:
    """What a command left behind. `first_word_s` = seconds until something stood on stderr, where it was measured."""

    code: int
    out: str
    err: str
    seconds: float = 0.0

    @property
    def json(self) -> Any:
        """stdout as one JSON document."""
        import json

        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error object: the last line of stderr."""
        import json

        assert self.err.rstrip().endswith("}}"), f"no error object: {self.err[-500:]!r}"
        return json.loads(self.err.splitlines()[-1])["error"]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGoogle]:
    """The process, one a worker."""
    google = LocalGoogle(tmp_path_factory.mktemp("google"))
    yield google
    google.stop()


@pytest.fixture
def google(running: LocalGoogle) -> LocalGoogle:
    """The same with a fresh world, no faults and an empty log."""
    running.reset()
    return running


@pytest.fixture
def env(google: LocalGoogle, tmp_path: Path) -> dict[str, str]:
    """A clean machine behind the proxy, without credentials."""
    return environment(google, tmp_path)


@pytest.fixture
def machine(google: LocalGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    """google.auth reads the metadata server's address when it is first imported; a process of its own would see ours."""
    from google.auth.compute_engine import _metadata

    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", google.plain)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def run_here(
    arguments: tuple[str, ...],
    whole: Mapping[str, str],
    patch: pytest.MonkeyPatch,
    stdin: str = "",
    *,
    terminal: bool = False,
) -> Result:
    """Run one command line in this process with this environment."""
    from keyadmin.cli.app import main

    kind = Terminal if terminal else io.StringIO
    out, err = io.StringIO(), kind()
    with patch.context() as within:
        for name in list(os.environ):
            if name not in whole and name != "PYTEST_CURRENT_TEST":
                within.delenv(name)
        for name, value in whole.items():
            within.setenv(name, value)
        within.setattr(sys, "stdin", kind(stdin))
        within.setattr(sys, "stdout", out)
        within.setattr(sys, "stderr", err)
        began = time.monotonic()
        code = main(list(arguments))
    return Result(code, out.getvalue(), err.getvalue(), time.monotonic() - began)


@pytest.fixture
def cli(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run one command line in this process."""

    def run(*arguments: str, env_: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        return run_here(arguments, env | dict(env_ or {}), monkeypatch, stdin)

    return run


@dataclass
class Started:
    """A command in a process of its own."""

    process: subprocess.Popen[str]

    def word(self) -> tuple[str, float]:
        """The first line on stderr and the seconds that it took to come."""
        began = time.monotonic()
        assert self.process.stderr is not None
        return self.process.stderr.readline(), time.monotonic() - began

    def interrupt(self, number: int = signal.SIGINT) -> float:
        """Send the signal; the seconds until the process was gone."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(60)
        return time.monotonic() - began


@pytest.fixture
def started(env: dict[str, str]) -> Iterator[Callable[..., Started]]:
    """Start a command line; what still runs at the end is ended."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str, env_: Mapping[str, str] | None = None) -> Started:
        process = subprocess.Popen(
            [sys.executable, "-m", "keyadmin", *arguments],
            env=env | dict(env_ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return Started(process)

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
