"""Commands as a person types them: `cli("config", "list")` runs one in this process, `typed(...)` in a process of its own.

`server` is the address of a served sandbox, one a module; `Served` looks at it and steers it.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli import app
from keyadmin.cli.app import main
from keyadmin.cli.session import Session
from tests.cli.json_documents import check, words_of


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as one JSON document."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error object: the last line of stderr."""
        last = self.err.rstrip("\n").rpartition("\n")[2]
        assert last.startswith('{"error"'), f"no error object: {self.err[-500:]!r}"
        return json.loads(last)["error"]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing of the tester's own: configuration, data and sandbox state in a fresh folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "KEYADMIN_SANDBOX_STATE": str(tmp_path / "sandbox.db"),
        "COLUMNS": "100",
    }


@pytest.fixture
def config_home(tmp_path: Path) -> Path:
    """Where keyadmin's configuration files are in the environment of `home`."""
    return tmp_path / "config" / "keyadmin"


@pytest.fixture
def cli(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run one command line in this process; JSON that it prints has to be what its schema says."""

    def run(
        *arguments: str, env: Mapping[str, str] | None = None, stdin: str | io.StringIO | None = "", terminal: bool = False
    ) -> Result:
        whole = home | dict(env or {})
        kind = Terminal if terminal else io.StringIO
        sessions: list[Session] = []

        def kept(environment: Mapping[str, str]) -> Session:
            sessions.append(Session(environment))
            return sessions[-1]

        out, err = kind(), kind()
        with monkeypatch.context() as patch:
            for name in list(os.environ):
                if name not in whole and name != "PYTEST_CURRENT_TEST":
                    patch.delenv(name)
            for name, value in whole.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", kind(stdin) if stdin is None or isinstance(stdin, str) else stdin)
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(app, "Session", kept)
            code = main(list(arguments))
        session = sessions[-1]
        if session.settled and session.fields is None:
            check(session.words, session.format, out.getvalue(), err.getvalue())
        return Result(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def typed(home: dict[str, str]) -> Callable[..., Result]:
    """Run one command line in a process of its own."""

    def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "keyadmin", *arguments],
            env=home | dict(env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        form = next((word for before, word in pairwise(arguments) if before == "--format"), "")
        if "--fields" not in arguments and not (env or {}).get("KEYADMIN_FORMAT"):
            check(words_of(arguments), form, done.stdout, done.stderr)
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], str]:
    """Put a function into the root table for this test: `command(function)` gives the name to type."""
    import types

    from keyadmin.cli import app
    from keyadmin.cli.lazy import CommandEntry, CommandGroup

    def add(function: Callable[..., Any]) -> str:
        module = types.ModuleType("keyadmin_commands_of_a_test")
        vars(module)["function"] = function
        monkeypatch.setitem(sys.modules, module.__name__, module)
        entry = CommandEntry(f"{module.__name__}:function", "A command of a test.")
        monkeypatch.setattr(app, "ROOT", CommandGroup(app.ROOT.help, {**app.ROOT.entries, "trial": entry}))
        return "trial"

    return add


@dataclass
class Served:
    """A running sandbox and its controls."""

    rest: str

    def control(self, path: str, data: Any = None, method: str | None = None) -> Any:
        """GET `/_sandbox/PATH`, or POST where there is data."""
        request = urllib.request.Request(
            f"{self.rest}/_sandbox/{path}",
            data=None if data is None else json.dumps(data).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=180) as answer:
            return json.loads(answer.read() or "null")

    def seed(self, **parts: Any) -> None:
        """Merge a seed."""
        self.control("seed", parts)

    def grant(self, member: str, *permissions: str, project: str = "demo-project") -> None:
        """Give somebody exactly these permissions in a project, by a custom role of their own."""
        role = f"organizations/1000/roles/role{zlib.crc32(repr((member, project, permissions)).encode())}"
        bound = [{"projectId": project, "iam": {role: [f"user:{member}"]}}]
        self.seed(customRoles={role: list(permissions)}, projects=bound)

    def methods(self, principal: str | None = None) -> list[str]:
        """The short names of the methods that were called since the reset, in order; of all, or of one caller."""
        calls = [each["method"] for each in self.control("requests") if principal in (None, each["principal"])]
        return [method.rpartition("/")[2].rpartition(".")[2] for method in calls]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the module's sandbox, started as a person starts it."""
    ready = tmp_path_factory.mktemp("served") / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--ready-file", str(ready)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"KEYADMIN_FORMAT": ""},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the sandbox did not start"
    yield json.loads(line)["rest"]
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=180)


@pytest.fixture
def served(server: str) -> Served:
    """The sandbox as it was at its start."""
    sandbox = Served(server)
    sandbox.control("reset", {})
    return sandbox
