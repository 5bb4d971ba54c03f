"""The account of a schedule: its role of exactly the permissions it needs, and the script that makes and binds both."""

from __future__ import annotations

import re
from collections.abc import Iterable

from keyadmin.model.problem import usage
from keyadmin.unattended.schedule.plan import SchedulePlan
from keyadmin.unattended.schedule.template import ScheduleFile, fill


def role_file(job: str) -> str:
    """The file with the role of the account."""
    return f"keyadmin-{job}-role.yaml"


def secrets_role_file(job: str) -> str:
    """The file with its role in projects that hold secrets alone."""
    return f"keyadmin-{job}-secrets-role.yaml"


def identity(plan: SchedulePlan) -> list[ScheduleFile]:
    """The roles, and the script that makes the account and binds it. Raises usage() for several organisations."""
    needs = plan.needs
    if len(needs.organizations) > 1:
        raise usage(
            f"{len(needs.organizations)} organisations are named; an account and its role serve one",
            "make a schedule for each",
        )
    out = [_role(role_file(plan.job), f"keyadmin {plan.job}", plan.words.description, needs.permissions)]
    if needs.secret_projects:
        title, what = f"keyadmin {plan.job}: secrets", "Hands rotated API keys to secrets; nothing else."
        out.append(_role(secrets_role_file(plan.job), title, what, needs.secret_permissions))
    values = plan.values() | {
        "PROJECTS": " ".join(needs.projects),
        "SECRET_PROJECTS": " ".join(needs.secret_projects),
        "AND_SECRET_PROJECTS": " $SECRET_PROJECTS" if needs.hands_over else "",
        "FOLDERS": " ".join(needs.folders),
        "ORGANIZATION": " ".join(needs.organizations),
        "WHOLE_ORGANIZATION": "yes" if needs.organizations else "",
        "PATTERNS": _patterns(needs.patterns),
        "ROLE": plan.role_id,
        "ROLE_FILE": role_file(plan.job),
        "SECRETS_ROLE": f"{plan.role_id}Secrets",
        "SECRETS_FILE": secrets_role_file(plan.job) if needs.hands_over else "",
        "ROLE_FILES": " ".join(file.path for file in out),
        "APIS": " ".join(needs.apis),
    }
    return [*out, fill("identity/setup.sh", values)]


def _role(path: str, title: str, description: str, names: Iterable[str]) -> ScheduleFile:
    lines = [f'title: "{title}"', f'description: "{description}"', "stage: GA", "includedPermissions:"]
    return ScheduleFile(path, "\n".join([*lines, *(f"- {name}" for name in names), ""]))


def _patterns(patterns: Iterable[str]) -> str:
    """A comment: which projects these are is not known here."""
    told = ", ".join(pattern for pattern in patterns if re.fullmatch(r"[\w.:*?\[\]-]+", pattern))
    return f"# The policy also selects projects by pattern: {told}. Add those that are meant to PROJECTS.\n" if told else ""
