"""Programs that keyadmin starts get no key string with the environment, and there is one filter for all of them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import keyadmin
from keyadmin.model.observer import Observer
from keyadmin.rotation.job import Event
from keyadmin.rotation.notices import Notifier
from keyadmin.unattended.destinations import Notices, Program

SOURCES = Path(keyadmin.__file__).parent
STARTERS = {"run", "Popen", "call", "check_call", "check_output", "create_subprocess_exec", "create_subprocess_shell"}
# The server of a test in its own process: it is this very program, started by the person's test.
THE_SANDBOX_ITSELF = "sandbox/pytest_plugin.py"
A_FIXED_ONE = ("local/environment/checker.py", "fixed")


def test_a_notice_s_program_gets_no_key_string(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "AQ." + "SANDBOX-" + "a" * 42)
    monkeypatch.setenv("KEPT", "yes")
    out = tmp_path / "seen"
    program = Program([sys.executable, "-c", f"import os; open({str(out)!r}, 'w').write(repr(dict(os.environ)))"])
    told = Notifier("keyadmin rotation run", Notices([program], Observer()))
    told(Event(datetime(2026, 1, 1, tzinfo=UTC), "demo-project", "abcdefghij", 1, "ka-abcdefghij-1", "publish", "done"))
    told.send()
    assert "'KEPT': 'yes'" in out.read_text()
    assert "SANDBOX-" not in out.read_text()


def starts(path: Path) -> Iterator[ast.Call]:
    """The calls by which a module starts a program."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in STARTERS:
            owner = node.func.value
            names = ("subprocess",) if node.func.attr == "run" else ("subprocess", "asyncio")  # asyncio.run starts none
            if isinstance(owner, ast.Name) and owner.id in names:
                yield node


def test_every_program_is_started_with_the_filtered_environment() -> None:
    found = 0
    for path in SOURCES.rglob("*.py"):
        where = path.relative_to(SOURCES).as_posix()
        for call in starts(path):
            found += 1
            given = {word.arg: ast.unparse(word.value) for word in call.keywords}
            known = where == THE_SANDBOX_ITSELF or "environment()" in given.get("env", "")
            assert known or (where, given.get("env")) == A_FIXED_ONE, f"{where}:{call.lineno}"
    assert found > 3
