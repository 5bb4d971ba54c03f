"""Two releases beside each other: the same commands in turns, against one server, in one run.

`python -m tests.benchmarks.beside PROGRAM [WORD...]`: PROGRAM is the `keyadmin` of the release before, WORDs choose rows.
Prints a Markdown table: medians of wall and CPU seconds, peaks in MB, and their ratios, this release over the other.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROUNDS = 5
LATENCY_MS = 95  # a call, as recorded
ORGANIZATION = "organizations/77"
LINE = b"2026-01-01T00:00:00Z INFO 10.0.0.1 GET /index.html 200 http://x.example/projects/foo permission ok status: 200\n"
ERROR = b"googleapi: Error 403: Permission 'apikeys.keys.create' denied on resource (or it may not exist)., forbidden\n"
LOG = LINE * (1 + (1 << 20) // len(LINE)) + ERROR

# Starts the command, so that the peak is the command's own (ru_maxrss counts what a parent held), and counts what it used.
_SMALL = """
import json, os, sys
out = os.open(os.devnull, os.O_WRONLY)
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
_, status, usage = os.wait4(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]), file=sys.stderr)
"""


@dataclass(frozen=True)
class Used:
    """What one run took: wall seconds, CPU seconds, peak memory in MB."""

    seconds: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Row:
    """A command of both. `seed` fills the server, which answers after `latency_ms`; `codes` are the exit codes that do."""

    what: str
    words: Sequence[str]
    seed: Json | None = None
    latency_ms: int = 0
    stdin: bytes = b""
    codes: tuple[int, ...] = (0,)
    rounds: int = ROUNDS
    prepare: Callable[[Path], None] = field(default=lambda folder: None)


def _fleet(projects: int, keys: int) -> Json:
    roles = {role: ["user:owner@example.com"] for role in ("roles/browser", "roles/cloudasset.viewer")}
    organization = {"name": ORGANIZATION, "displayName": "fleet.example", "iam": roles}
    fleet = {"projects": projects, "keysPerProject": keys, "parent": ORGANIZATION}
    return {"organizations": [organization], "fleet": fleet}


def _policy(folder: Path) -> None:
    names = json.dumps([f"fleet-{number:05}" for number in range(2_000)])
    sinks = json.dumps(["secret-manager:projects/{project}/secrets/{lineage}"])
    folder.joinpath("keyadmin.toml").write_text(f"[[rule]]\nprojects = {names}\nsinks = {sinks}\n")


def rows() -> list[Row]:
    """What docs/figures.md has a figure for and both releases can do."""
    listed = ("--format", "json")
    audit = ("audit", "--organization", "77", "--inventory")
    found = (0, 3)
    packages = sysconfig.get_path("purelib")
    names = [f"fleet-{number:05}" for number in range(500)]
    slow = LATENCY_MS
    one_by_one = Row(
        "audit, 1,000 projects one by one", [*audit, "api", *listed], _fleet(1_000, 5), slow, codes=found, rounds=3
    )
    searched = Row("", [], _fleet(10_000, 5), codes=found, rounds=3)
    return [
        Row("--version", ["--version"], rounds=21),
        Row("--help", ["--help"], rounds=21),
        Row("--sandbox keys list, new state", ["--sandbox", "keys", "list"]),
        Row("explain, a megabyte", ["explain", "-", *listed], stdin=LOG),
        Row("scan of installed packages", ["scan", packages, "--offline", "--quiet", *listed], codes=found),
        Row("projects list, 5,000 projects", ["projects", "list", "--all", *listed], _fleet(5_000, 0), slow),
        Row("keys list, 1,000 projects", ["keys", "list", "--all-projects", *listed], _fleet(1_000, 5), slow),
        Row("doctor on 500 projects", ["doctor", *names, *listed], _fleet(500, 5), slow, codes=(0, 1, 3, 4)),
        Row("rotation plan of 10,000 keys", ["rotation", "plan", *listed], _fleet(2_000, 5), slow, prepare=_policy, rounds=3),
        one_by_one,
        *(
            replace(searched, what=f"audit, 10,000 projects by inventory, {form}", words=[*audit, "asset", "--format", form])
            for form in ("json", "csv", "sarif")
        ),
    ]


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[Callable[[str, Any], None]]:
    """A sandbox of this release for both; yields what posts to its control door. Its address is in the environment then."""
    command = [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--ready-file", str(folder / "ready.json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    rest = json.loads(process.stdout.readline())["rest"]

    def post(path: str, data: Any) -> None:
        body = json.dumps(data).encode()
        request = urllib.request.Request(f"{rest}/_sandbox/{path}", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=120).read()

    os.environ["KEYADMIN_SANDBOX"] = rest
    try:
        yield post
    finally:
        del os.environ["KEYADMIN_SANDBOX"]
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _run(program: str, row: Row, folder: Path) -> Used:
    """One run in a new home folder. A failure is one.

    Raises:
        RuntimeError: the command ended with another exit code.
    """
    home = Path(tempfile.mkdtemp(dir=folder))
    row.prepare(home)
    kept: Mapping[str, str] = {name: os.environ[name] for name in ("PATH", "KEYADMIN_SANDBOX") if name in os.environ}
    if "--sandbox" in row.words:
        kept = {"PATH": os.environ["PATH"]}
    env = {**kept, "HOME": str(home), "LANG": "C.UTF-8"}
    words = [sys.executable, "-I", "-S", "-c", _SMALL, program, *row.words]
    began = time.perf_counter()
    done = subprocess.run(words, env=env, cwd=home, input=row.stdin, capture_output=True, check=False)
    seconds = time.perf_counter() - began
    lines = done.stderr.decode().splitlines()
    code, cpu, megabytes = json.loads(lines[-1])
    if code not in row.codes:
        raise RuntimeError(f"{program} {' '.join(row.words)[:80]}: exit {code}: {lines[-6:-1]}")
    return Used(seconds, cpu, megabytes)


def beside(mine: str, other: str, row: Row, folder: Path) -> str:
    """The row of the table: both programs in turns, after one run of each that fills the file cache."""
    with contextlib.ExitStack() as stack:
        if row.seed is not None:
            post = stack.enter_context(_server(folder))
            post("seed", row.seed)
            post("latency", {"ms": row.latency_ms})
        _run(mine, row, folder)
        _run(other, row, folder)
        pairs = [(_run(mine, row, folder), _run(other, row, folder)) for _ in range(row.rounds)]
    cells = []
    for name, unit in (("seconds", "s"), ("cpu", "s"), ("megabytes", "MB")):
        ours, theirs = (statistics.median(getattr(used, name) for used in column) for column in zip(*pairs, strict=True))
        digits = 0 if unit == "MB" else 2
        cells.append(f"{ours:.{digits}f} / {theirs:.{digits}f} {unit} = {ours / theirs:.2f}")
    return f"| {row.what} | {' | '.join(cells)} |"


def main(words: Sequence[str]) -> int:
    """Print the table; 2 where no program of the release before was named."""
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    other, *wanted = words
    mine = shutil.which("keyadmin", path=str(Path(sys.executable).parent)) or "keyadmin"
    print("| What | Wall | CPU | Memory |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for row in rows():
            if not wanted or any(word in row.what for word in wanted):
                print(beside(mine, other, row, Path(folder)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
