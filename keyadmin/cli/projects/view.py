"""How a project is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from keyadmin.cli.render import Column, View
from keyadmin.cli.session import Session
from keyadmin.projects.codec import project_to_json

if TYPE_CHECKING:
    from keyadmin.cloud.projects import Project
    from keyadmin.projects.facts import ProjectFacts

_SWITCH: Final = {"ENABLED": "on", "DISABLED": "off"}


def view(session: Session, facts: Mapping[str, ProjectFacts] | None = None) -> View[Project]:
    """Columns and JSON of projects in this run; `facts` by project id add what they tell."""
    known = facts or {}
    columns: list[Column[Project]] = [
        Column("ID", lambda project: project.project_id),
        Column("Name", lambda project: project.display_name, fold=True),
        Column("Number", lambda project: project.number),
        Column("State", lambda project: project.state, style=_state_style),
        Column("Parent", lambda project: project.parent or None),
    ]
    if any(each.gemini is not None for each in known.values()):
        columns.append(Column("Gemini API", lambda project: _gemini(known[project.project_id])))
    if any(each.keys is not None for each in known.values()):
        columns.append(Column("Keys", lambda project: known[project.project_id].keys))
    return View(columns, lambda project: as_json(session, project) | _facts_json(known.get(project.project_id)), "No projects.")


def as_json(session: Session, project: Project) -> dict[str, Any]:
    """The project's JSON object."""
    return project_to_json(project, sandbox=session.sandbox is not None)


def _gemini(facts: ProjectFacts) -> str:
    return _SWITCH.get(str(facts.gemini), "unknown")


def _facts_json(facts: ProjectFacts | None) -> dict[str, Any]:
    given = {"geminiApi": facts.gemini, "keyCount": facts.keys} if facts else {}
    return {name: value for name, value in given.items() if value is not None}


def _state_style(project: Project) -> str | None:
    return None if project.state == "ACTIVE" else "yellow"
