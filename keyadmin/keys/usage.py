"""When keys were last used, by which services, how often: from Cloud Monitoring, one call a project for all its keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from keyadmin.keys.resolve import find, unread
from keyadmin.model.key import Key
from keyadmin.model.key_codec import format_time
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem

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
    def short(self) -> str | datetime:
        """For a table: when, `none` (in six weeks), `unknown`."""
        return "unknown" if self.unknown is not None else self.last or "none"

    @property
    def words(self) -> str:
        """In a few words; never "unused" where it is unknown."""
        if self.unknown is not None:
            return f"use unknown: {self.unknown.message}"
        if self.last is None:
            return "no use in six weeks"
        count = sum(self.calls.values())
        calls = "1 call" if count == 1 else f"{count} calls"
        return f"last used {self.last:%Y-%m-%d %H:%M} UTC, {calls} to {', '.join(sorted(self.calls))}"

    def to_json(self) -> dict[str, Any]:
        """The key's names, `usage` ("used", "none", "unknown"), `lastUsed` and `calls`, or `reason` and `cause`."""
        names = {"name": self.key.name, "displayName": self.key.display_name, "project": self.key.project}
        return names | self.fields

    @property
    def fields(self) -> dict[str, Any]:
        """The same without the names: what `keys list --usage` adds to a key."""
        if self.unknown is not None:
            return {"usage": "unknown", "reason": self.unknown.message, "cause": self.unknown.cause.value}
        if self.last is None:
            return {"usage": "none"}
        return {"usage": "used", "lastUsed": format_time(self.last), "calls": self.calls}


async def of_keys(cloud: Cloud, project: str, keys: Sequence[Key]) -> list[Used]:
    """The use of some keys of one project, over the last six weeks. Where Monitoring cannot be read each is unknown."""
    if all(unread(key) for key in keys):
        return [_unread(key) for key in keys]
    try:
        found = await cloud.usage.of_project(project)
    except Problem as problem:
        return [Used(key, unknown=problem) for key in keys]
    out = []
    for key in keys:
        if unread(key):
            out.append(_unread(key))
            continue
        mine = [usage for usage in found if usage.uid == key.uid]
        calls = {usage.service: usage.calls for usage in mine}
        out.append(Used(key, calls, max((usage.last for usage in mine), default=None)))
    return out


def _unread(key: Key) -> Used:
    """A key of which nothing but the name is known: Monitoring knows keys by their uid."""
    why = Problem(
        Cause.MISSING_IAM_PERMISSION,
        f"the use of {key.key_id} is told by its uid, which apikeys.keys.get shows",
        permission="apikeys.keys.get",
        project=key.project,
    )
    return Used(key, unknown=why)


async def of_many(cloud: Cloud, keys: Sequence[Key], observer: Observer) -> dict[str, Used]:
    """The use of keys of any projects, by full name: one call a project. Where one cannot be read its keys are unknown."""
    from keyadmin.cloud.pace import gather_limited

    by_project: dict[str, list[Key]] = {}
    for key in keys:
        by_project.setdefault(key.project, []).append(key)
    observer.total(len(by_project), "Reading the use of keys")

    async def one(project: str) -> list[Used]:
        try:
            return await of_keys(cloud, project, by_project[project])
        finally:
            observer.advance()

    lists = await gather_limited(list(by_project), one)
    return {used.key.name: used for found in lists for used in found}


async def with_use(cloud: Cloud, text: str, project: Callable[[], Awaitable[str]]) -> tuple[Key, Used]:
    """The key that `text` names, and its use: what is shown before it is taken away. Raises Problem: not found."""
    found = await find(cloud, text, project, unseen=True)
    return found, (await of_keys(cloud, found.project, [found]))[0]


def reasons(found: Iterable[Used]) -> list[str]:
    """Why the use of some keys is unknown, each reason once."""
    return list(dict.fromkeys(used.unknown.message for used in found if used.unknown is not None))
