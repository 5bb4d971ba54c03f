"""Times as the services write them, and as people may write them into annotations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from keyadmin.model.key_codec import format_time, parse_time

MORNING = datetime(2026, 11, 23, 7, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-23T07:05:03Z", 0),
        ("2026-11-23T07:05:03.5Z", 500_000),
        ("2026-11-23T07:05:03.123456Z", 123_456),
        ("2026-11-23T07:05:03.123456789Z", 123_456),
        ("2026-11-23T07:05:03", 0),
        ("2026-11-23T09:05:03+02:00", 0),
        ("2026-11-22T23:05:03.25-08:00", 250_000),
    ],
)
def test_a_time_is_read_as_utc_to_the_microsecond(text: str, microsecond: int) -> None:
    moment = parse_time(text)
    assert moment == MORNING.replace(microsecond=microsecond)
    assert moment.tzinfo is UTC
    assert parse_time(format_time(moment)) == moment


@pytest.mark.parametrize("text", ["soon", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+02:00"])
def test_what_is_no_time_is_refused_as_a_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_no_time_is_none() -> None:
    assert parse_time("") is parse_time(None) is None
