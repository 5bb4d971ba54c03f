"""Awkwardness on demand: faults before, after and inside a change, dropped connections, latency, quotas, propagation."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.messages.status import Code, RpcError, invalid
from keyadmin.sandbox.messages.times import parse_duration
from keyadmin.sandbox.messages.trailer import trailer

MINUTE = 60_000_000  # microseconds


class Drop(Exception):
    """The connection is to be closed without an answer."""


# What may be seen late. Contract 2 has the first three; a deletion takes the longest of all (`keyDeletion`, see gemini_access).
SPREADS = ("key", "service", "serviceAccount", "search", "keyDeletion", "policy", "inventory", "monitoring")


@dataclass
class Fault:
    """What happens to the next `times` calls of a method (short or full name; `*` = all)."""

    method: str
    code: str  # a canonical code name, or DROP
    times: int
    when: str  # before, after, operation
    message: str = ""
    details: tuple[dict[str, Any], ...] = ()  # JSON objects with `@type`

    def matches(self, full_name: str) -> bool:
        """Whether a method is meant."""
        return self.method in ("*", full_name, full_name.rpartition(".")[2])

    def error(self) -> RpcError:
        """What the caller gets. Raises Drop where the connection is to be closed."""
        if self.code == "DROP":
            raise Drop
        return RpcError(Code[self.code], self.message or f"Injected fault: {self.code}.", *self.details)


# Latencies in milliseconds by kind of call: (low, median, high), from recorded traffic (facts 3).
RECORDED = {"read": (80, 95, 160), "UpdateKey": (180, 209, 260), "CreateKey": (380, 450, 560), "DeleteKey": (170, 193, 240)}
RECORDED_OPERATION = (100, 115, 130)
# unsourced: how long an operation itself takes; the recordings hold finished ones only. Some of these are done when a client
# polls at once, some are not.
RECORDED_WORK = (50, 150, 600)


def check_details(error: RpcError) -> None:
    """Refuse details that gRPC could not carry. Raises INVALID_ARGUMENT."""
    from google.protobuf import json_format

    try:
        trailer(error)
    except json_format.ParseError as problem:
        raise invalid(f"Invalid details: {problem}", "details") from None


class Faults:
    """The conditions of one server; not kept in the state."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._random = random.Random(1)  # noqa: S311 - not a secret; the same conditions each time
        self.start_latency: str | float | None = None
        self.clear()

    def clear(self) -> None:
        """As at the start."""
        self.injected: list[Fault] = []
        self.latency: str | float | None = self.start_latency  # of all methods: milliseconds, or `recorded`
        self.slow: dict[str, float] = {}  # milliseconds, by short or full name of a method
        self.quotas: dict[str, int] = {}
        self.most_projects: int | None = None  # that one caller may make
        self.propagation: dict[str, int] = {}
        self._calls: dict[tuple[str, str], deque[int]] = {}

    def add_fault(self, data: dict[str, Any]) -> None:
        """From `POST /_sandbox/faults`. Raises INVALID_ARGUMENT."""
        code, when = data.get("code", "UNAVAILABLE"), data.get("when", "before")
        times = data.get("times", 1)
        if code != "DROP" and (code not in Code.__members__ or code == "OK"):
            raise invalid(f"Unknown code {code!r}: one of DROP, {', '.join(c.name for c in Code if c)}.", "code")
        if when not in ("before", "after", "operation"):
            raise invalid(f"Unknown moment {when!r}: one of before, after, operation.", "when")
        if not isinstance(times, int) or isinstance(times, bool) or times < 1:
            raise invalid("times is a whole number from 1.", "times")
        if not isinstance(data.get("method"), str):
            raise invalid("method is the short or full name of a method.", "method")
        details = data.get("details", [])
        if not isinstance(details, list) or not all(isinstance(item, dict) for item in details):
            raise invalid("details is a list of objects with @type.", "details")
        fault = Fault(data["method"], code, times, when, str(data.get("message", "")), tuple(details))
        if code != "DROP":
            check_details(fault.error())
        self.injected.append(fault)

    def take(self, full_name: str, when: str) -> Fault | None:
        """The fault due for this call at this moment, counted down."""
        for fault in self.injected:
            if fault.when == when and fault.matches(full_name):
                fault.times -= 1
                if fault.times == 0:
                    self.injected.remove(fault)
                return fault
        return None

    def set_latency(self, value: Any, method: Any = None) -> None:
        """A number of milliseconds, or `recorded`; 0 or None = none. For one method (short or full name): a number."""
        if isinstance(value, str) and value != "recorded":
            try:
                value = float(value)
            except ValueError:
                raise invalid(f"Latency {value!r} is neither a number of milliseconds nor `recorded`.", "ms") from None
        if value not in (None, "recorded") and not (type(value) in (int, float) and 0 <= value < 3_600_000):
            raise invalid("Latency is a number of milliseconds from 0.", "ms")
        if method is None:
            self.latency = value or None
        elif not isinstance(method, str) or value == "recorded":
            raise invalid("The latency of one method is a number of milliseconds; method is its short or full name.", "method")
        else:
            self.slow.pop(method, None)
            if value:
                self.slow[method] = value

    def delay(self, full_name: str, *, writes: bool) -> float:
        """Seconds that this call takes longer."""
        short = full_name.rpartition(".")[2]
        if self.slow and (own := self.slow.get(short, self.slow.get(full_name))) is not None:
            return own / 1000
        if self.latency is None:
            return 0.0
        if self.latency != "recorded":
            return float(self.latency) / 1000
        low, median, high = RECORDED.get(short, RECORDED["UpdateKey"] if writes else RECORDED["read"])
        if short == "GetOperation":
            low, median, high = RECORDED_OPERATION
        return self._random.triangular(low, high, median) / 1000

    def work(self) -> int:
        """Microseconds that an operation takes: none unless latency was asked for, so that the first poll finds it done.

        With a fixed latency it takes twice as long as a call: whoever polls at once finds it pending.
        """
        if self.latency is None:
            return 0
        if self.latency != "recorded":
            return int(float(self.latency) * 2000)
        low, median, high = RECORDED_WORK
        return int(self._random.triangular(low, high, median) * 1000)

    def charge(self, full_name: str, payer: str) -> tuple[int, float] | None:
        """Count a call against the per-minute quotas of who pays for it; (limit, seconds to wait) where one is used up."""
        for name, limit in self.quotas.items():
            if name not in ("*", full_name, full_name.rpartition(".")[2]):
                continue
            now = self._now()
            calls = self._calls.setdefault((name, payer), deque())
            while calls and calls[0] <= now - MINUTE:
                calls.popleft()
            if len(calls) >= limit:
                return limit, max((calls[0] + MINUTE - now) / 1_000_000 if calls else 60.0, 0.001)
            calls.append(now)
        return None

    def set_quota(self, data: dict[str, Any]) -> None:
        """From `POST /_sandbox/quota`: calls of a method, or projects that a caller may make; null takes a quota away.

        Raises INVALID_ARGUMENT.
        """
        method, limit = data.get("method"), data.get("projects" if "projects" in data else "per_minute")
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
            raise invalid('A quota reads {"method": "ListKeys", "per_minute": 240} or {"projects": 12}.')
        if "projects" in data:
            self.most_projects = limit
            return
        if not isinstance(method, str):
            raise invalid('A quota reads {"method": "ListKeys", "per_minute": 240} or {"projects": 12}.')
        self.quotas.pop(method, None)
        if limit is not None:
            self.quotas[method] = limit

    def set_propagation(self, data: dict[str, Any]) -> None:
        """From `POST /_sandbox/propagation`: each of `SPREADS` as a duration."""
        for name, value in data.items():
            if name not in SPREADS:
                raise invalid(f"Unknown propagation {name!r}: one of {', '.join(SPREADS)}.", name)
            self.propagation[name] = parse_duration(value)

    def spread(self, what: str) -> int:
        """Microseconds that a change of one of `SPREADS` takes to be seen everywhere."""
        return self.propagation.get(what, 0)

    async def wait(self, full_name: str, *, writes: bool) -> None:
        """Sleep as long as this call is to take."""
        if seconds := self.delay(full_name, writes=writes):
            await asyncio.sleep(seconds)
