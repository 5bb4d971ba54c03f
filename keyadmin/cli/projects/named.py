"""Which project a `projects` command is about, and whose import list it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.session import Session
from keyadmin.cli.settings import ResolvedSetting, project_id
from keyadmin.cli.suggest import project_ids
from keyadmin.local.imports import Imports
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

# A parameter of this type is not to be named `project`: that is the global option's, and the two would share one value.
ProjectId = Annotated[
    str | None, typer.Argument(metavar="ID", autocompletion=project_ids, help="The project: its id or number.")
]


def given(session: Session, word: str | None) -> str | None:
    """The project on the command line: the argument, else `--project`. Raises usage() for two different ones, and for none
    where nobody is there to be asked."""
    option = session.settings.project.value if session.project_given and session.settings.project else None
    named = project_id(ResolvedSetting(word, "ID")).value if word is not None else None
    if named is not None and option is not None and named != option:
        raise usage(f"two projects are named: {named} and --project {option}")
    return named or option


async def chosen(session: Session, cloud: Cloud, named: str | None, command: str) -> str:
    """`named`, else the choice of the person at the terminal. Raises usage() where there is neither."""
    if named is not None:
        return named
    if not session.interactive:
        raise usage("no project was given", f"name it: {typed(f'projects {command}', 'ID')}")
    from keyadmin.cli.picker import pick_project

    return await pick_project(session, cloud)


async def import_list(cloud: Cloud) -> Imports:
    """The caller's list of imported projects. Raises Problem."""
    return Imports((await cloud.identify()).principal, sandbox=cloud.sandbox)
