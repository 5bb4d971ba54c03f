"""Regular expressions of callers: what of them is understood, and that none takes long."""

from __future__ import annotations

import time

import pytest

from keyadmin.sandbox.messages.patterns import NotUnderstood, full_match


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("a.c", "abc", True),
        (r"a\.c", "abc", False),
        (r"a\.c", "a.c", True),
        ("a.*", "a", True),
        ("a.+", "a", False),
        ("a.+", "ab", True),
        ("^apikey:.*$", "apikey:1-2", True),
        (".*Instance.*", "compute.googleapis.com/InstanceGroup", True),
        (r"apikeys\.googleapis\.com\/Key", "apikeys.googleapis.com/Key", True),
        ("", "", True),
    ],
)
def test_matching(pattern: str, text: str, expected: bool) -> None:
    assert full_match(pattern, text) is expected


@pytest.mark.parametrize("pattern", ["(a+)+$", "a|b", "[ab]", "a{2}", "a*", "(", "\\", "x" * 201])
def test_what_is_not_understood(pattern: str) -> None:
    with pytest.raises(NotUnderstood):
        full_match(pattern, "a")


def test_no_pattern_takes_long() -> None:
    started = time.perf_counter()
    assert not full_match(".*a" * 60 + "b", "a" * 5000)
    assert time.perf_counter() - started < 50  # a backtracking matcher would not end
