"""What goes wrong, where and when: faults by host, path and moment; and the log of all that went over the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

CONNECT_KINDS: Final = ("refuse", "connect-hang", "connect-reset", "untrusted", "not-yet-valid", "wrong-name", "cut")
ANSWER_KINDS: Final = ("hang", "slow", "reset", "half", "html", "redirect", "json", "text", "goaway", "status", "revoke")


@dataclass
class Fault:
    """One fault. `host` and `path` are patterns; the first `after` matches pass, then `times` are hit (-1 = all).

    Kinds of a connection: refuse (the proxy's CONNECT, with `status` and a page), connect-hang, connect-reset, untrusted,
    not-yet-valid, wrong-name (certificates), cut (TLS is broken off). Kinds of an answer: hang, slow (`seconds`), reset, half,
    html, redirect (to `location`), json and text (`body`), goaway, status (an error of Google's form),
    revoke (every token given so far, before the answer).
    """

    kind: str
    host: str = "*"
    path: str = "*"
    after: int = 0
    times: int = -1
    status: int = 403
    title: str = "Blocked by the gateway"
    seconds: float = 0.2
    location: str = "https://portal.localhost/login?secret=1"
    body: Any = None
    reason: str = "UNAVAILABLE"
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0

    def hit(self, host: str, path: str) -> bool:
        """Whether it strikes now; counts."""
        if not (fnmatchcase(host, self.host) and fnmatchcase(path, self.path)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times == 0:
            return False
        self.times -= 1 if self.times > 0 else 0
        self.hits += 1
        return True


@dataclass
class Entry:
    """One request as it arrived. `protocol`: connect, http/1.1, h2, metadata. `line` = the request line as it was sent."""

    protocol: str
    host: str
    line: str
    headers: dict[str, str]
    status: int | str | None = None
    principal: str | None = None
    repeated: list[str] = field(default_factory=list)  # headers that came more than once


class Wire:
    """The faults laid out and the requests seen."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.log: list[Entry] = []

    def note(self, protocol: str, host: str, line: str, headers: Iterable[tuple[str, str]]) -> Entry:
        """Log a request; its status is filled in later."""
        pairs = list(headers)
        counted = Counter(name for name, _ in pairs)
        self.log.append(Entry(protocol, host, line, dict(pairs), repeated=[name for name, n in counted.items() if n > 1]))
        return self.log[-1]

    def strikes(self, kinds: tuple[str, ...], host: str, path: str = "") -> Fault | None:
        """The fault of one of these kinds that strikes here and now."""
        return next((fault for fault in self.faults if fault.kind in kinds and fault.hit(host, path)), None)

    def lay(self, faults: list[dict[str, Any]]) -> None:
        """Replace the faults."""
        for fault in faults:
            if fault["kind"] not in (*CONNECT_KINDS, *ANSWER_KINDS):
                raise ValueError(f"unknown kind of fault: {fault['kind']}")
        self.faults = [Fault(**fault) for fault in faults]

    def entries(self) -> list[dict[str, Any]]:
        """The log as JSON."""
        return [asdict(entry) for entry in self.log]
