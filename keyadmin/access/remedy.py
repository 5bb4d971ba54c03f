"""What to grant for what is missing: predefined roles, or a custom role of exactly that; commands and a message for both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from keyadmin.access.permissions import Feature
from keyadmin.access.power import Place
from keyadmin.access.roles import Cover, smallest_role
from keyadmin.model.command_line import gcloud, typed

YOU: Final = "user:YOUR_ADDRESS"
_NODES: Final[dict[Place, str]] = {
    "project": "projects",
    "folder": "resource-manager folders",
    "organization": "organizations",
}


@dataclass(frozen=True)
class CustomRole:
    """A role of a project with exactly the permissions that are missing."""

    role_id: str
    title: str
    description: str
    permissions: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As the contract has it."""
        return {"title": self.title, "includedPermissions": list(self.permissions)}

    def to_yaml(self) -> str:
        """The file that `gcloud iam roles create --file` takes."""
        lines = [f"title: {self.title}", f"description: {self.description}", "stage: GA"]
        if not self.permissions:
            return "\n".join([*lines, "includedPermissions: []", ""])
        return "\n".join([*lines, "includedPermissions:", *(f"- {name}" for name in self.permissions), ""])


@dataclass(frozen=True)
class Remedy:
    """The way out. Everything is empty where nothing is missing."""

    cover: Cover
    custom_role: CustomRole
    predefined: tuple[str, ...] = ()
    """The commands that grant the predefined roles; none where these do not hold all that is missing."""
    custom: tuple[str, ...] = ()
    """The commands that make the custom role and grant it: instead of the others."""
    message: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def roles(self) -> tuple[str, ...]:
        """The predefined roles to grant."""
        return self.cover.roles

    @property
    def commands(self) -> tuple[str, ...]:
        """Both ways, one after the other."""
        return (*self.predefined, *self.custom)

    def to_json(self) -> dict[str, Any]:
        """The contract's object; what is remarkable (a last resort, permissions without a role) only where there is some."""
        out: dict[str, Any] = {
            "roles": list(self.roles),
            "customRole": self.custom_role.to_json(),
            "commands": list(self.commands),
            "message": self.message,
        }
        if self.cover.basic:
            out["lastResort"] = list(self.cover.basic)
        if self.cover.uncovered:
            out["uncovered"] = list(self.cover.uncovered)
        return out


def member_of(principal: str | None) -> str:
    """The IAM member of an e-mail address; a placeholder where it is not known."""
    if principal is None:
        return YOU
    kind = "serviceAccount" if principal.endswith("gserviceaccount.com") else "user"
    return f"{kind}:{principal}"


def custom_role(feature: Feature, missing: Sequence[str]) -> CustomRole:
    """The custom role for a feature. Its id is made of the feature's name: `keyadminCreateAuthKey`."""
    words = "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", feature.name))
    return CustomRole(
        role_id=f"keyadmin{words}",
        title=f"keyadmin {feature.name}",
        description=f"What is needed to {feature.words} and nothing else",
        permissions=tuple(sorted(missing)),
    )


def remedy(feature: Feature, project: str, member: str, missing: Sequence[str], *, no_access: bool = False) -> Remedy:
    """The smallest grant of `missing` to `member` in `project`. `no_access` = nothing at all is granted there."""
    role = custom_role(feature, missing)
    found = smallest_role(missing)
    if not missing:
        return Remedy(found, role)
    places = {name: found.place(name) for name in found.roles}
    predefined = (
        tuple(grant_command(project, member, name, places[name]) for name in found.roles) if not found.uncovered else ()
    )
    custom = () if feature.at_organization else _custom_commands(role, project, member)
    notes = _notes(found)
    return Remedy(
        cover=found,
        custom_role=role,
        predefined=predefined,
        custom=custom,
        message=_message(feature, project, member, role, found, predefined, custom, no_access=no_access),
        notes=notes,
    )


def grant_command(project: str, member: str, role: str, place: Place = "project") -> str:
    """The gcloud command that grants one role, on the project or at the lowest place above it that takes the role.

    `--condition=None` keeps it from asking where the policy has conditions.
    """
    where = {"project": project, "folder": "FOLDER", "organization": "ORGANIZATION"}[place]
    return grant_at(place, where, member, role)


def grant_at(place: Place, name: str, member: str, role: str) -> str:
    """The same where the project, folder or organisation is named."""
    return gcloud(f"{_NODES[place]} add-iam-policy-binding", name, member=member, role=role, condition="None")


def _custom_commands(role: CustomRole, project: str, member: str) -> tuple[str, ...]:
    permissions = ",".join(role.permissions)
    return (
        gcloud("iam roles create", role.role_id, project=project, title=role.title, permissions=permissions),
        grant_command(project, member, f"projects/{project}/roles/{role.role_id}"),
    )


def _notes(found: Cover) -> tuple[str, ...]:
    notes = []
    if found.basic:
        held = f"{', '.join(found.basic)} is a basic role with thousands of permissions"
        notes.append(f"{held}: a last resort, rather take the custom role")
    if found.uncovered:
        notes.append(f"no predefined role considered here holds {', '.join(found.uncovered)}: take the custom role")
    return tuple(notes)


def _message(
    feature: Feature,
    project: str,
    member: str,
    role: CustomRole,
    found: Cover,
    predefined: tuple[str, ...],
    custom: tuple[str, ...],
    *,
    no_access: bool,
) -> str:
    """Ready to be sent to an admin: who, which project, what, why, how to grant, how to check."""
    lines = [
        f"Please grant {member} access in the Google Cloud project {project}.",
        "",
        f"What for: to {feature.words}.",
        f"What is missing ({len(role.permissions)}): {', '.join(role.permissions)}.",
        "Why not Editor: it holds about 12,000 permissions; the grants below hold what is needed and little or nothing else.",
        "",
        "How to grant it, one of these two:",
    ]
    if predefined:
        lines += ["", f"1. Predefined roles ({found.size} permissions in all):", *(f"   {command}" for command in predefined)]
    else:
        lines += ["", f"1. Predefined roles: none of those considered holds {', '.join(found.uncovered)}."]
    if custom:
        lines += ["", "2. A custom role of exactly these permissions:", *(f"   {command}" for command in custom)]
    lines += [f"   Note: {note}." for note in _notes(found)]
    lines += [
        "",
        "Grants take effect within minutes. How to check, as the person above:",
        f"   {typed('doctor', project, for_=feature.name)}",
    ]
    if no_access:
        lines += ["", *outside(project)]
    return "\n".join(lines)


def outside(project: str) -> tuple[str, ...]:
    """What is left where no access is to be had (the reference page): a project outside the organisation."""
    return (
        f"If no access to {project} is possible: a project outside the organisation serves for the Gemini API too.",
        "   Sign in with an account that belongs to no organisation: gcloud auth application-default login",
        f"   {typed('projects create', with_key='my-first-key')}",
    )
