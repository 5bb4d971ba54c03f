"""What the commands that change one key have in common: find it, plan or do it, print what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.keys.dry_run import dry_run as dry
from keyadmin.cli.keys.view import show_changed
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.keys import resolve
from keyadmin.keys.change import Started
from keyadmin.model.key import Key

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def change_key(
    context: typer.Context,
    key: str,
    change: Callable[[Cloud, Key], Awaitable[Key | Started]],
    plan: Callable[[Key], str],
    *,
    dry_run: bool,
    unseen: bool = True,
) -> Key | Started | None:
    """Change the key that `key` names and print it; with `dry_run` say the `plan` and give back None.

    With `unseen` the permission to change it suffices where the key is named by its id: it need not be read first.
    """
    session = current(context)

    async def work(cloud: Cloud) -> tuple[Key, Key | Started | None]:
        found = await resolve.find(cloud, key, partial(session.project, cloud), unseen=unseen and not dry_run)
        return found, None if dry_run else await change(cloud, found)

    found, outcome = run(context, work)
    if outcome is None:
        dry(session, found.project, [plan(found)])
        return None
    show_changed(session, outcome)
    return outcome
