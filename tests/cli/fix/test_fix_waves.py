"""Waves: each observed by the server's clock before the next; harm stops them, and nothing is put back by itself."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from keyadmin.audit.fix import run as runs
from tests.cli.fix.conftest import GEMINI, MAPS, TRANSLATE, Fixing


@contextmanager
def meanwhile(fixing: Fixing, *steps: Callable[[], None]) -> Iterator[None]:
    """While a command waits behind its waves: one step after the other, and the clock is put forward each time.

    More steps than there should be waves let a test fail that would else wait for ever.
    """
    over = threading.Event()

    def act() -> None:
        journal = fixing.folder / "plan.json.run.jsonl"
        for number, step in enumerate(steps, 1):
            while not over.wait(0.02):
                if journal.exists() and journal.read_text().count('"step":"ended"') >= number:
                    break
            if over.is_set():
                return
            step()
            fixing.served.control("clock", {"advance": "46m"})

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def called(
    fixing: Fixing, key: str, service: str, calls: int, *, refused: int = 0, project: str = "shop"
) -> Callable[[], None]:
    """Calls with a key, some answered and some refused, a minute from now."""

    def step() -> None:
        now = fixing.key(key, project)
        fixing.served.control("clock", {"advance": "6m"})
        errors = {"errors": {"403": refused}} if refused else {}
        use = [{"service": service, "at": fixing.ago(seconds=1), "calls": calls, **errors}]
        kept = {name: now[name] for name in ("displayName", "createTime", "restrictions", "annotations") if name in now}
        fixing.served.seed(projects=[{"projectId": project, "keys": [{"keyId": key, **kept, "use": use}]}])

    return step


def busy(fixing: Fixing) -> None:
    """Keys that are called all day; 7,000 calls a week are 31 in 45 minutes."""
    week = [(MAPS, day, 1000) for day in range(1, 8)]
    fixing.seed("shop", *(fixing.seed_key(f"busy-{number}", use=week) for number in range(4)))


def quiet() -> None:
    """Nobody calls."""


def test_a_wave_that_did_harm_stops_the_others(fixing: Fixing) -> None:
    busy(fixing)
    plan = fixing.plan("--projects", "shop", "--rule", "gemini-exposed-key", "--wave", "70%")
    first = [each["key"].rpartition("/")[2] for each in plan["changes"] if each["wave"] == 1]
    steps = [called(fixing, key, MAPS, 40, refused=7 if key == "busy-0" else 0) for key in first if key.startswith("busy")]

    def calls() -> None:
        for step in steps:
            step()

    with meanwhile(fixing, calls, quiet, quiet):
        done = fixing.apply(observe="45m")
    assert done.code == 3, done.err
    harmed = fixing.key("busy-0")["name"]
    assert f"shop the busy-0 ({harmed}): 7 calls were answered 403 since the change; none is usual" in done.err
    assert "go on once the harmed keys are put back, or with --accept-harm: " in done.err
    back = next(line for line in done.err.splitlines() if "put it back" in line)
    left = [each["key"].rpartition("/")[2] for each in plan["changes"] if each["wave"] > 1]
    assert all(fixing.targets(key) == [] for key in left), "later waves did not come"
    assert fixing.targets("busy-0") == [MAPS], "nothing is put back by itself"
    assert fixing.type(*shlex.split(back[back.index("keyadmin ") + 9 :]), "--yes").code == 0
    assert fixing.targets("busy-0") == []
    other = next(key for key in first if key.startswith("busy") and key != "busy-0")
    assert fixing.targets(other) == [MAPS]


def test_answered_calls_that_fall_away_are_harm(fixing: Fixing) -> None:
    busy(fixing)
    fixing.plan("--projects", "shop", "--key", "busy-1", "--key", "busy-2", "--wave", "50%")
    with meanwhile(fixing, quiet, quiet, quiet):
        done = fixing.apply(observe="45m")
    assert done.code == 3
    assert "0 calls were answered in 4" in done.err
    assert fixing.targets("busy-2") == []


def test_a_wave_that_did_no_harm_is_followed_by_the_next(fixing: Fixing) -> None:
    busy(fixing)
    fixing.plan("--projects", "shop", "--key", "busy-1", "--key", "busy-2", "--wave", "50%")
    steps = [called(fixing, key, MAPS, 40) for key in ("busy-1", "busy-2")]
    with meanwhile(fixing, *steps):
        done = fixing.apply(observe="45m")
    assert done.code == 0, done.err
    assert "Wave 1: no harm is seen" in done.err
    assert fixing.targets("busy-2") == [MAPS]
    verdicts = [each["verdict"] for each in fixing.journal() if each.get("step") == "judged"]
    assert verdicts == ["unharmed", "unharmed"]


def test_without_data_the_next_wave_needs_a_person(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop,lab", "--wave", "50%")
    with meanwhile(fixing, quiet, quiet, quiet):
        done = fixing.apply(observe="45m", yes=False, terminal=True, stdin="y\nn\n")
    assert done.code == 1, done.err
    assert "not judged" in done.err
    assert "Go on with wave 2" in done.err
    assert fixing.targets("map") == []
    with meanwhile(fixing, quiet, quiet, quiet):
        assert fixing.apply(observe="45m", yes=False, terminal=True, stdin="y\ny\ny\ny\n").code in (0, 3)
    assert fixing.targets("both") == [MAPS]


def test_only_makes_one_wave_and_no_more(fixing: Fixing) -> None:
    plan = fixing.plan()
    asked = fixing.apply("--only", yes=False, terminal=True, stdin="n\n")
    assert "Make 1 change in 1 project in wave 1 alone, 1 deletion among them?" in asked.err
    order = [each["key"].rpartition("/")[2] for each in plan["changes"]]
    assert fixing.apply("--only").code == 0
    assert fixing.targets(order[0]) is None
    assert fixing.targets("words", "lab") == []
    assert fixing.apply("--only").code == 0
    assert fixing.targets("words", "lab") == [TRANSLATE]
    assert fixing.targets("map") == []
    assert fixing.apply().code == 0
    assert fixing.targets("map") == [MAPS]


def test_a_wave_that_was_not_to_be_observed_is_not_observed_later(fixing: Fixing) -> None:
    fixing.plan()
    assert fixing.apply("--only").code == 0
    began = fixing.now()
    with meanwhile(fixing, lambda: None, quiet):
        assert fixing.apply("--only", observe="45m").code == 0
    ended = next(each["at"] for each in fixing.journal() if each.get("step") == "ended" and each["wave"] == 2)
    assert datetime.fromisoformat(ended) - began < timedelta(minutes=47)
    assert [each["verdict"] for each in fixing.journal() if each.get("step") == "judged"] == ["not-observed", "not-judged"]


def test_only_goes_past_a_wave_whose_change_was_skipped(fixing: Fixing) -> None:
    fixing.plan()
    fixing.stranger("nobody")
    assert fixing.apply("--only").code == 3
    assert fixing.apply("--only").code == 3
    assert fixing.targets("words", "lab") == [TRANSLATE]


def test_a_share_on_the_command_line_makes_other_waves(fixing: Fixing) -> None:
    fixing.plan()
    assert fixing.apply("--wave", "25%", "--only").code == 0
    assert fixing.targets("nobody") is None
    assert fixing.targets("words", "lab") == []
    assert fixing.apply("--wave", "50%", "--only").code == 0
    assert fixing.targets("words", "lab") == [TRANSLATE]
    assert fixing.targets("both") == [GEMINI, MAPS]


def test_between_waves_is_a_pause_by_the_server_s_clock(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop", "--pause", "20m")
    plan = fixing.read()
    assert {each["pause"] for each in plan["waves"][:-1]} == {"1200s"}
    before = fixing.now()
    with meanwhile(fixing, quiet, quiet):
        assert fixing.apply().code == 0
    ended = [each["at"] for each in fixing.journal() if each.get("step") == "ended"]
    assert ended[1][:16] > before.strftime("%Y-%m-%dT%H:%M"), "the second wave waited"
    assert fixing.targets("map") == [MAPS]


def test_harm_that_is_wanted_may_be_accepted(fixing: Fixing) -> None:
    busy(fixing)
    fixing.plan("--projects", "shop", "--key", "busy-1", "--key", "busy-2", "--wave", "50%")
    with meanwhile(fixing, quiet, quiet, quiet):
        assert fixing.apply(observe="45m").code == 3
    with meanwhile(fixing, quiet, quiet):
        done = fixing.apply("--accept-harm", observe="45m")
    assert done.code == 0, done.err
    assert fixing.targets("busy-2") == [MAPS]


def test_a_run_that_was_killed_while_it_observed_observes_first(fixing: Fixing, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(fixing)
    fixing.plan("--projects", "shop", "--key", "busy-1", "--key", "busy-2", "--wave", "50%")

    async def killed(*given: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runs, "watch", killed)
        assert fixing.apply(observe="45m").code == 130
    assert json.dumps(fixing.journal()).count('"ended"') == 1
    with meanwhile(fixing, quiet, quiet, quiet):
        done = fixing.apply(observe="45m")
    assert done.code == 3
    assert fixing.targets("busy-2") == []
