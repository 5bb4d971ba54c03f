"""Which permissions there are, and on which kinds of nodes they can be held."""

from __future__ import annotations

import re

from keyadmin.data import all_permissions

# What cannot be held on a project (the first two reported, the others from their lowest-level resource in the permissions
# reference), and on a folder.
_NOT_ON_PROJECTS = re.compile(
    r"resourcemanager\.projects\.(create|list)|resourcemanager\.(folders|organizations|tagKeys|tagValues)\..*"
    r"|billing\.accounts\..*|iam\.workforcePool.*"
)
_NOT_ON_FOLDERS = re.compile(r"resourcemanager\.organizations\..*|billing\.accounts\..*|iam\.workforcePool.*")
_NOT_ON = {"projects": _NOT_ON_PROJECTS, "folders": _NOT_ON_FOLDERS}
_FORM = re.compile(r"[a-z][a-zA-Z0-9]*(\.[a-zA-Z][a-zA-Z0-9]*){2,}")
# Services of which every permission is known here: another name is a mistake. Elsewhere a well-formed name that is not known
# counts as valid and not held.
_COMPLETE = ("apikeys.",)


def valid_on(kind: str, permission: str) -> bool:
    """Whether it is a permission that applies to `projects`, `folders` or `organizations`."""
    rule = _NOT_ON.get(kind)
    unknown = permission.startswith(_COMPLETE) and permission not in all_permissions()
    formed = _FORM.fullmatch(permission) or permission in all_permissions()  # some newer ones name the host and a slash
    return not (unknown or not formed or (rule is not None and rule.fullmatch(permission)))
