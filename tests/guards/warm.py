"""A process that has imported what most tests need and forks for each run of pytest; a program, started by copy.py.

It reads orders from stdin, one JSON object a line: `words` = pytest's arguments, `output` = the file for what pytest writes. It
answers with two lines: the process id of the run, and its exit code. keyadmin itself is imported in the fork alone.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from importlib import import_module

WARM = (
    *("pytest", "_pytest.junitxml", "hypothesis", "pytest_asyncio", "pytest_timeout", "xdist", "asyncio", "sqlite3", "psutil"),
    *("aiohttp.web", "grpc.aio", "typer.main", "typer.completion", "pydantic", "google.auth.transport.requests"),
    *("google.cloud.api_keys_v2", "google.cloud.resourcemanager_v3", "google.cloud.secretmanager_v1", "yaml", "tabulate"),
)


def main() -> None:
    """Fork for each order until stdin ends."""
    for name in WARM:
        with contextlib.suppress(ImportError):  # what is not installed need not be warm
            import_module(name)
    assert "keyadmin" not in sys.modules
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(order["words"], order["output"])
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(words: list[str], output: str) -> None:
    os.setsid()  # so that all that the tests start can be ended with it
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, out)):
        os.dup2(source, number)
    import pytest

    code = 70
    try:
        sys.path.insert(0, os.getcwd())
        code = int(pytest.main(words))
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    del sys.path[0]  # this folder, whose `copy` is none of Python's
    main()
