"""`keyadmin projects use`: the project that is meant when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from keyadmin.cli.config import say_outranked
from keyadmin.cli.confirm import would
from keyadmin.cli.options import DryRun
from keyadmin.cli.projects.named import ProjectId, chosen, given
from keyadmin.cli.projects.view import as_json
from keyadmin.cli.render import show_to_programs
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.projects.find import find

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project


def use(context: typer.Context, which: ProjectId = None, dry_run: DryRun = False) -> None:
    """Make a project the default for commands that name none. It is looked up first, so a mistyped id is noticed now."""
    session = current(context)
    named = given(session, which)

    async def work(cloud: Cloud) -> Project:
        return await find(cloud, await chosen(session, cloud, named, "use"))

    found = run(context, work)
    if dry_run:
        would(session, f"make {found.project_id} the default project")
        return
    session.settings.config.set("project", found.project_id)
    show_to_programs(session, as_json(session, found))
    session.console.note(f"{found.project_id} is now the default project.")
    if found.state != "ACTIVE":
        session.console.warning(f"project {found.project_id} is not active ({found.state})")
    if not session.project_given:
        say_outranked(session, "project")
