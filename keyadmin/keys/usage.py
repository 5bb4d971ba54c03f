"""When keys were last used, by which services, how often: from Cloud Monitoring, one call a project for all its keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from keyadmin.cloud.usage import DELAY, STEP, KeyUsage
from keyadmin.keys.resolve import find, unread
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

_HOUR: Final = "%Y-%m-%dT%H:%M:%SZ"  # full hours have no fractions
MINUTES: Final = int(DELAY.total_seconds()) // 60


@dataclass(frozen=True)
class Used:
    """The use of one key. `unknown` = why it could not be found out; then nothing else is known.

    `last` = the end of the last full hour with a call; `checks` = the calls by which keyadmin (or somebody else) only looked
    whether the key works, which are no use; None = these were not told apart.
    """

    key: Key
    calls: dict[str, int] = field(default_factory=dict)
    last: datetime | None = None
    unknown: Problem | None = None
    checks: int | None = None
    refused: int | None = None
    """How many of the calls turned the key down (401, 403); None = not told apart."""
    uses: tuple[KeyUsage, ...] = ()
    """By method and status, where that was asked for; checks included."""

    @property
    def since(self) -> datetime | None:
        """Where the hour of the last use begins."""
        return self.last - STEP if self.last is not None else None

    @property
    def short(self) -> str:
        """For a table: the hour, `none` (in six weeks), `unknown`."""
        return "unknown" if self.unknown is not None else self._hour or "none"

    @property
    def _hour(self) -> str | None:
        if self.last is None or self.since is None:
            return None
        return f"{self.since:%Y-%m-%d %H:%M}-{self.last:%H:%M}"

    @property
    def words(self) -> str:
        """In a few words; never "unused" where it is unknown."""
        if self.unknown is not None:
            return f"use unknown: {self.unknown.message}"
        checked = f"; {count_words(self.checks, 'check')} by keyadmin not counted" if self.checks else ""
        if self.last is None:
            return f"no use in six weeks (calls of the last {MINUTES} minutes may not show yet){checked}"
        calls = count_words(sum(self.calls.values()), "call")
        refused = f" ({self.refused} of them refused)" if self.refused else ""
        return f"last used {self._hour} UTC, {calls} to {', '.join(sorted(self.calls))}{refused}{checked}"

    def to_json(self) -> dict[str, Any]:
        """The key's names, and `fields`."""
        names = {"name": self.key.name, "displayName": self.key.display_name, "project": self.key.project}
        return names | self.fields

    @property
    def fields(self) -> dict[str, Any]:
        """What is added to a key: `lastUsed` (`{"from", "until"}`, a full hour; null = none in six weeks) and `calls`, or
        `lastUsedUnknown` (`{"cause", "message"}`); `refused` and `checks` where they were told apart."""
        if self.unknown is not None:
            return {"lastUsedUnknown": {"cause": self.unknown.cause.value, "message": self.unknown.message}}
        hour = None
        if self.last is not None and self.since is not None:
            hour = {"from": f"{self.since:{_HOUR}}", "until": f"{self.last:{_HOUR}}"}
        out: dict[str, Any] = {"lastUsed": hour, "calls": self.calls}
        more = {"refused": self.refused, "checks": self.checks}
        return out | {name: count for name, count in more.items() if count is not None}


def count_words(number: int, thing: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


async def of_keys(cloud: Cloud, project: str, keys: Sequence[Key], *, methods: bool = False) -> list[Used]:
    """The use of some keys of one project, over the last six weeks. Where Monitoring cannot be read each is unknown.

    `methods` = by method and status, so that checks are told apart and counted.
    """
    if all(unread(key) for key in keys):
        return [_unread(key) for key in keys]
    try:
        found = await (cloud.usage.by_method(project) if methods else cloud.usage.of_project(project))
    except Problem as problem:
        return [Used(key, unknown=problem) for key in keys]
    return [_unread(key) if unread(key) else _of(key, found, methods=methods) for key in keys]


def _of(key: Key, found: Sequence[KeyUsage], *, methods: bool) -> Used:
    mine = tuple(usage for usage in found if usage.uid == key.uid)
    work = [usage for usage in mine if not usage.is_check]
    calls: dict[str, int] = {}
    for usage in work:
        calls[usage.service] = calls.get(usage.service, 0) + usage.calls
    checks = sum(usage.calls for usage in mine if usage.is_check)
    refused = sum(usage.calls for usage in work if usage.refused) if methods else None
    last = max((usage.last for usage in work), default=None)
    return Used(key, calls, last, checks=checks if methods else None, refused=refused, uses=mine if methods else ())


def _unread(key: Key) -> Used:
    """A key of which nothing but the name is known: Monitoring knows keys by their uid."""
    why = Problem(
        Cause.MISSING_IAM_PERMISSION,
        f"the use of {key.key_id} is counted by its uid, which apikeys.keys.get shows",
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
    return found, (await of_keys(cloud, found.project, [found], methods=True))[0]


def reasons(found: Iterable[Used]) -> list[str]:
    """Why the use of some keys is unknown, each reason once."""
    return list(dict.fromkeys(used.unknown.message for used in found if used.unknown is not None))
