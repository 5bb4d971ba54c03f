"""Durations as people write them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.model import duration
from keyadmin.model.problem import Exit, Problem


@contextmanager
def wrong_usage_at_most():
    """Whatever is inside succeeds or is refused with exit code 2; any other failure comes through."""
    try:
        yield
    except Problem as problem:
        if problem.exit is not Exit.USAGE:
            raise


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 90 * 86400), ("12h", 43200), ("30m", 1800), ("0s", 0), ("1d12h", 129600), ("1.5h", 5400), (" 2W ", 1209600)],
)
def test_parse(text, seconds):
    assert duration.parse(text) == timedelta(seconds=seconds)


@given(st.text(max_size=12))
def test_anything_else_is_wrong_usage(text):
    with wrong_usage_at_most():
        assert duration.parse(text) >= timedelta()


@pytest.mark.parametrize("bad", ["", "90", "d", "-1d", "1y", "1d 2h", "999999999w", "１d"])
def test_refused(bad):
    with pytest.raises(Problem):
        duration.parse(bad)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *[(0, "0 s"), (0.2, "0 s"), (59, "59 s"), (59.6, "1 min"), (200, "3 min 20 s"), (3599, "59 min 59 s")],
        *[(3900, "1 h 5 min"), (90061, "1 d 1 h"), (-5, "0 s")],
    ],
)
def test_words(seconds, words):
    assert duration.words(timedelta(seconds=seconds)) == words
