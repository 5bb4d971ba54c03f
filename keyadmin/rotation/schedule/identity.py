"""The account that rotates: its role of exactly the permissions it needs, and the script that makes and binds both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from keyadmin.access.permissions import API_KEYS, FEATURES, GET_PROJECT, IAM, RESOURCE_MANAGER, SERVICE_USAGE
from keyadmin.model.problem import usage
from keyadmin.rotation.schedule.plan import ACCOUNT_ID, SchedulePlan
from keyadmin.rotation.schedule.template import ScheduleFile, fill

ROLE_ID: Final = "keyadminRotation"
SECRETS_ROLE_ID: Final = "keyadminRotationSecrets"
ROLE_FILE: Final = "keyadmin-rotation-role.yaml"
SECRETS_ROLE_FILE: Final = "keyadmin-rotation-secrets-role.yaml"

# The use of the old key. Without it the service is asked to check when the key is deleted, which is coarser: 7 days back.
USE: Final = ("monitoring.timeSeries.list",)
BELOW: Final = "resourcemanager.folders.list"


def permissions(plan: SchedulePlan) -> tuple[str, ...]:
    """All that the account needs in a project whose keys it rotates."""
    needed = {*FEATURES["migrate" if plan.migrates else "rotate"].permissions, *USE}
    needed |= set(plan.sink_permissions)
    if plan.patterns or plan.folders or plan.organizations:  # these projects are looked for
        needed.add(GET_PROJECT)
    if plan.folders or plan.organizations:
        needed.add(BELOW)
    return tuple(sorted(needed))


def apis(plan: SchedulePlan) -> tuple[str, ...]:
    """The APIs that the account calls, which have to be on in its own project."""
    names = {API_KEYS, "monitoring.googleapis.com", *plan.sink_apis}
    if plan.migrates:
        names |= {SERVICE_USAGE, IAM}
    if plan.migrates or plan.patterns or plan.folders or plan.organizations:
        names.add(RESOURCE_MANAGER)
    return tuple(sorted(names))


def identity(plan: SchedulePlan) -> list[ScheduleFile]:
    """The roles, and the script that makes the account and binds it. Raises usage() for several organisations."""
    if len(plan.organizations) > 1:
        raise usage(
            f"the policy names {len(plan.organizations)} organisations; an account and its role serve one",
            "write a policy for each, and a schedule for each",
        )
    out = [_role(ROLE_FILE, "keyadmin rotation", "Rotates API keys with keyadmin; nothing else.", permissions(plan))]
    if plan.sink_projects:
        title, what = "keyadmin rotation: secrets", "Hands rotated API keys to secrets; nothing else."
        out.append(_role(SECRETS_ROLE_FILE, title, what, plan.sink_permissions))
    values = {
        "PROJECT": plan.project,
        "ACCOUNT": plan.account,
        "ACCOUNT_ID": ACCOUNT_ID,
        "PROJECTS": " ".join(plan.projects),
        "SECRET_PROJECTS": " ".join(plan.sink_projects),
        "FOLDERS": " ".join(plan.folders),
        "ORGANIZATION": " ".join(plan.organizations),
        "WHOLE_ORGANIZATION": "yes" if plan.organizations else "",
        "PATTERNS": _patterns(plan.patterns),
        "ROLE": ROLE_ID,
        "SECRETS_ROLE": SECRETS_ROLE_ID,
        "ROLE_FILES": " ".join(file.path for file in out),
        "APIS": " ".join(apis(plan)),
    }
    return [*out, fill("identity/setup.sh", values)]


def _role(path: str, title: str, description: str, names: Iterable[str]) -> ScheduleFile:
    lines = [f'title: "{title}"', f'description: "{description}"', "stage: GA", "includedPermissions:"]
    return ScheduleFile(path, "\n".join([*lines, *(f"- {name}" for name in names), ""]))


def _patterns(patterns: Iterable[str]) -> str:
    """A comment: which projects these are is not known here."""
    told = ", ".join(pattern for pattern in patterns if re.fullmatch(r"[\w.:*?\[\]-]+", pattern))
    return f"# The policy also selects projects by pattern: {told}. Add those that are meant to PROJECTS.\n" if told else ""
