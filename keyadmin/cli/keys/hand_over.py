"""`keyadmin keys hand-over`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.keys.dry_run import dry_run as dry
from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.sink_options import Printer, flagged, handed_view, say_handed
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.options import SINKS_HELP, sink_kinds
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.handover.registry import build, parse
from keyadmin.keys import hand_over as handing
from keyadmin.keys import resolve
from keyadmin.keys.hand_over import HandedOver

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.model.key import Key

Sinks = Annotated[
    list[str],
    typer.Option("--to", metavar="SINK", autocompletion=sink_kinds, help=SINKS_HELP),
]


def hand_over(context: typer.Context, key: KeyName, to: Sinks, dry_run: DryRun = False) -> None:
    """Hand an existing key to sinks (a .env file, a secret, a program) without showing it. Sinks that already hold it stay as
    they are."""
    session = current(context)
    specs = [parse(text) for text in to]
    printer = Printer(session)

    async def work(cloud: Cloud) -> tuple[Key, list[HandedOver]]:
        sinks = build(specs, cloud, flagged=flagged(session), emit=printer)
        found = await resolve.find(cloud, key, partial(session.project, cloud), unseen=True, newest=session.observer)
        if dry_run:
            await handing.preflight_all(sinks)
            if unknown := await handing.to_read(found).rehearse(cloud):
                session.observer.warning(unknown)
            return found, []
        string = await handing.to_read(found).met(cloud.keys.key_string(found.name))
        return found, await handing.hand_over(string, sinks, found.key_id)

    found, handed = run(context, work)
    if dry_run:
        dry(session, found.project, [f"hand the key {found.key_id} to {spec.text}" for spec in specs])
        return
    if session.format == "table" or (not printer.structured and any(spec.sink.prints for spec in specs)):
        say_handed(session, handed)  # stdout is for the key, or for nothing
    else:
        show_list(session, handed, handed_view(printer, session.mark))
    if problem := handing.failure(found, handed):
        raise problem
