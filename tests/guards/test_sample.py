"""Some guards of the table, broken on purpose: `nox -s guards` does so with all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.guards.guard import Guard
from tests.guards.prove import prove, together
from tests.guards.table import GUARDS, PROBES

QUICK = [guard for guard in GUARDS if not guard.group and all(test.startswith("tests/unit/") for test in guard.tests)]
SAMPLE = [*QUICK[:: max(1, len(QUICK) // 4)], *(guard for guard in GUARDS if guard.group)]


@pytest.mark.skipif(os.name != "posix", reason="the copy's process forks")
def test_a_sample_of_the_guards_is_noticed(tmp_path: Path) -> None:
    assert prove(SAMPLE, tmp_path, PROBES[1:2], at_once=1) == []


def test_groups_are_broken_at_once_and_others_alone() -> None:
    alone, first, second = (Guard(name, "x.py", "a", "b", (), group) for name, group in (("1", None), ("2", "g"), ("3", "g")))
    assert together([first, alone, second]) == [[first, second], [alone]]
