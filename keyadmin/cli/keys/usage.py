"""`keyadmin keys usage`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.suggest import key_names
from keyadmin.keys import resolve
from keyadmin.keys.usage import Used, of_keys
from keyadmin.model.problem import Exit

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def usage(
    context: typer.Context,
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY",
            autocompletion=key_names,
            help="One key; by default all keys of the project.",
        ),
    ] = None,
) -> int:
    """Say when keys were last used, by which services and how often, over the last six weeks.

    The numbers come from Cloud Monitoring, in full hours of UTC; a call appears there after up to 30 minutes. Calls with
    which keyadmin checked a key do not count as use and have a column of their own; calls that turned the key down (401, 403)
    are counted, and shown beside as refused. If monitoring cannot be read
    (monitoring.timeSeries.list), the use is unknown and the exit code is 1.
    """
    session = current(context)

    async def work(cloud: Cloud) -> list[Used]:
        if key is not None:
            found = await resolve.find(cloud, key, partial(session.project, cloud), state="any", newest=session.observer)
            return await of_keys(cloud, found.project, [found], methods=True)
        project = await resolve.project_id(cloud, await session.project(cloud))
        return await of_keys(cloud, project, [one async for one in cloud.keys.list(project)], methods=True)

    used = run(context, work)
    view = View[Used](
        (
            Column("Name", lambda one: one.key.display_name, fold=True),
            Column("ID", lambda one: one.key.key_id),
            Column("Last used", lambda one: one.short),
            Column("Calls", lambda one: sum(one.calls.values()) if one.unknown is None else "unknown"),
            Column("Refused", lambda one: one.refused if one.unknown is None else "unknown"),
            Column("Checks", lambda one: one.checks if one.unknown is None else "unknown"),
            Column("Services", lambda one: sorted(one.calls) if one.unknown is None else "unknown", fold=True),
        ),
        lambda one: one.to_json() | session.mark,
        "No keys.",
    )
    show_list(session, used, view)
    unknown = next((one.unknown for one in used if one.unknown is not None), None)
    if unknown is not None:
        raise unknown
    return Exit.OK
