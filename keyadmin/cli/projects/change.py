"""`keyadmin projects rename`, `delete` and `undelete`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli import remember
from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.projects.named import ProjectId, chosen, given
from keyadmin.cli.projects.view import view
from keyadmin.cli.render import show_one
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import project_ids
from keyadmin.model.command_line import typed
from keyadmin.projects import change, names

if TYPE_CHECKING:
    from keyadmin.access.need import PermissionNeed
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project
    from keyadmin.projects.change import Doomed


def rename(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ID", autocompletion=project_ids, help="The project: its id or number.")],
    new_name: Annotated[str, typer.Argument(metavar="NEW_NAME", help="Its new display name, 4 to 30 characters.")],
    dry_run: DryRun = False,
) -> None:
    """Give a project another display name. Its id and number stay the same."""
    session = current(context)
    named = given(session, which)
    assert named is not None
    name = names.display_name(new_name)
    if dry_run:
        _rehearse(context, session, change.to_rename(named))
        would(session, f"rename project {named} to {name!r}")
        return

    async def work(cloud: Cloud) -> Project:
        session.observer.step(f"Renaming {named}")
        return await change.rename(cloud, named, name)

    show_one(session, run(context, work), view(session))


def delete(context: typer.Context, which: ProjectId = None, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Delete a project with everything in it. For 30 days it can be brought back with projects undelete."""
    session = current(context)
    named = given(session, which)

    async def look(cloud: Cloud) -> Doomed:
        return await change.look(cloud, await chosen(session, cloud, named, "delete"))

    doomed = run(context, look)
    if dry_run:
        _rehearse(context, session, change.to_delete(doomed.project_id))
        would(session, f"delete {doomed}")
        return
    confirm(session, f"Delete {doomed}? Everything in it stops working.", yes=yes)

    async def work(cloud: Cloud) -> Project:
        session.observer.step(f"Deleting {doomed.project_id}")
        gone = await change.delete(cloud, doomed.project_id)
        remember.project_gone(session, gone.project_id)
        return gone

    gone = run(context, work)
    show_one(session, gone, view(session))
    session.console.note(f"To bring it back within 30 days: {typed('projects undelete', gone.project_id)}")
    if session.settings.config.get("project") == gone.project_id:
        session.console.warning(
            f"{gone.project_id} is still keyadmin's default project; choose another: {typed('projects use', 'ID')}"
        )


def undelete(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ID", help="The project: its id or number.")],
    dry_run: DryRun = False,
) -> None:
    """Bring back a project that was deleted less than 30 days ago."""
    session = current(context)
    named = given(session, which)
    assert named is not None
    if dry_run:
        if unknown := run(context, lambda cloud: change.look_at_deleted(cloud, named)):
            session.console.warning(unknown)
        would(session, f"bring back project {named}")
        return

    async def work(cloud: Cloud) -> Project:
        session.observer.step(f"Bringing back {named}")
        return await change.undelete(cloud, named)

    show_one(session, run(context, work), view(session))


def _rehearse(context: typer.Context, session: Session, need: PermissionNeed) -> None:
    """What a dry run can see of a permission. Raises Problem where it is missing."""
    if unknown := run(context, lambda cloud: change.rehearse(cloud, need)):
        session.console.warning(unknown)
