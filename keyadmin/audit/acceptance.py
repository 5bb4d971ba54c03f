"""A finding that somebody has accepted: which, why, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One accepted finding: of this rule, for a key (by full name) or a project; `until` None = for good."""

    rule: str
    reason: str
    key: str = ""
    project: str = ""
    owner: str = ""
    until: date | None = None
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        """What a report says of it."""
        out = {"reason": self.reason, "owner": self.owner, "until": self.until.isoformat() if self.until else ""}
        return {name: value for name, value in out.items() if value}
