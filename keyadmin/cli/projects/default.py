"""`keyadmin projects default`: what AI Studio does for a new user, but asking first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli.config import say_outranked
from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.projects.creation import Order, carry_out, creations_of, show, with_consent
from keyadmin.cli.projects.view import view
from keyadmin.cli.render import show_one
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.keys import validate
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.projects import names
from keyadmin.projects.create import APIS, Wanted

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

# unsourced: what AI Studio names the default project and its key; both can be renamed.
PROJECT_NAME: Final = "Default Gemini Project"
KEY_NAME: Final = "Default Gemini API Key"


@dataclass(frozen=True)
class DefaultProjectState:
    """What stands there already: an unfinished run of this command, keyadmin's default project, how many projects."""

    unfinished: bool
    mine: Project | None
    seen: int


def default(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The project's display name.")] = PROJECT_NAME,
    key_name: Annotated[str, typer.Option("--key-name", metavar="NAME", help="The key's display name.")] = KEY_NAME,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Create your first project with a key in it, as AI Studio does for a new user, and use it from then on.

    This is for people who have no project yet: if you have one, nothing is created. To choose among the projects you
    have, run projects use.
    """
    session = current(context)
    order = Order([Wanted(display_name=names.display_name(name))], validate.display_name(key_name))

    async def look(cloud: Cloud) -> DefaultProjectState:
        return await _look(session, cloud, order)

    ground = run(context, look)
    if not ground.unfinished and ground.seen:
        return _has_projects(session, ground)
    steps = f"make a project named {name!r} ({names.STYLE}NNNNNNNNNN), switch on {' and '.join(APIS)} in it, " + (
        f"make an auth key named {key_name!r}, and make the project keyadmin's default"
    )
    if dry_run:
        would(session, steps)
        return Exit.OK
    begun = "What was begun is continued. " if ground.unfinished else "You have no project yet. "
    session.console.note(f"{begun}This will {steps}.", always=True)
    confirm(session, "Go on?", yes=yes)
    outcomes = with_consent(context, session, order, run(context, lambda cloud: carry_out(session, cloud, order)))
    made = outcomes[0].project
    if made is not None:
        session.settings.config.set("project", made.project_id)
        session.console.note(f"{made.project_id} is now the default project.")
        say_outranked(session, "project")
    return show(session, outcomes, one=True)


async def _look(session: Session, cloud: Cloud, order: Order) -> DefaultProjectState:
    session.observer.step("Looking for projects")
    unfinished = (await creations_of(cloud)).unfinished(order.request) is not None
    stored = session.settings.config.get("project")
    seen = {each.project_id: each async for each in cloud.projects.search("state:ACTIVE")}
    mine = seen.get(stored) if stored else None
    if stored and mine is None:  # a search may not know yet what was made a moment ago
        mine = await _active(cloud, stored)
    return DefaultProjectState(unfinished, mine, len(seen) or int(mine is not None))


async def _active(cloud: Cloud, project: str) -> Project | None:
    try:
        found = await cloud.projects.get(project)
    except Problem:
        return None
    return found if found.state == "ACTIVE" else None


def _has_projects(session: Session, ground: DefaultProjectState) -> int:
    if ground.mine is not None:
        show_one(session, ground.mine, view(session))
        session.console.note(f"{ground.mine.project_id} is the default project already; nothing was made.", always=True)
        return Exit.OK
    several = "a project" if ground.seen == 1 else f"{ground.seen} projects"
    raise Problem(
        Cause.ALREADY_EXISTS,
        f"you have {several} already: a default project is made only for somebody who has none",
        fix=(
            f"make one of them the default: {typed('projects use', 'ID')} ({typed('projects list')} shows them)",
            f"or make another one with a key: {typed('projects create', with_key='NAME')}",
        ),
    )
