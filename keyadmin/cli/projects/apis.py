"""`keyadmin projects enable` and `disable`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, confirm_exposure, would
from keyadmin.cli.keys.options import AllowExposure
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.projects.named import given
from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import project_or_service
from keyadmin.keys import exposure
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import usage
from keyadmin.projects import apis
from keyadmin.projects.apis import ApiPlan

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID|API", autocompletion=project_or_service, help="The project, then APIs such as translate.googleapis.com."
    ),
]


def enable(context: typer.Context, words: Words = None, allow_exposure: AllowExposure = False, dry_run: DryRun = False) -> None:
    """Switch on the named APIs, or by default the two that Gemini keys need: Generative Language API and API Keys API.

    If keys without API restrictions could then call Gemini, it asks first; without a terminal it needs --allow-exposure.
    """
    session = current(context)
    named, wanted = _parted(session, words or [])
    planned = run(context, lambda cloud: _plan(session, cloud, named, wanted or apis.USUAL, on=True))
    if planned.exposed:
        session.console.warning(exposure.warning(planned.project, planned.exposed))
    elif planned.exposure_unknown:
        session.console.warning(planned.exposure_unknown)
    if dry_run:
        if unknown := run(context, lambda cloud: apis.rehearse(cloud, planned, on=True)):
            session.console.warning(unknown)
        would(session, _words("enable", planned))
        return
    if planned.exposed and not allow_exposure:
        confirm_exposure(session, exposure.refusal(planned.project, planned.exposed))
    run(context, lambda cloud: apis.enable(cloud, planned, session.observer))
    _show(session, planned, "ENABLED")


def disable(
    context: typer.Context,
    words: Words = None,
    dependents: Annotated[
        bool, typer.Option("--with-dependents", help="Also switch off the APIs that depend on them.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Switch APIs off. Whatever calls them in the project stops working."""
    session = current(context)
    named, wanted = _parted(session, words or [])
    if not wanted:
        raise usage("no API was named", f"such as: {typed('projects disable', named or 'ID', 'SERVICE')}")
    planned = run(context, lambda cloud: _plan(session, cloud, named, wanted, on=False))
    if dry_run:
        if unknown := run(context, lambda cloud: apis.rehearse(cloud, planned, on=False)):
            session.console.warning(unknown)
        would(session, _words("disable", planned))
        return
    if planned.todo:
        keys = " No key of it will work for Gemini." if GEMINI in planned.todo else ""
        confirm(session, f"Disable {', '.join(planned.todo)} in project {planned.project}?{keys}", yes=yes)
    run(context, lambda cloud: apis.disable(cloud, planned, session.observer, dependents=dependents))
    _show(session, planned, "DISABLED")


def _parted(session: Session, words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The project and the APIs. With `--project` every word is an API; else the first word is the project if it has no dot
    in it, or reads like a domain's project (`example.com:name`)."""
    first = words[0] if words else None
    is_project = first is not None and not session.project_given and ("." not in first or ":" in first)
    named = given(session, first if is_project else None)
    return named, [apis.service_named(word) for word in (words[1:] if is_project else words)]


async def _plan(session: Session, cloud: Cloud, named: str | None, wanted: Sequence[str], *, on: bool) -> ApiPlan:
    session.observer.step("Looking at the project")
    return await apis.plan(cloud, named or await session.project(cloud), wanted, on=on)


def _words(verb: str, planned: ApiPlan) -> str:
    return (
        f"{verb} {', '.join(planned.todo)} in project {planned.project}"
        if planned.todo
        else f"{verb} nothing: all is so already"
    )


def _show(session: Session, planned: ApiPlan, state: str) -> None:
    view = View[str](
        (
            Column("API", lambda each: each),
            Column("State", lambda each: state),
            Column("Changed", lambda each: each in planned.todo),
        ),
        lambda each: (
            {"project": planned.project, "service": each, "state": state, "changed": each in planned.todo} | session.mark
        ),
    )
    show_list(session, planned.services, view)
    if planned.todo:
        session.console.note("It may take a few minutes until every server knows.")
