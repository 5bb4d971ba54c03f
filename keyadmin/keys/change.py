"""Changing a key that exists, as it was when the change was planned: restrictions, name, annotations; deleting it and bringing
it back.

A plan reads and pins: the key's full name, its etag, the values seen. Carrying it out changes that key as it was, or nothing:
what somebody else changed in between is a conflict. A change that merges (annotations, entries added to a list) holds for
whatever is there and is made again on what it finds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from keyadmin.access import constraints
from keyadmin.access.need import PermissionNeed
from keyadmin.keys import resolve
from keyadmin.keys.denial import may_not
from keyadmin.keys.present import apis, clients
from keyadmin.keys.restriction_edit import RestrictionEdit, entries, going
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

TRIES: Final = 3  # a write may be refused for a passing conflict; one that merges is made again on what is there

Part = Literal["all", "apis", "clients"]

TARGETS: Final = "restrictions.api_targets"
CLIENTS: Final = {
    "referrers": "restrictions.browser_key_restrictions",
    "ips": "restrictions.server_key_restrictions",
    "android": "restrictions.android_key_restrictions",
    "ios": "restrictions.ios_key_restrictions",
}
UPDATE: Final = "apikeys.keys.update"
DELETE: Final = "apikeys.keys.delete"


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
class KeyChange:
    """A change of one key, planned and pinned; `execute` carries it out.

    `words` = what it does, behind "would"; `goes` = entries of restrictions that go by it, `notes` = what else is to be said;
    `asks` = why it is asked about first, empty where it is not; `becoming` = the key as it is to be, None = deleted.
    """

    key: Key
    words: str
    becoming: Callable[[Key], Key] | None
    fields: frozenset[str] = frozenset()
    merges: bool = False
    usage_check: bool = False
    asks: str = ""
    notes: tuple[str, ...] = ()

    @property
    def permission(self) -> str:
        """What the caller needs for it."""
        return DELETE if self.becoming is None else UPDATE

    @property
    def verb(self) -> str:
        """For messages."""
        return "delete" if self.becoming is None else "change"


@dataclass(frozen=True)
class Started:
    """A change that was asked for and is not waited for: the key's full name and the operation's (empty = done already)."""

    name: str
    operation: str


def plan_restrict(key: Key, edit: RestrictionEdit, *, force: bool) -> KeyChange:
    """Narrow, replace or extend the restrictions. Unless `force`, a key used in the last seven days is not narrowed (conflict).

    Asked about where an entry that stands there would go, and where that cannot be seen. Raises usage() for an edit that does
    not fit the key, Problem where the key has to be read for it and may not be.
    """
    if resolve.unread(key):
        return _restrict_unread(key, edit, force=force)
    wanted = edit.of(key)
    lost = going(key.restrictions, wanted) if edit.replacing is not None else ()
    words = f"restrict key {key.key_id} to {apis(wanted)}, used by {clients(wanted)}"
    asks = f"{_listed(lost)} will no longer be allowed to use it" if lost else ""
    absent = edit.absent(key)
    notes = (f"{', '.join(absent)} was not there",) if absent else ()
    return KeyChange(
        key,
        words,
        lambda now: replace(now, restrictions=edit.of(now)),
        frozenset({"restrictions"}),
        merges=edit.merges,
        usage_check=not force and not edit.widens,
        asks=asks,
        notes=notes,
    )


def _restrict_unread(key: Key, edit: RestrictionEdit, *, force: bool) -> KeyChange:
    new = edit.replacing
    if new is None or entries(edit.add) or entries(edit.remove):
        raise may_not(key, "apikeys.keys.get", "read its restrictions in order to change them")
    return KeyChange(
        key,
        f"restrict key {key.key_id} to {apis(new)}, used by {clients(new)}",
        lambda now: replace(now, restrictions=new),
        frozenset(paths(new)),
        usage_check=not force,
        asks="you may not read its restrictions, so whoever they allow now may be shut out",
    )


def _listed(lost: tuple[str, ...], most: int = 5) -> str:
    more = f" and {len(lost) - most} more" if len(lost) > most else ""
    return ", ".join(lost[:most]) + more


def plan_unrestrict(key: Key, part: Part) -> KeyChange:
    """Take restrictions away: always asked about. Nobody who could use the key is shut out, so its use is not looked at."""
    left = unrestricted(key.restrictions, part)
    fields = {"restrictions"}
    if resolve.unread(key) and part != "all":
        fields = {TARGETS} if part == "apis" else set(CLIENTS.values())
    opened = "whoever has the key can use it" if part == "clients" else "the key can call every API of its project"
    return KeyChange(
        key,
        f"leave key {key.key_id} with {apis(left)}, used by {clients(left)}",
        lambda now: replace(now, restrictions=unrestricted(now.restrictions, part)),
        frozenset(fields),
        asks=f"{opened}, Gemini included where it is on" if part != "clients" else opened,
    )


def paths(new: Restrictions) -> set[str]:
    """The update mask that touches only what `new` sets: for a key whose other restrictions are not known."""
    found = {CLIENTS[new.client_kind]} if new.client_kind else set()
    return found | ({TARGETS} if new.targets else set())


def plan_rename(key: Key, name: str) -> KeyChange:
    """Give it another display name."""
    words = f"rename key {key.key_id} from {key.display_name!r} to {name!r}"
    return KeyChange(key, words, lambda now: replace(now, display_name=name), frozenset({"display_name"}))


def plan_annotate(key: Key, add: Mapping[str, str], remove: Iterable[str] = (), *, clear: bool = False) -> KeyChange:
    """Add, remove or clear annotations; those not named are kept, those too that somebody adds meanwhile."""
    gone = tuple(remove)
    wanted = annotated(key.annotations, add, gone, clear=clear)
    said = ", ".join(f"{name}={value}" for name, value in wanted.items()) or "none"
    return KeyChange(
        key,
        f"leave key {key.key_id} with these annotations: {said}",
        lambda now: replace(now, annotations=annotated(now.annotations, add, gone, clear=clear)),
        frozenset({"annotations"}),
        merges=not clear,
    )


def plan_delete(key: Key, *, force: bool) -> KeyChange:
    """Delete it, for 30 days recoverably. Unless `force`, a key used in the last seven days is refused (conflict)."""
    return KeyChange(
        key, f"delete the key {in_words(key)}", None, usage_check=not force, asks="whoever uses it will be shut out"
    )


def in_words(key: Key) -> str:
    """A key with what it is for, for questions."""
    if resolve.unread(key):
        return f"{key.key_id} of project {key.project}, which you may not read"
    name = f"{key.display_name!r} ({key.key_id})" if key.display_name else key.key_id
    return f"{name} of project {key.project}, for {apis(key.restrictions)}, used by {clients(key.restrictions)}"


async def execute(cloud: Cloud, change: KeyChange, *, wait: bool = True) -> Key | Started:
    """Carry a planned change out. Raises Problem: conflict where the key was changed in between (then nothing is)."""
    key = change.key
    for left in reversed(range(TRIES)):
        try:
            return await _write(cloud, change, key, wait=wait)
        except Problem as problem:
            if problem.cause is Cause.ORG_POLICY_CONSTRAINT:
                raise constraints.told(problem, key.project, change.words, key.key_id) from problem
            if change.usage_check and problem.status == "FAILED_PRECONDITION":
                raise in_use(key, deleting=change.becoming is None) from problem
            if problem.cause is Cause.MISSING_IAM_PERMISSION and problem.permission in (None, change.permission):
                raise may_not(key, change.permission, f"{change.verb} it", problem) from problem
            if problem.cause is not Cause.CONFLICT or resolve.unread(key):
                raise
            now = replace(await cloud.keys.get(key.name), project=key.project)
            if now.delete_time is not None or (now.etag != key.etag and not change.merges):
                raise changed_meanwhile(key) from problem
            if not left:
                raise
            key = now
    raise AssertionError("unreachable: the last try returns or raises")


async def _write(cloud: Cloud, change: KeyChange, key: Key, *, wait: bool) -> Key | Started:
    etag = key.etag or None
    usage_check: Literal["CHECK"] | None = "CHECK" if change.usage_check else None
    if change.becoming is None:
        if not wait:
            return Started(key.name, await cloud.keys.start_delete(key.name, etag, usage_check))
        gone = await cloud.keys.delete(key.name, etag, usage_check)
        return replace(gone, project=key.project, key_string=None)
    wanted, fields = change.becoming(key), set(change.fields)
    if not wait:
        return Started(key.name, await cloud.keys.start_update(key.name, fields, wanted, etag, usage_check))
    return replace(await cloud.keys.update(key.name, fields, wanted, etag, usage_check), project=key.project)


def changed_meanwhile(key: Key) -> Problem:
    """The Problem of a key that is no longer as it was planned with."""
    return Problem(
        Cause.CONFLICT,
        f"key {key.key_id} of project {key.project} was changed by somebody else meanwhile; nothing was changed",
        status="ABORTED",
        project=key.project,
        fix=(
            f"see it as it is now: {typed('keys describe', key.key_id, project=key.project)}",
            "then run the command again",
        ),
    )


def in_use(key: Key, *, deleting: bool) -> Problem:
    """The Problem of a change that the check of recent use refuses."""
    why = "deleting it would shut out those who use it" if deleting else "restricting it could shut out those who use it"
    return Problem(
        Cause.CONFLICT,
        f"key {key.key_id} was used in the last 7 days: {why}",
        status="FAILED_PRECONDITION",
        project=key.project,
        fix=(
            f"see for what: {typed('keys usage', key.key_id, project=key.project)}",
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


def to_undelete(key: Key) -> PermissionNeed:
    """What bringing the key back takes."""
    return PermissionNeed("apikeys.keys.undelete", key.project, f"bring back the key {key.key_id}")


async def undelete(cloud: Cloud, key: Key, *, wait: bool = True) -> Key | Started:
    """Bring a deleted key back. Raises Problem(not-found) where it is purged."""
    need = to_undelete(key)
    try:
        if not wait:
            return Started(key.name, await need.met(cloud.keys.start_undelete(key.name)))
        back = await need.met(cloud.keys.undelete(key.name))
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
        fix=(f"make a new one: {typed('keys create', name='NAME', project=project)}",),
    )


async def by_string(cloud: Cloud, key_string: KeyString) -> str:
    """The full name of the key with this string, deleted ones included. Raises Problem(not-found) where it is purged."""
    found = await cloud.keys.lookup(key_string)
    if not found.name:
        raise purged(f"the key {key_string.masked}", None)
    return found.name
