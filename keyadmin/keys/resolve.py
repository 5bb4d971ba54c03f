"""From what a person calls a key to the key: full name, else id, else a display name unique in the project."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from keyadmin.keys import validate
from keyadmin.keys.denial import told_apart
from keyadmin.model.command_line import instead, typed
from keyadmin.model.key import Key
from keyadmin.model.lineage import Lineage, Member, read
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause, Exit, Problem, usage
from keyadmin.model.project_ref import checked
from keyadmin.model.secret import holds_key

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

State = Literal["live", "deleted", "any"]
Choose = Literal["refuse", "newest", "former"]
SHOWN: Final = 10  # of the keys that one name fits
TYPED: Final = 3  # with the command for each
FULL_NAME: Final = re.compile(
    r"(?://apikeys\.googleapis\.com/)?projects/(?P<project>[^/]+)/locations/global/keys/(?P<id>[a-z0-9-]+)"
)


@dataclass(frozen=True)
class FullName:
    """`projects/PROJECT/locations/global/keys/ID`, taken apart."""

    project: str
    key_id: str

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/global/keys/{self.key_id}"


def full_name(text: str) -> FullName | None:
    """`text` as a full name, with or without `//apikeys.googleapis.com/`; None where it is not one.

    Raises usage() where it begins like one and is none, and where a key string was given.
    """
    validate.refuse_key_string(text)
    if not text.strip():
        raise usage("the key's name is empty", "write a key's id, its full name, or its display name")
    if found := FULL_NAME.fullmatch(text):
        return FullName(checked(found["project"], repr(text)), found["id"])
    if text.startswith(("projects/", "//")):
        raise usage(f"{text!r} is not a key's full name: it reads projects/PROJECT/locations/global/keys/ID")
    return None


async def project_id(cloud: Cloud, project: str) -> str:
    """The project's id where `project` is a number and the caller may read it; else `project` as it is."""
    if not project.isdigit():
        return project
    try:
        return (await cloud.projects.get(project)).project_id
    except Problem:
        return project  # the number names it just as well


async def find(
    cloud: Cloud,
    text: str,
    project: Callable[[], Awaitable[str]],
    *,
    state: State = "live",
    unseen: bool = False,
    newest: Observer | None = None,
) -> Key:
    """The key that `text` names. `project` is asked for only where `text` is not a full name.

    An id that matches is found with apikeys.keys.get alone; display names need apikeys.keys.list. With `unseen` a full
    name or an id is enough where the caller may neither get nor list: the key is handed back as `unread`. With `newest` a
    display name that all generations of one lineage bear means the newest of them, and that observer is told. Raises
    Problem: not-found, or invalid-argument (exit code 2) listing the candidates of an ambiguous display name.
    """
    named = full_name(text)
    if named is not None:
        try:
            key = await cloud.keys.get(str(named))
        except Problem as problem:
            apart = await told_apart(cloud, named.project, problem)
            if not unseen or apart.cause is not Cause.MISSING_IAM_PERMISSION:
                raise apart from None
            key = Key(str(named))
        return _in_state(replace(key, project=await project_id(cloud, named.project)), state)
    within = await project_id(cloud, await project())
    denied: Problem | None = None
    if validate.looks_like_key_id(text):
        try:
            key = await cloud.keys.get(str(FullName(within, text)))
        except Problem as problem:
            if problem.cause is Cause.MISSING_IAM_PERMISSION:
                denied = problem  # a list may still find it
            elif problem.cause is not Cause.NOT_FOUND:
                raise
        else:
            return _in_state(replace(key, project=within), state)
    try:
        return _in_state(await _by_listing(cloud, text, within, state, denied, newest), state)
    except Problem as problem:
        apart = await told_apart(cloud, within, problem)
        if unseen and problem is denied and apart is denied:
            return Key(str(FullName(within, text)), project=within)
        raise apart from None


def unread(key: Key) -> bool:
    """Whether nothing is known of the key but its name, as the caller may not read it."""
    return not key.uid


class LineageKey(NamedTuple):
    """A key with its lineage. `living` = how many keys its project has, deleted ones left out."""

    key: Key
    lineage: Lineage
    living: int


async def in_lineage(
    cloud: Cloud,
    text: str,
    project: Callable[[], Awaitable[str]],
    observer: Observer = SILENT,
    *,
    choose: Choose = "refuse",
) -> LineageKey:
    """The key that `text` names, deleted or not, with its lineage: one listing of its project.

    `choose` = what a display name means that several generations of one lineage bear; the observer is told. Raises Problem.
    """
    named = full_name(text)
    within = await project_id(cloud, named.project if named is not None else await project())
    try:
        keys = [replace(key, project=within) async for key in cloud.keys.list(within, deleted=True)]
    except Problem as problem:
        raise await told_apart(cloud, within, problem) from None
    wanted = named.key_id if named is not None else text
    by_id = [key for key in keys if key.key_id == wanted]
    matches = by_id or [key for key in keys if named is None and key.display_name == text]
    live = [key for key in matches if key.delete_time is None]
    key = _chosen(text, within, live if live and choose != "former" else matches, keys, choose, observer)
    lineage = next(one for one in read(keys, within) if any(m.key.key_id == key.key_id for m in one.members))
    return LineageKey(key, lineage, sum(one.delete_time is None for one in keys))


def _chosen(text: str, project: str, matches: Sequence[Key], keys: Sequence[Key], choose: Choose, observer: Observer) -> Key:
    """The one that is meant; `keys` = all of the project."""
    ids = {key.key_id for key in matches}
    lineages = [one for one in read(keys, project) if any(member.key.key_id in ids for member in one.members)]
    if choose == "former" and len(lineages) > 1:  # keys that are deleted keep their names for 30 days
        lineages = [one for one in lineages if any(member.live for member in one.members)] or lineages
        own = {member.key.key_id for one in lineages for member in one.members}
        matches = [key for key in matches if key.key_id in own]
    if choose == "refuse" or len(matches) < 2 or len(lineages) != 1 or lineages[0].in_question:
        return only(text, project, matches, exit_code=Exit.USAGE if choose == "refuse" else None, among=keys)
    lineage = lineages[0]
    member = lineage.predecessor if choose == "former" else _newest(lineage, ids)
    member = member or lineage.newest
    which = "the one before the newest" if choose == "former" else "the newest"
    observer.note(f"{text!r} is {member.key.key_id} here, generation {member.generation} of its lineage, {which}.", always=True)
    return member.key


def _newest(lineage: Lineage, ids: Collection[str]) -> Member:
    """The highest generation that is meant; what annotations claim does not count."""
    return next(member for member in reversed(lineage.members) if member.key.key_id in ids)


async def _by_listing(
    cloud: Cloud, text: str, project: str, state: State, denied: Problem | None, newest: Observer | None
) -> Key:
    try:
        listed = [replace(key, project=project) async for key in cloud.keys.list(project, deleted=state != "live")]
    except Problem as problem:
        if denied is not None:
            raise denied from None
        if problem.cause is Cause.MISSING_IAM_PERMISSION:
            problem.notes.append(f"no key of project {project} has the id {text!r}; finding one by display name takes a list")
        raise
    by_id = [key for key in listed if key.key_id == text]
    matches = by_id or [key for key in listed if key.display_name == text]
    preferred = [key for key in matches if (key.delete_time is not None) == (state == "deleted")]
    if state == "deleted" and len(matches) > 1 and not preferred:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"none of the {len(matches)} keys of project {project} with the display name {text!r} is deleted: there is nothing "
            "to bring back",
            project=project,
            fix=(f"see which are: {typed('keys list', all=True, deleted=True, project=project)}",),
        )
    choose: Choose = "refuse" if newest is None or by_id else "newest"
    return _chosen(text, project, preferred or matches, listed, choose, newest or SILENT)


def only(text: str, project: str, matches: Sequence[Key], *, exit_code: Exit | None = None, among: Sequence[Key] = ()) -> Key:
    """The one match. Raises Problem: not-found, with names of `among` that are much like it, or the list of candidates.

    `exit_code` = that of the latter.
    """
    if not matches:
        raise not_found(text, project, among)
    if len(matches) > 1:
        raise replace(_ambiguous(text, project, matches), exit_code=exit_code)
    return matches[0]


def _ambiguous(text: str, project: str, matches: Sequence[Key]) -> Problem:
    """Which keys bear the name: what tells generations of one lineage apart is their number and how far they are."""
    members = [member for lineage in read(matches, project) for member in lineage.members]
    rows = [f"{member.key.key_id}  {_row(member)}" for member in members[:SHOWN]]
    every = typed("keys list", all=True, project=project)
    more = [f"and {len(members) - SHOWN} more: {every}"] if len(members) > SHOWN else []
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"{len(matches)} keys of project {project} have the display name {text!r}",
        project=project,
        notes=[*rows, *more],
        fix=(f"name the key by its id: {', '.join(member.key.key_id for member in members[:SHOWN])}", *_each(text, members)),
    )


def _each(text: str, members: Sequence[Member]) -> Iterator[str]:
    """The command that was typed, with the id of each key that may be meant: which one, a person has to say."""
    for member in members if len(members) <= TYPED else ():
        command = instead(text, member.key.key_id)
        if command is not None:
            yield f"for {_row(member).partition(';')[0]}: {command}"


def _row(member: Member) -> str:
    """`generation 2, new, not handed over yet; auth, created 2026-11-01`."""
    said = f"generation {member.generation}, {member.words}" if member.claimed or member.generation > 1 else member.words
    return f"{said}; {member.key.key_type}, created {_day(member.key)}"


def not_found(text: str, project: str, among: Sequence[Key] = ()) -> Problem:
    """The Problem of a key that is not there; of the keys `among` which it was looked for, those that were probably meant."""
    near = _near(text, among)
    meant = (f"did you mean {' or '.join(map(repr, near))}?",) if near else ()
    return Problem(
        Cause.NOT_FOUND,
        f"project {project} has no key with the id or display name {text!r}",
        status="NOT_FOUND",
        project=project,
        fix=(*meant, f"see what there is: {typed('keys list', all=True, project=project)}"),
    )


def _near(text: str, keys: Sequence[Key]) -> list[str]:
    """At most three names or ids that differ from `text` in case, or in a letter or two."""
    words = dict.fromkeys(word for key in keys for word in (key.display_name, key.key_id) if word and not holds_key(word))
    folded = {word.casefold(): word for word in words}
    return [folded[near] for near in get_close_matches(text.casefold(), folded, 3, 0.8)]


def _in_state(key: Key, state: State) -> Key:
    if unread(key):
        return key  # the service will say
    if state == "live" and key.delete_time is not None:
        raise Problem(
            Cause.NOT_FOUND,
            f"key {key.key_id} was deleted on {key.delete_time:%Y-%m-%d}; a deleted key cannot be changed or used",
            project=key.project,
            fix=(f"bring it back: {typed('keys undelete', key.key_id, project=key.project)}",),
        )
    if state == "deleted" and key.delete_time is None:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"key {key.key_id} is not deleted: there is nothing to bring back",
            project=key.project,
            fix=(f"see its state: {typed('keys describe', key.key_id, project=key.project)}",),
        )
    return key


def _day(key: Key) -> str:
    return f"{key.create_time:%Y-%m-%d}" if key.create_time else "at an unknown time"
