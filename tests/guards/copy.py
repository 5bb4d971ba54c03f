"""A copy of keyadmin with an interpreter of its own, so that whatever the tests start imports the copy.

On systems that fork.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sysconfig
import threading
import time
import venv
import xml.etree.ElementTree as xml
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.guards.guard import Guard

ROOT = Path(__file__).parents[2]
_ASSERTED = ("AssertionError", "assert ", "Failed: DID NOT RAISE")


@dataclass(frozen=True)
class Case:
    """A test that ran. `failure` = the first words of why it failed, `error` = it broke down otherwise."""

    node: str
    failure: str | None
    error: str | None

    @property
    def asserted(self) -> bool:
        """Whether an assertion of the test failed."""
        return self.failure is not None and self.failure.startswith(_ASSERTED)


@dataclass(frozen=True)
class Ran:
    """What pytest did with the tests that were named."""

    cases: list[Case]
    output: str

    def of(self, test: str) -> list[Case]:
        """The cases of a test; without `[...]` all of its parameters."""
        return [case for case in self.cases if test in (case.node, case.node.partition("[")[0])]


class Copy:
    """The package, the tests, and a virtual environment that finds the copy first and otherwise what this one has.

    A variable such as PYTHONPATH would not do: some tests start programs with an environment of their own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tree = folder / "tree"
        for name in ("keyadmin", "tests", "docs"):  # with what is compiled of them: the times of files are kept
            shutil.copytree(ROOT / name, self._tree / name, ignore=shutil.ignore_patterns(".*"))
        shutil.copy(ROOT / "pyproject.toml", self._tree)
        venv.create(folder / "venv", symlinks=True)
        self._python = str(folder / "venv" / "bin" / "python")
        variables = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
        site = Path(sysconfig.get_path("purelib", "venv", vars=variables))
        known = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        (site / "copy.pth").write_text("\n".join([str(self._tree), *known]) + "\n")
        program = folder / "venv" / "bin" / "keyadmin"  # as an installation has it: some tests start it, or look for it
        program.write_text(f"#!{self._python}\nimport sys\nfrom keyadmin.__main__ import main\nsys.exit(main())\n")
        program.chmod(0o755)
        where = [self._python, "-c", "import keyadmin; print(keyadmin.__file__)"]
        found = subprocess.run(where, cwd=folder, env={}, capture_output=True, text=True, check=True).stdout
        assert Path(found.strip()).is_relative_to(self._tree), found
        self._times = itertools.count(int(time.time()) + 1000)
        self._warm = self._started()

    def _started(self) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "PYTEST_"))}
        words = [self._python, str(self._tree / "tests" / "guards" / "warm.py")]
        return subprocess.Popen(
            words, cwd=self._tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        """End the process that runs the tests."""
        self._warm.communicate()

    @contextmanager
    def broken(self, guards: Sequence[Guard]) -> Iterator[None]:
        """The guards' texts replaced. Raises ValueError where one does not apply."""
        before = {self._path(guard): self._path(guard).read_text("utf-8") for guard in guards}
        try:
            for guard in guards:
                self._write(self._path(guard), guard.applied(self._path(guard).read_text("utf-8")))
            yield
        finally:
            for path, text in before.items():
                self._write(path, text)

    def _path(self, guard: Guard) -> Path:
        return self._tree / "keyadmin" / guard.file

    def _write(self, path: Path, text: str) -> None:
        """With a time of its own: two texts of one second could pass for each other, and what is compiled for both."""
        path.write_text(text, "utf-8")
        moment = next(self._times)
        os.utime(path, (moment, moment))

    def run(self, tests: Sequence[str], timeout_s: float) -> Ran:
        """Run tests of the copy with the copy. Raises subprocess.TimeoutExpired."""
        report, output = self._folder / "report.xml", self._folder / "output"
        report.unlink(missing_ok=True)
        words = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(json.dumps({"words": words, "output": str(output)}) + "\n")
        self._warm.stdin.flush()
        pid = int(self._warm.stdout.readline())
        late = threading.Event()
        watch = threading.Timer(timeout_s, _end, (pid, late))
        watch.start()
        try:
            self._warm.stdout.readline()
        finally:
            watch.cancel()
        if late.is_set():
            raise subprocess.TimeoutExpired(words, timeout_s)
        return Ran(_cases(report) if report.exists() else [], output.read_text("utf-8", "replace"))


def _end(pid: int, late: threading.Event) -> None:
    """The run with the sandboxes that its tests started."""
    late.set()
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _cases(report: Path) -> list[Case]:
    found = []
    for case in xml.parse(report).iter("testcase"):
        node = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        failure, error = case.find("failure"), case.find("error")
        found.append(Case(node, _words(failure), _words(error)))
    return found


def _words(element: xml.Element | None) -> str | None:
    return None if element is None else element.get("message", "")
