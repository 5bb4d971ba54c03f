"""Why a step of a rotation is refused, in keyadmin's own words: a dry run says beforehand what a run ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keyadmin.access.checks import MOST_KEYS
from keyadmin.model.problem import Cause, Problem

ROTATING: Final = "rotate the key: it refuses the successor, or the notes that keyadmin writes on the old key"
CREATE: Final = "apikeys.keys.create"
BIND: Final = "iam.serviceAccountApiKeyBindings.create"
READ_STRING: Final = "apikeys.keys.getKeyString"
MARK: Final = "apikeys.keys.update"
DELETE: Final = "apikeys.keys.delete"
UNDELETE: Final = "apikeys.keys.undelete"

WHAT: Final[Mapping[str, str]] = {
    CREATE: "make the new key",
    BIND: "make the new key",
    READ_STRING: "read the key string in order to hand it over",
    MARK: "mark the keys of a rotation",
    DELETE: "delete the key that is replaced",
    UNDELETE: "bring the deleted key back",
}
"""What each permission is needed for, in the words of a refusal."""


def not_permitted(permission: str, project: str) -> str:
    """The account lacks a permission that a step of a rotation takes."""
    return f"you may not {WHAT[permission]} in project {project}: the permission {permission} is missing"


def lacking(permission: str, project: str) -> Problem:
    """The Problem of its lack, told beforehand."""
    return Problem(
        Cause.MISSING_IAM_PERMISSION,
        not_permitted(permission, project),
        status="PERMISSION_DENIED",
        permission=permission,
        project=project,
    )


def full(project: str) -> str:
    """The project holds as many keys as it may."""
    return f"project {project} has {MOST_KEYS} keys, the most there can be: there is no room for the new one"
