"""Changing a key that exists: restrictions, name, annotations; deleting it and bringing it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from keyadmin.keys import resolve
from keyadmin.model.key import GEMINI_ONLY, Key, Restrictions
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

TRIES: Final = 3  # another writer may change the key between reading and writing; the change is made again on what is there

Part = Literal["all", "apis", "clients"]

TARGETS: Final = "restrictions.api_targets"
CLIENTS: Final = {
    "referrers": "restrictions.browser_key_restrictions",
    "ips": "restrictions.server_key_restrictions",
    "android": "restrictions.android_key_restrictions",
    "ios": "restrictions.ios_key_restrictions",
}


def restricted(old: Restrictions, new: Restrictions) -> Restrictions:
    """`old` with what `new` names put in its place: the API targets, the kind of client, or both.

    Nothing named at all = the Gemini API alone, the clients as they were.
    """
    if new == Restrictions():
        new = GEMINI_ONLY
    base = replace(old, referrers=None, ips=None, android=None, ios=None) if new.client_kind else old
    return Restrictions(
        referrers=new.referrers or base.referrers,
        ips=new.ips or base.ips,
        android=new.android or base.android,
        ios=new.ios or base.ios,
        targets=new.targets or base.targets,
    )


def unrestricted(old: Restrictions, part: Part) -> Restrictions:
    """`old` without its API targets, without its clients, or without both."""
    if part == "apis":
        return replace(old, targets=())
    return Restrictions(targets=old.targets if part == "clients" else ())


def annotated(old: Mapping[str, str], add: Mapping[str, str], remove: Iterable[str], *, clear: bool) -> dict[str, str]:
    """The annotations after clearing, removing and adding, in this order."""
    gone = set(remove)
    kept = {} if clear else {name: value for name, value in old.items() if name not in gone}
    return kept | dict(add)


@dataclass(frozen=True)
class Started:
    """A change that was asked for and is not waited for: the key's full name and the operation's (empty = done already)."""

    name: str
    operation: str


async def restrict(cloud: Cloud, key: Key, new: Restrictions, *, force: bool, wait: bool = True) -> Key | Started:
    """Narrow or replace the restrictions. Unless `force`, a key used in the last seven days is refused (conflict)."""

    def change(now: Key) -> Key:
        return replace(now, restrictions=restricted(now.restrictions, new))

    fields = paths(change(Key("")).restrictions) if resolve.unread(key) else {"restrictions"}
    return await _edit(cloud, key, fields, change, check=not force, wait=wait)


async def unrestrict(cloud: Cloud, key: Key, part: Part, *, wait: bool = True) -> Key | Started:
    """Take restrictions away. Nobody who could use the key is shut out, so its use is not looked at."""
    fields = {"restrictions"}
    if resolve.unread(key) and part != "all":
        fields = {TARGETS} if part == "apis" else set(CLIENTS.values())
    return await _edit(
        cloud, key, fields, lambda now: replace(now, restrictions=unrestricted(now.restrictions, part)), wait=wait
    )


def paths(new: Restrictions) -> set[str]:
    """The update mask that touches only what `new` sets: for a key whose other restrictions are not known."""
    found = {CLIENTS[new.client_kind]} if new.client_kind else set()
    return found | ({TARGETS} if new.targets else set())


async def rename(cloud: Cloud, key: Key, name: str, *, wait: bool = True) -> Key | Started:
    """Give it another display name."""
    return await _edit(cloud, key, {"display_name"}, lambda now: replace(now, display_name=name), wait=wait)


async def annotate(
    cloud: Cloud, key: Key, add: Mapping[str, str], remove: Iterable[str] = (), *, clear: bool = False, wait: bool = True
) -> Key | Started:
    """Add, remove or clear annotations; those not named are kept."""
    gone = tuple(remove)
    return await _edit(
        cloud,
        key,
        {"annotations"},
        lambda now: replace(now, annotations=annotated(now.annotations, add, gone, clear=clear)),
        wait=wait,
    )


async def _edit(
    cloud: Cloud, key: Key, fields: set[str], change: Callable[[Key], Key], *, check: bool = False, wait: bool = True
) -> Key | Started:
    """Read-modify-write under the etag: nobody's change is overwritten unseen, nobody's change is in the way."""
    usage_check: Literal["CHECK"] | None = "CHECK" if check else None
    for left in reversed(range(TRIES)):
        try:
            if not wait:
                return Started(
                    key.name, await cloud.keys.start_update(key.name, fields, change(key), key.etag or None, usage_check)
                )
            changed = await cloud.keys.update(key.name, fields, change(key), key.etag or None, usage_check)
            return replace(changed, project=key.project)
        except Problem as problem:
            if check and problem.status == "FAILED_PRECONDITION":
                raise in_use(key, "restricting it could shut out those who use it") from problem
            if problem.cause is not Cause.CONFLICT or not left:
                raise
        key = replace(await cloud.keys.get(key.name), project=key.project)
    raise AssertionError("unreachable: the last try returns or raises")


async def delete(cloud: Cloud, key: Key, *, force: bool, wait: bool = True) -> Key | Started:
    """Delete it, for 30 days recoverably. Unless `force`, a key used in the last seven days is refused (conflict)."""
    usage_check: Literal["CHECK"] | None = None if force else "CHECK"
    try:
        if not wait:
            return Started(key.name, await cloud.keys.start_delete(key.name, key.etag or None, usage_check))
        gone = await cloud.keys.delete(key.name, key.etag or None, usage_check)
    except Problem as problem:
        if not force and problem.status == "FAILED_PRECONDITION":
            raise in_use(key, "deleting it would shut out those who use it") from problem
        raise
    return replace(gone, project=key.project, key_string=None)


def in_use(key: Key, why: str) -> Problem:
    """The Problem of a change that Google's check of recent use refused."""
    return Problem(
        Cause.CONFLICT,
        f"key {key.key_id} was used in the last 7 days: {why}",
        status="FAILED_PRECONDITION",
        project=key.project,
        fix=(
            f"see by whom: keyadmin keys usage {key.key_id} -p {key.project}",
            "do it all the same: add --force, which skips the check",
        ),
    )


async def find_deleted(cloud: Cloud, text: str, project: Callable[[], Awaitable[str]]) -> Key:
    """The deleted key that `text` names. Raises Problem: it is not deleted, or (not-found) it is purged."""
    try:
        return await resolve.find(cloud, text, project, state="deleted", unseen=True)
    except Problem as problem:
        if problem.cause is Cause.NOT_FOUND:
            raise purged(f"key {text!r}", problem.project) from problem
        raise


async def undelete(cloud: Cloud, key: Key, *, wait: bool = True) -> Key | Started:
    """Bring a deleted key back. Raises Problem(not-found) where it is purged."""
    try:
        if not wait:
            return Started(key.name, await cloud.keys.start_undelete(key.name))
        back = await cloud.keys.undelete(key.name)
    except Problem as problem:
        if problem.cause is Cause.NOT_FOUND:
            raise purged(f"key {key.key_id}", key.project) from problem
        raise
    return replace(back, project=key.project)


def purged(what: str, project: str | None) -> Problem:
    """The Problem of a key that is no longer there to be brought back."""
    return Problem(
        Cause.NOT_FOUND,
        f"{what} is not there to be brought back: it never was, or it has been purged, which happens 30 days after deletion",
        status="NOT_FOUND",
        project=project,
        fix=("make a new one: keyadmin keys create --name NAME",),
    )


async def by_string(cloud: Cloud, key_string: KeyString) -> str:
    """The full name of the key with this string, deleted ones included. Raises Problem(not-found) where it is purged."""
    found = await cloud.keys.lookup(key_string)
    if not found.name:
        raise purged(f"the key {key_string.masked}", None)
    return found.name
