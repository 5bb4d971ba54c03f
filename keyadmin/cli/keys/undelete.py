"""`keyadmin keys undelete`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.keys.dry_run import dry_run as dry
from keyadmin.cli.keys.named import of_this_world, string_or_name
from keyadmin.cli.keys.options import Async, KeyOrString
from keyadmin.cli.keys.view import show_changed
from keyadmin.cli.options import DryRun, KeyFromEnv
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.keys import change
from keyadmin.keys.change import Started
from keyadmin.model.key import Key
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def undelete(
    context: typer.Context,
    key: KeyOrString = None,
    key_from_env: KeyFromEnv = None,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Bring back a key that was deleted less than 30 days ago, by its name or by its key string (apikeys.keys.lookup)."""
    session = current(context)
    given = string_or_name(session, key, key_from_env)
    if isinstance(given, KeyString):
        of_this_world(session, given)

    async def work(cloud: Cloud) -> tuple[Key, Key | Started | None]:
        name = await change.by_string(cloud, given) if isinstance(given, KeyString) else given
        found = await change.find_deleted(cloud, name, partial(session.project, cloud))
        if dry_run:
            if unknown := await change.to_undelete(found).rehearse(cloud):
                session.observer.warning(unknown)
            return found, None
        return found, await change.undelete(cloud, found, wait=not async_)

    found, outcome = run(context, work)
    if outcome is None:
        dry(session, found.project, [f"bring back the key {found.key_id}"])
    else:
        show_changed(session, outcome)
