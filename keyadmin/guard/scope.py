"""Where guards stand: an organisation, a folder or a project, and the organisation that its custom constraints belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyadmin.model.command_line import gcloud, typed
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.projects import parents

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class GuardScope:
    """`node` = `organizations/N`, `folders/N` or `projects/ID`; `above` = what it inherits from, the nearest first.

    `number` = the node as answers name it: projects by number.
    """

    node: str
    organization: str
    above: tuple[str, ...] = ()
    number: str = ""

    @property
    def words(self) -> str:
        """For people."""
        return in_words(self.node)

    @property
    def asset_scope(self) -> str:
        """As Cloud Asset Inventory is asked."""
        return self.node


async def scope_of(cloud: Cloud, node: str) -> GuardScope:
    """The node with its organisation. Raises Problem: it belongs to none (exit code 1), or may not be read."""
    kind, _, name = node.partition("/")
    if kind == "organizations":
        return GuardScope(node, node, number=node)
    if kind == "folders":
        above = tuple(each.name for each in await parents.above(cloud, node))[1:]
        return GuardScope(node, _organization(above, node), above, node)
    found = await cloud.projects.get(name)
    above = await cloud.projects.ancestry(found.project_id)
    return GuardScope(f"projects/{found.project_id}", _organization(above, node), above, f"projects/{found.number}")


def _organization(above: tuple[str, ...], node: str) -> str:
    for name in above:
        if name.startswith("organizations/"):
            return name
    if above and node.startswith("folders/"):
        raise Problem(
            Cause.UNKNOWN,
            f"the organisation of {in_words(node)} is not known: you may not see what lies above {above[-1]}",
            fix=("name the organisation instead: --organization NUMBER",),
            exit_code=Exit.FAILED,
        )
    raise Problem(
        Cause.INVALID_ARGUMENT,
        f"organisation policies need an organisation, and {in_words(node)} belongs to none; nothing was changed",
        project=node.removeprefix("projects/") if node.startswith("projects/") else None,
        fix=(f"keep watch instead, by audits on a schedule: {typed('audit schedule', 'systemd')}",),
        exit_code=Exit.FAILED,
    )


def in_words(node: str) -> str:
    """`project shop`, `folder 12`, `organisation 34`."""
    kind, _, name = node.partition("/")
    return f"{ {'projects': 'project', 'folders': 'folder', 'organizations': 'organisation'}[kind] } {name}"


def describe_command(node: str, constraint: str) -> str:
    """gcloud's command that shows what is set of a constraint on a node."""
    return gcloud("org-policies describe", constraint, **{_option(node): node.partition("/")[2]})


def grant_command(node: str, member: str, role: str) -> str:
    """gcloud's command that grants a role on a node."""
    kind, _, name = node.partition("/")
    path = {"projects": "projects", "folders": "resource-manager folders", "organizations": "organizations"}[kind]
    return gcloud(f"{path} add-iam-policy-binding", name, member=member, role=role, condition="None")


def _option(node: str) -> str:
    return {"projects": "project", "folders": "folder", "organizations": "organization"}[node.partition("/")[0]]
