"""Why a key is not made, in the same words where a dry run sees it and where the service tells."""

from __future__ import annotations

from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem


def lost(key_id: str, project: str) -> Problem:
    """The Problem of a key that was made while the answer with its key string did not arrive."""
    return Problem(
        Cause.SERVICE_UNAVAILABLE,
        f"the key {key_id} was made in project {project}, but the answer with its key string was lost, and you may not read it",
        project=project,
        fix=(
            f"with apikeys.keys.get and apikeys.keys.getKeyString: {typed('keys show', key_id, project=project)}",
            f"or have it removed ({typed('keys delete', key_id, project=project)}) and create another",
        ),
    )


def full(project: str) -> Problem:
    """The Problem of a project that holds as many keys as it can."""
    return Problem(
        Cause.KEY_QUOTA_EXCEEDED,
        f"project {project} has no room for another key: it holds as many as it can",
        status="RESOURCE_EXHAUSTED",
        project=project,
    )


def binding_forbidden(project: str) -> Problem:
    """The Problem of an organisation policy that keeps the key from being bound to a service account."""
    return Problem(
        Cause.ORG_POLICY_BLOCKS_KEY_BINDING,
        f"the organisation forbids this key in project {project}: it would be bound to a service account and is for more than "
        "the Gemini API",
        status="FAILED_PRECONDITION",
        project=project,
    )


def taken(key_id: str, project: str, *, deleted: bool = False) -> Problem:
    """The Problem of a key id that is in use, or is kept by a deleted key."""
    if deleted:
        message = f"the key id {key_id!r} belongs to a deleted key of project {project}, which keeps it until it is purged"
        back = typed("keys undelete", key_id, project=project)
        fix = (f"bring it back: {back}", "or choose another --key-id")
    else:
        message = f"project {project} already has a key with the id {key_id!r} (deleted keys keep their ids)"
        see = typed("keys describe", key_id, project=project)
        fix = (f"see it: {see}", "add --if-absent to get the existing key")
    return Problem(Cause.ALREADY_EXISTS, message, status="ALREADY_EXISTS", project=project, fix=fix)
