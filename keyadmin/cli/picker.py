"""Choosing from a list at the terminal, narrowed as one types. The list itself is questionary's; it is loaded only here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from keyadmin.cli.session import Session
from keyadmin.cli.text import clean
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project


async def pick_project(session: Session, cloud: Cloud, question: str = "Which project?") -> str:
    """The id of the project that the person at the terminal chooses; imported ones come first. Raises Problem."""
    return str((await _asked(session, cloud, question, several=False))[0])


async def pick_projects(session: Session, cloud: Cloud, question: str = "Which projects?") -> list[str]:
    """The same for any number of projects, chosen with the space bar."""
    return await _asked(session, cloud, question, several=True)


async def _asked(session: Session, cloud: Cloud, question: str, *, several: bool) -> list[str]:
    import questionary
    from prompt_toolkit.output import create_output

    projects = await _projects(session, cloud)
    session.observer.finished()
    width = max(len(each.project_id) for each in projects)
    choices = [questionary.Choice(_title(each, width), value=each.project_id) for each in projects]
    # Data goes to stdout, which may be a file: the question is put on stderr, as every other one.
    shown: dict[str, Any] = {"output": create_output(stdout=sys.stderr)}
    keys: dict[str, Any] = {"use_search_filter": True, "use_jk_keys": False}
    how = "type to narrow, space to choose, enter when done" if several else "arrow keys, type to narrow, enter to choose"
    asked = (questionary.checkbox if several else questionary.select)(
        question, choices=choices, instruction=f"({how})", **keys, **shown
    )
    answer = await asked.unsafe_ask_async()
    return answer if several else [answer]


async def _projects(session: Session, cloud: Cloud) -> Sequence[Project]:
    from keyadmin.local.imports import Imports

    session.observer.step("Looking for projects")
    found = [each async for each in cloud.projects.search("state:ACTIVE")]
    if not found:
        raise Problem(
            Cause.NOT_FOUND,
            "you see no project to choose from",
            fix=(f"make one with a key: {typed('projects default')}", f"or: {typed('projects create')}"),
        )
    imported = set(Imports((await cloud.identify()).principal, sandbox=cloud.sandbox).ids())
    return sorted(found, key=lambda each: (each.project_id not in imported, each.project_id))


def _title(project: Project, width: int) -> str:
    return f"{project.project_id.ljust(width)}  {clean(redact(project.display_name))}".rstrip()
