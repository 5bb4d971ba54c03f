"""A finding that somebody accepted: which, why, until when."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

FULL_NAME: Final = re.compile(r"projects/(?P<project>[^/]+)/locations/global/keys/(?P<id>[a-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One entry. `key` = an id or a full name; `until` = the last day, in UTC; `line` = where it stands, 0 = not known."""

    rule: str
    reason: str
    key: str = ""
    project: str = ""
    owner: str = ""
    until: date | None = None
    line: int = 0

    @property
    def subject(self) -> str:
        """What it is about, in words."""
        if not self.key:
            return f"project {self.project}"
        return f"key {self.key}" + (f" of project {self.project}" if self.project else "")

    def covers(self, projects: Collection[str], key: str) -> bool:
        """Whether it is about a finding: `projects` = how its project is called (id, number), `key` = the key's full name."""
        if self.project and self.project not in projects:
            return False
        if not self.key:
            return True
        wanted = FULL_NAME.fullmatch(self.key)
        if wanted is None:
            return key.rpartition("/")[2] == self.key
        return key.rpartition("/")[2] == wanted["id"] and wanted["project"] in projects

    def to_json(self) -> dict[str, Any]:
        """What a report says of it."""
        out = {"reason": self.reason, "owner": self.owner, "until": self.until.isoformat() if self.until else ""}
        return {name: value for name, value in out.items() if value}
