"""Times and durations as Google writes them. Microseconds since the epoch inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from keyadmin.sandbox.messages.status import invalid

DAY = 86_400_000_000  # microseconds
LATEST = 253_370_764_800_000_000  # microseconds: the beginning of the year 9999
_EPOCH, _NAIVE_EPOCH = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1)
_LONGEST = len("2026-03-09T12:23:30.364834Z")  # a time without nanoseconds
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def rfc3339(micros: int) -> str:
    """`2026-03-09T12:23:30.364834Z`: with 6, 3 or no digits of a second, as protobuf writes times in JSON (recorded)."""
    moment = _NAIVE_EPOCH + timedelta(microseconds=micros)
    fraction = moment.microsecond
    spec = "microseconds" if fraction % 1000 else "milliseconds" if fraction else "seconds"
    return f"{moment.isoformat(timespec=spec)}Z"  # faster than strftime


def rfc3339_nanos(micros: int) -> str:
    """The same with nine digits: times that a server takes from its own clock. What is below a microsecond is made up."""
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{micros * 7919 % 999 + 1:03}Z"


def plain_utc(text: str) -> str:
    """A time as protobuf writes it: in UTC, nanoseconds kept. Raises INVALID_ARGUMENT."""
    fits = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(\d{3}){1,3})?Z", text)
    return text if fits else rfc3339(parse_rfc3339(text))


def parse_rfc3339(text: str) -> int:
    """Microseconds since the epoch. Raises INVALID_ARGUMENT for what is no RFC 3339 time."""
    try:
        plain = re.sub(r"(\.\d{6})\d+", r"\1", text) if len(text) > _LONGEST else text
        moment = datetime.fromisoformat(plain)
    except (TypeError, ValueError):
        raise invalid(f"Invalid time: {text!r} is not an RFC 3339 timestamp.") from None
    if moment.tzinfo is None:
        raise invalid(f"Invalid time: {text!r} has no offset from UTC.")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def parse_duration(text: object) -> int:
    """`31d`, `12h`, `30m`, `0.5s`, `-1d` as microseconds. Raises INVALID_ARGUMENT."""
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)([dhms])", text) if isinstance(text, str) else None
    if not found:
        raise invalid(f"Invalid duration {text!r}: write a number and d, h, m or s, such as 31d or 30s.")
    seconds = float(found[1]) * _UNITS[found[2]]
    if abs(seconds) > 1e12:
        raise invalid(f"Invalid duration {str(text)[:40]!r}: it is too long.")
    return int(seconds * 1_000_000)
