"""The page docs/fix-walk.md, its recordings and this test are one script: docs/fix_walk.py."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from keyadmin.audit.fix import waiting
from tests.cli.docs_pages import TYPED, blocks
from tests.unit.test_site import script


def test_the_walk_of_repairs_is_what_its_script_plays_and_runs(
    served: Any, cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's lines are those that the recordings show; here with 20 projects in place of 1,000, and not killed."""
    walk = script("fix_walk")
    assert [line for language, lines in blocks("fix-walk.md") if language == TYPED for line in lines] == [
        f"{step.line}    # exit code {step.code}" if step.code else step.line for step in walk.WALK
    ]
    monkeypatch.setattr(waiting, "POLL_S", 0.02)
    monkeypatch.setattr(waiting, "TICK_S", 0.02)
    monkeypatch.chdir(tmp_path)
    served.control("seed", walk.seed(datetime.fromisoformat(served.control("")["now"]), 20))
    (tmp_path / "shop.toml").write_text(walk.POLICY)
    for step in walk.WALK:
        if step.later:
            served.control("clock", {"advance": step.later})
        over = threading.Event()
        thread = walk.harmed_meanwhile(served.rest, tmp_path, over) if step.observed else None
        done = cli(*shlex.split(step.line)[1:], env={"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": step.who})
        over.set()
        if thread is not None:
            thread.join()
        assert done.code == step.code, f"{step.line}: {done.code}\n{done.out}\n{done.err}"
    plan, after = (json.loads((tmp_path / name).read_text()) for name in ("next.json", "after.json"))
    assert {each["project"] for each in plan["changes"]} == {walk.STRANGE}
    classes = {"no-sink", "too-young", "not-unused-for-long", "use-unknown"}
    high = {each["key"] for each in after["findings"] if each["severity"] == "high"}
    assert high == {each["key"] for each in plan["left"] if each["severity"] == "high" and each["reason"] in classes}
    assert all(each["command"] for each in plan["left"])
