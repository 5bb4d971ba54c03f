"""`keyadmin keys hand-over`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.keys.dry import dry_run as dry
from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import Column, View, show_list, write
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.handover.sink import build, parse
from keyadmin.keys import resolve
from keyadmin.keys.hand_over import HandedOver, failure
from keyadmin.keys.hand_over import hand_over as to_sinks

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.keys.model import Key

Sinks = Annotated[
    list[str],
    typer.Option("--to", metavar="SINK", help="env-file:PATH[:VAR], secret-manager:projects/P/secrets/S, exec:CMD, stdout."),
]


def hand_over(context: typer.Context, key: KeyName, to: Sinks, dry_run: DryRun = False) -> None:
    """Hand a key that exists to sinks, without showing it. A sink that has it already is left as it is."""
    session = current(context)
    specs = [parse(text) for text in to]
    flagged = session.sandbox is not None and session.sandbox.by_flag

    async def work(cloud: Cloud) -> tuple[Key, list[HandedOver]]:
        sinks = build(specs, cloud, flagged=flagged, emit=write)
        found = await resolve.find(cloud, key, partial(session.project, cloud))
        return found, [] if dry_run else await to_sinks(await cloud.keys.key_string(found.name), sinks)

    found, handed = run(context, work)
    if dry_run:
        dry(session, found.project, [f"hand the key {found.key_id} to {spec.text}" for spec in specs])
        return
    show_handed(session, handed)
    if problem := failure(found, handed):
        raise problem


def show_handed(session: Session, handed: list[HandedOver]) -> None:
    """What became of each sink; where the key itself went to stdout, the rest is talk."""
    if session.format == "table":
        for one in handed:
            data = one.to_json()
            session.talk.note(f"{data['sink']}: {data['detail']}")
        return
    view = View[HandedOver](
        (
            Column("sink", lambda one: one.sink),
            Column("status", lambda one: one.to_json()["status"]),
            Column("detail", lambda one: one.to_json()["detail"]),
        ),
        HandedOver.to_json,
    )
    show_list(session, handed, view)
