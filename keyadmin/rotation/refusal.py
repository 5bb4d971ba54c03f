"""Why a successor is not made, in keyadmin's own words: a dry run says beforehand what a run ends with."""

from __future__ import annotations

from typing import Final

from keyadmin.access.checks import MOST_KEYS

CREATE: Final = "apikeys.keys.create"
BIND: Final = "iam.serviceAccountApiKeyBindings.create"


def not_permitted(permission: str, project: str) -> str:
    """The account lacks a permission for making the successor."""
    return f"you may not make the new key in project {project}: the permission {permission} is missing"


def full(project: str) -> str:
    """The project holds as many keys as it may."""
    return f"project {project} has {MOST_KEYS} keys, the most there can be: there is no room for the new one"
