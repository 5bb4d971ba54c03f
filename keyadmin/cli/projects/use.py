"""`keyadmin projects use`: the project that is meant when none is named."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.config import say_outranked
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.settings import Found, project_id


def use(context: typer.Context, project: Annotated[str, typer.Argument(metavar="ID", help="The project.")]) -> None:
    """Make a project the default for commands that name none. It is looked up first, so a mistyped id is noticed now."""
    session = current(context)
    wanted = project_id(Found(project, "ID")).value
    found = run(context, lambda cloud: cloud.projects.get(wanted))
    session.settings.config.set("project", found.project_id)
    session.talk.note(f"{found.project_id} is now the default project.")
    say_outranked(session, "project")
