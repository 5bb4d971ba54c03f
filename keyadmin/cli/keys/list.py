"""`keyadmin keys list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli import remember
from keyadmin.cli.keys import watch as watching
from keyadmin.cli.keys.view import list_view
from keyadmin.cli.render import show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.suggest import filters
from keyadmin.keys import listing
from keyadmin.keys.ai_studio import Shown
from keyadmin.keys.listing import Listed, ListOptions
from keyadmin.keys.usage import Used, of_many, reasons
from keyadmin.model import duration
from keyadmin.model.problem import Exit, Problem
from keyadmin.model.problem import usage as wrong

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Filter = Annotated[
    str | None,
    typer.Option(
        "--filter",
        metavar="EXPRESSION",
        autocompletion=filters,
        help="List only matching keys, such as 'keyType=standard age>90d'.",
    ),
]


def list_(
    context: typer.Context,
    all_projects: Annotated[
        bool, typer.Option("--all-projects", help="List the keys of every active project you can see.")
    ] = False,
    all_: Annotated[bool, typer.Option("--all", help="All keys, not only the 100 that AI Studio would show.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Include keys deleted in the last 30 days.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", help="At most N keys.")] = None,
    filter_: Filter = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="FIELD,..", help="Sort by these fields; ~FIELD = descending.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep running and show changes until Ctrl-C.")] = False,
    interval: Annotated[str, typer.Option("--interval", metavar="DURATION", help="How often --watch checks.")] = "5s",
    usage: Annotated[bool, typer.Option("--usage", help="Show when each key was last used, from Cloud Monitoring.")] = False,
) -> None:
    """List the keys of a project, or of all projects.

    Without --all it shows what AI Studio's page shows: at most 100 keys in all, those with no API restriction or
    restricted to the Generative Language API alone.

    A filter is made of FIELD=VALUE, != for not equal, : for contains, < <= > >= for numbers, times and ages, ~ for a
    regular expression, joined with AND, OR, NOT and parentheses. Fields are those of the JSON output, and keyId, age,
    apiTarget, client (ips, referrers, android, ios, none), deleted, annotations.NAME.
    """
    session = current(context)
    if all_projects and "project" in session.raw:
        raise wrong("--all-projects and --project do not go together", "leave one of them out")
    if usage and watch:
        raise wrong("--usage and --watch do not go together: Cloud Monitoring tells the hour of the last use")
    selection = ListOptions(everything=all_, limit=limit, filter=filter_, sort=sort)
    every = duration.parse(interval).total_seconds()

    async def listed(cloud: Cloud) -> Listed:
        if all_projects:
            return await listing.of_all(cloud, session.observer, deleted=deleted)
        return await listing.of_project(cloud, await session.project(cloud), deleted=deleted)

    view = partial(list_view, session, projects=all_projects, deleted=deleted)
    if watch:
        watching.watch(context, listed, selection, view(), every)

    async def with_use(cloud: Cloud) -> tuple[Listed, Shown, dict[str, Used] | None]:
        found = await listed(cloud)
        remember.keys(session, found.keys)
        shown = selection.of(found.keys, session.now())
        return found, shown, await of_many(cloud, shown.keys, session.observer) if usage else None

    found, shown, used = run(context, with_use)
    show_list(session, shown.keys, view(usage=used))
    for reason in reasons((used or {}).values()):
        session.console.warning(f"The use of some keys is unknown: {reason}")
    for note in shown.notes:
        session.console.note(f"{note}.", always=True)
    if found.failed:
        raise incomplete(found.failed)


def incomplete(failed: Mapping[str, Problem]) -> Problem:
    """The Problem of a listing that lacks some projects; exit code 3."""
    first = next(iter(failed.values()))
    return replace(
        first,
        message=f"the keys of {len(failed)} project{'s' if len(failed) > 1 else ''} could not be listed; the others are above",
        project=next(iter(failed)),
        notes=[f"{project}: {problem.message} [{problem.cause}]" for project, problem in failed.items()],
        exit_code=Exit.FOUND,
    )
