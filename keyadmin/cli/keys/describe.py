"""`keyadmin keys describe`."""

from __future__ import annotations

from functools import partial

import typer

from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.view import ShownKey, show_key
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.keys import resolve


def describe(context: typer.Context, key: KeyName) -> None:
    """Show everything about one key but its key string. Deleted keys are shown too, for 30 days."""
    session = current(context)
    found = run(context, lambda cloud: resolve.find(cloud, key, partial(session.project, cloud), state="any"))
    show_key(session, ShownKey(found))
