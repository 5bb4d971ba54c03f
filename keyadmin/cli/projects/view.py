"""How a project is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyadmin.cli.render import Column, View
from keyadmin.cli.session import Session
from keyadmin.projects.codec import project_to_json

if TYPE_CHECKING:
    from keyadmin.cloud.projects import Project


def view(session: Session) -> View[Project]:
    """Columns and JSON of projects in this run."""
    return View(
        (
            Column("ID", lambda project: project.project_id),
            Column("Name", lambda project: project.display_name, cut=True),
            Column("Number", lambda project: project.number),
            Column("State", lambda project: project.state, style=_state_style),
            Column("Parent", lambda project: project.parent or None),
        ),
        lambda project: project_to_json(project, sandbox=session.sandbox is not None),
        "No projects.",
    )


def _state_style(project: Project) -> str | None:
    return None if project.state == "ACTIVE" else "yellow"
