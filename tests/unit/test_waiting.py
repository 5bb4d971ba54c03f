"""The tests' own waiting: it ends when it may, and does not wait for a process that is gone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import waiting


def test_it_ends_when_it_is_true() -> None:
    answers = iter([False, False, True])
    waiting.until(lambda: next(answers), "the third answer")
    assert list(answers) == []


async def test_so_does_the_asynchronous_one() -> None:
    answers = iter([False, True])

    async def true() -> bool:
        return next(answers)

    await waiting.until_async(true, "the second answer")
    assert list(answers) == []


async def test_it_fails_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "DEADLINE_S", 0.0)

    async def never() -> bool:
        return False

    with pytest.raises(AssertionError, match="never true: pigs fly"):
        waiting.until(lambda: False, "pigs fly")
    with pytest.raises(AssertionError, match="never true: pigs fly"):
        await waiting.until_async(never, "pigs fly")


def test_what_a_process_did_just_before_it_ended_counts() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE, text=True)
    asked: list[int] = []

    def true() -> bool:
        asked.append(process.wait())
        return len(asked) > 1

    waiting.until(true, "it did its work", process=process)
    assert process.communicate() == ("", None)


def test_it_fails_at_once_where_the_process_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "print('no way')"], stdout=subprocess.PIPE, text=True)
    with pytest.raises(AssertionError, match="it is ready; no way"):
        waiting.until(lambda: False, "it is ready", process=process)
