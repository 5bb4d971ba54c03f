"""Packages that are imported late, in a thread or by the sandbox in the same process: never two at a time."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path

import pytest

import keyadmin
from keyadmin.model.loading import load

SOURCES = Path(keyadmin.__file__).parent
FIRST = """
import sys
main = sys.modules["__main__"]
main.first_has_begun.set()
met_half_way = main.second_has_begun.wait(0.3)
"""
SECOND = """
import sys
sys.modules["__main__"].second_has_begun.set()
"""


def test_a_second_import_waits_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("keyadmin_test_first", FIRST), ("keyadmin_test_second", SECOND)):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    begun = threading.Event()
    monkeypatch.setattr(sys.modules["__main__"], "first_has_begun", begun, raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "second_has_begun", threading.Event(), raising=False)
    thread = threading.Thread(target=load, args=("keyadmin_test_first",))
    thread.start()
    assert begun.wait(60)
    load("keyadmin_test_second")
    thread.join(60)
    assert sys.modules["keyadmin_test_first"].met_half_way is False


def test_nothing_else_imports_by_name_what_the_other_side_may_be_importing() -> None:
    for part in ("cloud", "sandbox"):
        for path in (SOURCES / part).rglob("*.py"):
            text = path.read_text("utf-8")
            for line in re.findall(
                r".*\bimport_module\((?!\"msvcrt\").*|^ +(?:from google\.cloud import|import google\.cloud).*",
                text,
                re.MULTILINE,
            ):
                assert path.name == "loading.py", f"{path.name}: {line}: use load of a loading module"


@pytest.mark.asyncio
async def test_an_embedded_sandbox_imports_under_the_lock_of_its_client(tmp_path: Path) -> None:
    from keyadmin.cloud.connect import Embedded, Target, connect
    from keyadmin.model.loading import LOCK
    from keyadmin.sandbox.messages import loading

    loading.share(threading.RLock())
    async with connect(Target(sandbox=Embedded(tmp_path / "state"))):
        assert loading._GATE.lock is LOCK
