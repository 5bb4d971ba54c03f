"""When keys were last used, by which services, how often: from Cloud Monitoring, one call a project for all its keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from keyadmin.keys.codec import format_time
from keyadmin.keys.model import Key
from keyadmin.problem import Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class Used:
    """The use of one key. `unknown` = why it could not be found out; then nothing else is known."""

    key: Key
    calls: dict[str, int] = field(default_factory=dict)
    last: datetime | None = None
    unknown: Problem | None = None

    @property
    def words(self) -> str:
        """In a few words; never "unused" where it is unknown."""
        if self.unknown is not None:
            return f"unknown: {self.unknown.message}"
        if self.last is None:
            return "no use in six weeks"
        return f"last used {self.last:%Y-%m-%d %H:%M} UTC, {sum(self.calls.values())} calls to {', '.join(sorted(self.calls))}"

    def to_json(self) -> dict[str, Any]:
        """`{"name", "displayName", "project", "usage": "used"|"none"|"unknown", "lastUsed"?, "calls"?, "reason"?}`."""
        out: dict[str, Any] = {"name": self.key.name, "displayName": self.key.display_name, "project": self.key.project}
        if self.unknown is not None:
            return out | {"usage": "unknown", "reason": self.unknown.message, "cause": self.unknown.cause.value}
        out["usage"] = "used" if self.last is not None else "none"
        if self.last is not None:
            out |= {"lastUsed": format_time(self.last), "calls": self.calls}
        return out


async def of_keys(cloud: Cloud, project: str, keys: Sequence[Key]) -> list[Used]:
    """The use of some keys of one project, over the last six weeks. Where Monitoring cannot be read each is unknown."""
    try:
        found = await cloud.usage.of_project(project)
    except Problem as problem:
        return [Used(key, unknown=problem) for key in keys]
    out = []
    for key in keys:
        mine = [usage for usage in found if usage.uid == key.uid]
        calls = {usage.service: usage.calls for usage in mine}
        out.append(Used(key, calls, max((usage.last for usage in mine), default=None)))
    return out
