"""A fresh sandbox server per test, as a process of its own, reached by Google's own clients over TCP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_CODE = """
import asyncio, json, sys
from pathlib import Path
from keyadmin.sandbox.serve import ServeOptions, serve
options = json.loads(sys.argv[1])
for name in ("state", "seed", "ready_file"):
    if options.get(name):
        options[name] = Path(options[name])
asyncio.run(serve(ServeOptions(**options)))
"""


@dataclass
class Running:
    """A sandbox process and its addresses."""

    process: subprocess.Popen[str]
    rest: str
    grpc: str

    def control(self, path: str, data: Any = None, method: str | None = None) -> Any:
        """Call `/_sandbox/PATH`: GET without data, POST with it."""
        request = urllib.request.Request(
            f"{self.rest}/_sandbox/{path}".rstrip("/"),
            data=None if data is None else json.dumps(data).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def stop(self) -> None:
        """Stop it; one that does not stop is killed, and that is a failure."""
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def start(**options: Any) -> Running:
    process = subprocess.Popen([sys.executable, "-c", _CODE, json.dumps(options)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the sandbox did not start"
    info = json.loads(line)
    return Running(process, info["rest"], info["grpc"])


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start sandboxes with a seed (a dict) or other options of `serve`; stopped after the test."""
    running: list[Running] = []

    def run(seed: dict[str, Any] | None = None, **options: Any) -> Running:
        if seed is not None:
            path = tmp_path / f"seed-{len(running)}.json"
            path.write_text(json.dumps(seed))
            options["seed"] = str(path)
        running.append(start(**options))
        return running[-1]

    yield run
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Running]:
    """One sandbox for a module whose tests keep to projects of their own; `reset` it where that matters."""
    running = start()
    yield running
    running.stop()


@pytest.fixture
def sandbox(shared_sandbox: Running) -> Running:
    """The module's sandbox, reset to the default seed."""
    shared_sandbox.control("reset", {})
    return shared_sandbox
