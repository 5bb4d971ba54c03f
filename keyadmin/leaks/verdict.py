"""Whose key a found key string is, and whether it still works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from keyadmin.keys.bearer import CLIENTS_OF
from keyadmin.keys.lookup import StringOwner, lookup
from keyadmin.leaks.hit import Hit
from keyadmin.model.causes.table import entry
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Life = Literal["alive", "dead", "unknown"]


@dataclass(frozen=True)
class Leak:
    """A key string with all the places it lies at, and what is known of it. `key`, `project` where the caller may see them.

    `revoked` = it was deleted by this command.
    """

    hits: tuple[Hit, ...]
    life: Life
    reason: str
    key: Key | None = None
    project: str | None = None
    revoked: bool = False

    @property
    def fix(self) -> tuple[str, ...]:
        """What to do, the next command first."""
        return next_steps(self)

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
            "places": [_place(hit) for hit in self.hits],
            "fix": list(self.fix),
        }
        if self.project is not None:
            out["project"] = self.project
        if self.key is not None:
            out |= {"name": self.key.name, "displayName": self.key.display_name, "restricted": self.key.restricted}
        return out | ({"revoked": True} if self.revoked else {})


def next_steps(leak: Leak) -> tuple[str, ...]:
    """The most useful one first; nothing for a key that is dead."""
    if leak.revoked or leak.life == "dead":
        return ()
    if leak.life == "unknown":
        return (f"see whose key it is and whether it still works: {typed('keys lookup', '-')} (the key string on stdin)",)
    if leak.key is not None and leak.key.public:
        return _of_public(leak.key)
    if leak.key is not None:
        known = tuple(dict.fromkeys(hit.sink for hit in leak.hits if hit.sink))
        command = typed("keys compromised", leak.key.name, to=known or ("SINK",))
        replace = f"replace it and delete it (--to SINK for each {'other ' if known else ''}place that uses it): {command}"
        if all(hit.loose for hit in leak.hits):
            files = ", ".join(dict.fromkeys(hit.path for hit in leak.hits))
            return (f"let git ignore {files}, which it does not track: add it to .gitignore", f"if it leaked, {replace}")
        if all(hit.gitignored for hit in leak.hits):
            belongs = "git ignores its file; if the key belongs there: add --ignore-gitignored to the scan"
            return (belongs, replace)
        return (replace,)
    if leak.project is not None:
        return (f"see who may say whose key it is: {typed('doctor', leak.project, for_='lookup')}",)
    return ("whoever put it there knows its project; its administrator types: " + typed("keys compromised", "KEY", to="SINK"),)


def _of_public(key: Key) -> tuple[str, ...]:
    """What is to be done about a key that a page or an app shows to everybody: no sink takes another one there."""
    steps = []
    if key.restrictions.client_kind is None:
        way = typed("keys restrict", key.name, **CLIENTS_OF[key.borne_by])
        steps.append(f"a page or an app bears it, for everybody to read: let it work from there alone: {way}")
    if not key.restrictions.services:
        steps.append(f"let it call what it is used for alone: {typed('keys restrict', key.name, to_used=True)}")
    clone = typed("keys clone", key.name)
    return (*steps, f"if others use it: publish the page or the app with a new one, then delete this one: {clone}")


def _place(hit: Hit) -> dict[str, Any]:
    commit = {"commit": hit.commit} if hit.commit else {}
    return {"path": hit.path, "line": hit.line, **commit, **({"gitignored": True} if hit.gitignored else {})}


def grouped(hits: Sequence[Hit]) -> list[tuple[Hit, ...]]:
    """The hits by key string, in the order of their first place; what stands twice on a line counts once."""
    out: dict[KeyString, dict[Hit, None]] = {}
    for hit in hits:
        out.setdefault(hit.key, {})[hit] = None
    return [tuple(group) for group in out.values()]


def unasked(hits: Sequence[Hit], why: str) -> list[Leak]:
    """The findings of a scan that asks nobody, or cannot."""
    return [Leak(group, "unknown", why) for group in grouped(hits)]


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
    try:
        owner: StringOwner | None = await lookup(cloud, secret)
    except Problem:
        owner = None  # not ours, or not to be looked up: whether it works can be found out all the same
    if owner is not None and owner.state == "purged":
        return Leak(group, "dead", "purged, 30 days after it was deleted", project=owner.project)
    if owner is not None and owner.key is not None:
        key, gone = owner.key, owner.key.delete_time
        if gone is not None:
            return Leak(group, "dead", f"deleted on {gone:%Y-%m-%d}", key, owner.project)
        return Leak(group, "alive", f"key {key.display_name or key.key_id} of project {key.project}", key, owner.project)
    return await _tried(cloud, group, owner.project if owner else None)


async def _tried(cloud: Cloud, group: tuple[Hit, ...], project: str | None) -> Leak:
    """By what the Gemini API says: the key itself may not be read."""
    try:
        await cloud.gemini.check(group[0].key)
    except Problem as problem:
        if problem.exit_code is Exit.FOUND:  # the marker rule: it was not sent
            return Leak(group, "unknown", problem.message, project=project)
        if entry(problem.cause).key_dead:
            return Leak(group, "dead", problem.message, project=project)
        if entry(problem.cause).key_alive:
            return Leak(group, "alive", f"somebody's key, not for this use: {problem.message}", project=project)
        return Leak(group, "unknown", problem.message, project=project)
    whose = f"a key of project {project} that you may not read" if project else "whose key it is cannot be seen"
    return Leak(group, "alive", f"the Gemini API takes it; {whose}", project=project)
