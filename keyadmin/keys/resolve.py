"""From what a person calls a key to the key: full name, else id, else a display name unique in the project."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from keyadmin.keys import validate
from keyadmin.keys.denial import told_apart
from keyadmin.model.key import Key
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.project_ref import checked

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

State = Literal["live", "deleted", "any"]
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
        raise usage(f"{text!r} is no key's full name: it reads projects/PROJECT/locations/global/keys/ID")
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
    cloud: Cloud, text: str, project: Callable[[], Awaitable[str]], *, state: State = "live", unseen: bool = False
) -> Key:
    """The key that `text` names. `project` is asked for only where `text` is not a full name.

    An id that matches is found with apikeys.keys.get alone; display names need apikeys.keys.list. With `unseen` a full
    name or an id is enough where the caller may neither get nor list: the key is handed back as `unread`. Raises
    Problem: not-found, or invalid-argument listing the candidates of an ambiguous display name.
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
        return _in_state(await _by_listing(cloud, text, within, state, denied), state)
    except Problem as problem:
        apart = await told_apart(cloud, within, problem)
        if unseen and problem is denied and apart is denied:
            return Key(str(FullName(within, text)), project=within)
        raise apart from None


def unread(key: Key) -> bool:
    """Whether nothing is known of the key but its name, as the caller may not read it."""
    return not key.uid


async def _by_listing(cloud: Cloud, text: str, project: str, state: State, denied: Problem | None) -> Key:
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
    return only(text, project, preferred or matches)


def only(text: str, project: str, matches: Sequence[Key]) -> Key:
    """The one match. Raises Problem: not-found, or the list of candidates."""
    if not matches:
        raise not_found(text, project)
    if len(matches) > 1:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{len(matches)} keys of project {project} have the display name {text!r}",
            project=project,
            notes=[f"{key.key_id}  created {_day(key)}, {key.key_type}{_deleted(key)}" for key in matches],
            fix=(f"name the key by its id: {', '.join(key.key_id for key in matches)}",),
        )
    return matches[0]


def not_found(text: str, project: str) -> Problem:
    """The Problem of a key that is not there."""
    return Problem(
        Cause.NOT_FOUND,
        f"project {project} has no key with the id or display name {text!r}",
        status="NOT_FOUND",
        project=project,
        fix=(f"see what there is: keyadmin keys list --all -p {project}",),
    )


def _in_state(key: Key, state: State) -> Key:
    if unread(key):
        return key  # the service will say
    if state == "live" and key.delete_time is not None:
        raise Problem(
            Cause.NOT_FOUND,
            f"key {key.key_id} was deleted on {key.delete_time:%Y-%m-%d}; a deleted key cannot be changed or used",
            project=key.project,
            fix=(f"bring it back: keyadmin keys undelete {key.key_id} -p {key.project}",),
        )
    if state == "deleted" and key.delete_time is None:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"key {key.key_id} is not deleted: there is nothing to bring back",
            project=key.project,
            fix=(f"see its state: keyadmin keys describe {key.key_id} -p {key.project}",),
        )
    return key


def _day(key: Key) -> str:
    return f"{key.create_time:%Y-%m-%d}" if key.create_time else "at an unknown time"


def _deleted(key: Key) -> str:
    return f", deleted {key.delete_time:%Y-%m-%d}" if key.delete_time else ""
