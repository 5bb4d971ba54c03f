"""`keyadmin keys describe`."""

from __future__ import annotations

from functools import partial

import typer

from keyadmin.cli.keys.options import KeyNames
from keyadmin.cli.keys.view import ShownKey, show_key, show_keys
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.keys.several import find_all


def describe(context: typer.Context, keys: KeyNames) -> None:
    """Show everything about keys except their key strings. Deleted keys are shown for 30 days."""
    session = current(context)
    found = run(
        context,
        lambda cloud: find_all(
            cloud, keys, partial(session.project, cloud), state="any", unseen=False, newest=session.observer
        ),
    )
    if len(keys) == 1:
        show_key(session, ShownKey(found[0]))
    else:
        show_keys(session, found)
