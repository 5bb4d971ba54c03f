"""What each feature needs: permissions, APIs, and whether it makes keys. The one list that doctor and its tests go by.

Sources: facts 2 (AI Studio's features, Google's documentation) for the page's own features; for the rest the calls that
keyadmin's command makes, each with the permission that the API's reference names for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from keyadmin.model.problem import usage

API_KEYS: Final = "apikeys.googleapis.com"
GEMINI: Final = "generativelanguage.googleapis.com"
IAM: Final = "iam.googleapis.com"
RESOURCE_MANAGER: Final = "cloudresourcemanager.googleapis.com"
MONITORING: Final = "monitoring.googleapis.com"
SERVICE_USAGE: Final = "serviceusage.googleapis.com"
APIS: Final = (API_KEYS, SERVICE_USAGE, RESOURCE_MANAGER, GEMINI, IAM)

GET_PROJECT: Final = "resourcemanager.projects.get"
ENABLE_SERVICE: Final = "serviceusage.services.enable"
USE_SERVICE: Final = "serviceusage.services.use"

_CREATE_STANDARD: Final = (GET_PROJECT, ENABLE_SERVICE, "apikeys.keys.create")
_CREATE_AUTH: Final = (*_CREATE_STANDARD, "iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create")
# A rotation reads the keys of the project, makes the successor, marks it, reads its string for the sinks, retires the old.
_ROTATE: Final = (
    "apikeys.keys.get",
    "apikeys.keys.list",
    "apikeys.keys.getKeyString",
    "apikeys.keys.update",
    "apikeys.keys.delete",
)


@dataclass(frozen=True)
class OptionalPermission:
    """One that a command makes use of where it is held, and goes without. `use` = what it does with it.

    `instead` = another one that does as well. `above` = it counts on the organisation, whatever is held on the project.
    """

    name: str
    use: str
    instead: str = ""
    above: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Those of which one is enough."""
        return (self.name, self.instead) if self.instead else (self.name,)


_SEARCH: Final = "cloudasset.assets.searchAllResources"


@dataclass(frozen=True)
class Feature:
    """One thing that a person wants to do in a project, and what it takes.

    `permissions` suffice for keyadmin's command on a key named by its id or full name (a display name takes apikeys.keys.list
    besides), and it fails without any one of them. `studio` = what AI Studio's page needs
    beside them; `optional` = what the command makes use of where it is held, and goes without. `enables` = the command turns
    on the APIs in `apis` where they are off; else they have to be on.
    """

    name: str
    words: str
    permissions: tuple[str, ...]
    apis: tuple[str, ...]
    studio: tuple[str, ...] = ()
    optional: tuple[OptionalPermission, ...] = ()
    enables: bool = False
    makes_keys: bool = False
    binds: bool = False
    above: tuple[str, ...] = ()
    """What it takes on a folder or an organisation besides, where the command is given that in place of projects."""
    at_organization: bool = False
    """Whether the permissions are needed on the project's organisation, where alone they can be granted."""

    @property
    def looked_for(self) -> tuple[str, ...]:
        """All that is looked for, needed or not."""
        return (*self.permissions, *self.studio, *(name for each in self.optional for name in each.names))

    @property
    def calls(self) -> tuple[str, ...]:
        """The APIs that the command itself calls with credentials: they have to be on in the project charged.

        The Gemini API is called with a key, on the account of the key's project.
        """
        looks = (RESOURCE_MANAGER, SERVICE_USAGE) if self.enables else ()
        return tuple(dict.fromkeys(api for api in (*looks, *self.apis) if api != GEMINI))


DEFAULT: Final = "create-auth-key"
FEATURES: Final[dict[str, Feature]] = {
    feature.name: feature
    for feature in (
        Feature("import", "import the project", (GET_PROJECT,), (RESOURCE_MANAGER,)),
        Feature(
            "list",
            "list the API keys",
            ("apikeys.keys.list",),
            (API_KEYS,),
            studio=(GET_PROJECT, "serviceusage.services.get"),
        ),
        Feature(
            DEFAULT,
            "create an auth key for the Gemini API",
            _CREATE_AUTH,
            (API_KEYS, GEMINI, IAM),
            enables=True,
            makes_keys=True,
            binds=True,
        ),
        Feature(
            "create-standard-key",
            "create a standard API key",
            _CREATE_STANDARD,
            (API_KEYS, GEMINI),
            enables=True,
            makes_keys=True,
        ),
        Feature("rename", "rename an API key", ("apikeys.keys.update",), (API_KEYS,)),
        Feature("restrict", "restrict an API key", ("apikeys.keys.update",), (API_KEYS,)),
        Feature("show", "show a key string", ("apikeys.keys.getKeyString",), (API_KEYS,)),
        Feature("delete", "delete an API key", ("apikeys.keys.delete",), (API_KEYS,)),
        Feature("undelete", "bring a deleted API key back", ("apikeys.keys.undelete",), (API_KEYS,)),
        Feature("lookup", "look up whose a key string is", ("apikeys.keys.lookup",), (API_KEYS,)),
        Feature("verify", "verify an API key", ("apikeys.keys.getKeyString",), (API_KEYS, GEMINI)),
        Feature(
            "rotate",
            "rotate an auth key",
            (*_ROTATE, "apikeys.keys.create", "iam.serviceAccountApiKeyBindings.create"),
            (API_KEYS, GEMINI),
            makes_keys=True,
            binds=True,
        ),
        Feature(
            "migrate",
            "migrate a standard key to an auth key",
            (*_CREATE_AUTH, *_ROTATE),
            (API_KEYS, GEMINI, IAM),
            enables=True,
            makes_keys=True,
            binds=True,
        ),
        Feature(
            "audit",
            "audit the API keys",
            ("apikeys.keys.list", "serviceusage.services.get"),
            (API_KEYS, SERVICE_USAGE),
            optional=(
                OptionalPermission(_SEARCH, "lets the inventory answer in place of each project", above=True),
                # assets.list of keys alone takes either (facts 2, 3: by type).
                OptionalPermission(
                    "cloudasset.assets.listResource",
                    "lists the inventory's keys where its search does not show all",
                    instead="cloudasset.assets.listApikeysKeys",
                    above=True,
                ),
                OptionalPermission("monitoring.timeSeries.list", "finds unused keys, and what keys are used for"),
                OptionalPermission("logging.logEntries.list", "names who made a key"),
                OptionalPermission("resourcemanager.projects.getIamPolicy", "names the project's owners"),
            ),
            above=("resourcemanager.folders.list",),
        ),
        Feature(
            "fix",
            "repair API keys after an audit, and undo it",
            (
                GET_PROJECT,
                "apikeys.keys.list",
                "apikeys.keys.update",
                "apikeys.keys.delete",
                "apikeys.keys.undelete",
                "serviceusage.services.get",
                "monitoring.timeSeries.list",
            ),
            (API_KEYS, SERVICE_USAGE, RESOURCE_MANAGER, MONITORING),
            above=("resourcemanager.folders.list",),
        ),
        Feature("hand-over", "hand over an API key", ("apikeys.keys.getKeyString",), (API_KEYS,)),
        Feature("enable-api", "enable APIs", (ENABLE_SERVICE,), (SERVICE_USAGE,), enables=True),
    )
}

GUARD: Final = Feature(
    "guard",
    "set organisation policies for API keys",
    (
        *("orgpolicy.customConstraints.list", "orgpolicy.customConstraints.create"),
        *("orgpolicy.policies.list", "orgpolicy.policies.create", "orgpolicy.policies.update"),
    ),
    ("orgpolicy.googleapis.com",),
    optional=(OptionalPermission(_SEARCH, "finds policies elsewhere: without it no constraint is deleted", above=True),),
    at_organization=True,
)
NAMES: Final = (*FEATURES, GUARD.name)

_MEMBER: Final = re.compile(r"(?:user|serviceAccount|group):[^\s:@/]+@[^\s:@/]+\.[^\s:@/.]+")


def feature_named(name: str) -> Feature:
    """The feature. Raises usage() for any other name."""
    if name == GUARD.name:
        return GUARD
    if name not in FEATURES:
        raise usage(f"--for: {name!r} is not a feature", f"use one of: {', '.join(NAMES)}")
    return FEATURES[name]


def checked_member(member: str) -> str:
    """The same. Raises usage() for what is not `user:`, `serviceAccount:` or `group:` with an e-mail address."""
    if _MEMBER.fullmatch(member):
        return member
    kinds = ("serviceAccount",) if member.endswith(".gserviceaccount.com") else ("user", "serviceAccount", "group")
    if _MEMBER.fullmatch(f"user:{member}"):
        raise usage(f"--member {member} does not say whose address it is", f"write {_either(kinds, member)}")
    raise usage(f"--member {member!r} names nobody", f"write {_either(kinds, 'ADDRESS')}")


def _either(kinds: Sequence[str], address: str) -> str:
    words = [f"{kind}:{address}" for kind in kinds]
    return " or ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
