"""`keyadmin keys lookup`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.keys.named import of_this_world
from keyadmin.cli.options import KeyFromEnv
from keyadmin.cli.render import Column, View, show_one
from keyadmin.cli.runner import run
from keyadmin.cli.secret_input import asked_or_read
from keyadmin.cli.session import current
from keyadmin.keys import lookup as finding
from keyadmin.keys.lookup import StringOwner


def lookup(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="-", help="- reads the key string from stdin.")] = None,
    key_from_env: KeyFromEnv = None,
) -> None:
    """Find out which project a key string belongs to, and which key unless it was purged. Needs apikeys.keys.lookup."""
    session = current(context)
    key_string = of_this_world(session, asked_or_read(session, key, key_from_env))
    found = run(context, lambda cloud: finding.lookup(cloud, key_string))
    show_one(session, found, View(_COLUMNS, lambda owner: owner.to_json(sandbox=session.sandbox is not None)))


_COLUMNS = (
    Column[StringOwner]("Key string", lambda owner: owner.key_string.masked),
    Column[StringOwner]("Project", lambda owner: owner.project),
    Column[StringOwner]("Full name", lambda owner: owner.name or "purged"),
    Column[StringOwner]("Name", lambda owner: owner.key.display_name if owner.key else "not to be read"),
    Column[StringOwner]("State", lambda owner: owner.state),
)
