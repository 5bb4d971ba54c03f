"""Whose key a found key string is, and whether it still works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from keyadmin.keys.model import Key
from keyadmin.keys.resolve import project_id
from keyadmin.local.leaks.finder import Hit
from keyadmin.observer import Observer
from keyadmin.problem import Cause, Exit, Problem
from keyadmin.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Life = Literal["alive", "dead", "unknown"]

_DEAD = frozenset({Cause.API_KEY_INVALID, Cause.API_KEY_EXPIRED, Cause.API_KEY_LEAKED})
# Turned down for this use from here, but known to Google: for another use it works.
_ALIVE = frozenset(
    {
        *(Cause.API_KEY_SERVICE_BLOCKED, Cause.API_KEY_REFERRER_BLOCKED, Cause.API_KEY_IP_BLOCKED),
        *(Cause.API_KEY_ANDROID_BLOCKED, Cause.API_KEY_IOS_BLOCKED, Cause.API_NOT_ENABLED),
    }
)


@dataclass(frozen=True)
class Leak:
    """A key string with all the places it lies at, and what is known of it. `key` where the caller may see it."""

    hits: tuple[Hit, ...]
    life: Life
    reason: str
    key: Key | None = None

    @property
    def key_string(self) -> KeyString:
        """The secret."""
        return self.hits[0].key

    def to_json(self) -> dict[str, Any]:
        """One finding; the key string masked."""
        out: dict[str, Any] = {
            "maskedKey": self.key_string.masked,
            "fingerprint": self.hits[0].fingerprint,
            "life": self.life,
            "reason": self.reason,
            "places": [
                {"path": hit.path, "line": hit.line} | ({"commit": hit.commit} if hit.commit else {}) for hit in self.hits
            ],
        }
        if self.key is not None:
            out |= {"name": self.key.name, "project": self.key.project, "restricted": self.key.restricted}
        return out


def grouped(hits: Sequence[Hit]) -> list[tuple[Hit, ...]]:
    """The hits by key string, in the order of their first place."""
    out: dict[KeyString, list[Hit]] = {}
    for hit in hits:
        out.setdefault(hit.key, []).append(hit)
    return [tuple(group) for group in out.values()]


def unasked(hits: Sequence[Hit]) -> list[Leak]:
    """The findings of a scan that asks nobody."""
    return [Leak(group, "unknown", "nobody was asked (--offline)") for group in grouped(hits)]


async def judge(cloud: Cloud, hits: Sequence[Hit], observer: Observer) -> list[Leak]:
    """Each key string looked up and tried. What cannot be found out is unknown, with the reason."""
    from keyadmin.cloud.pace import gather_limited

    groups = grouped(hits)
    observer.total(len(groups), "Looking up keys")

    async def one(group: tuple[Hit, ...]) -> Leak:
        try:
            return await _judge(cloud, group)
        finally:
            observer.advance()

    return await gather_limited(groups, one, 16)


async def _judge(cloud: Cloud, group: tuple[Hit, ...]) -> Leak:
    secret = group[0].key
    key, why_not = await _owner(cloud, secret)
    if key is not None and key.delete_time is not None:
        return Leak(group, "dead", f"deleted on {key.delete_time:%Y-%m-%d}", key)
    if key is not None:
        return Leak(group, "alive", f"key {key.display_name or key.key_id} of project {key.project}", key)
    if isinstance(why_not, str):
        return Leak(group, "dead", why_not)
    try:
        await cloud.gemini.check(secret)
    except Problem as problem:
        if problem.exit_code is Exit.FOUND:  # the marker rule: it was not sent
            return Leak(group, "unknown", problem.message)
        if problem.cause in _DEAD:
            return Leak(group, "dead", problem.message)
        if problem.cause in _ALIVE:
            return Leak(group, "alive", f"somebody's key, not for this use: {problem.message}")
        return Leak(group, "unknown", problem.message)
    return Leak(group, "alive", "the Gemini API takes it; whose key it is cannot be seen")


async def _owner(cloud: Cloud, secret: KeyString) -> tuple[Key | None, Problem | str | None]:
    """The key, as far as the caller may look it up; a text where it is purged, a Problem where it cannot be found out."""
    try:
        found = await cloud.keys.lookup(secret)
        if found.name is None:
            return None, "purged, 30 days after it was deleted"
        from dataclasses import replace

        key = await cloud.keys.get(found.name)
        return replace(key, project=await project_id(cloud, key.project_number)), None
    except Problem as problem:
        return None, problem
