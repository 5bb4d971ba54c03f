"""A copy of keyadmin with an interpreter of its own, so that whatever the tests start imports the copy."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
import venv
import xml.etree.ElementTree as xml
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.rotation.guards.guard import Guard

ROOT = Path(__file__).parents[3]
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
        skipped = shutil.ignore_patterns("__pycache__", ".*")
        for name in ("keyadmin", "tests"):
            shutil.copytree(ROOT / name, self._tree / name, ignore=skipped)
        shutil.copy(ROOT / "pyproject.toml", self._tree)
        venv.create(folder / "venv", symlinks=os.name == "posix")
        self._python = folder / "venv" / ("bin/python" if os.name == "posix" else "Scripts/python.exe")
        variables = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
        site = Path(sysconfig.get_path("purelib", "venv", vars=variables))
        known = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        (site / "copy.pth").write_text("\n".join([str(self._tree), *known]) + "\n")
        # Compiled files that are checked by content: two breaks of one second could pass for each other.
        python = str(self._python)
        compiling = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "."]
        subprocess.run([python, *compiling], cwd=self._tree, check=True)
        where = [python, "-c", "import keyadmin; print(keyadmin.__file__)"]
        found = subprocess.run(where, cwd=folder, env={}, capture_output=True, text=True, check=True).stdout
        assert Path(found.strip()).is_relative_to(self._tree), found

    @contextmanager
    def broken(self, guard: Guard) -> Iterator[None]:
        """The guard's text replaced. Raises ValueError where it does not apply."""
        path = self._tree / "keyadmin" / guard.file
        text = path.read_text("utf-8")
        path.write_text(guard.applied(text), "utf-8")
        try:
            yield
        finally:
            path.write_text(text, "utf-8")

    def run(self, tests: Sequence[str], timeout_s: float) -> Ran:
        """Run tests of the copy with the copy. Raises subprocess.TimeoutExpired."""
        report = self._folder / "report.xml"
        report.unlink(missing_ok=True)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        words = [str(self._python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
        process = subprocess.Popen(
            words,
            cwd=self._tree,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=os.name == "posix",
        )
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)  # with the sandboxes that the tests started
            raise
        return Ran(_cases(report) if report.exists() else [], output)


def _end(process: subprocess.Popen[str]) -> None:
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _cases(report: Path) -> list[Case]:
    found = []
    for case in xml.parse(report).iter("testcase"):
        node = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        failure, error = case.find("failure"), case.find("error")
        found.append(Case(node, _words(failure), _words(error)))
    return found


def _words(element: xml.Element | None) -> str | None:
    return None if element is None else element.get("message", "")
