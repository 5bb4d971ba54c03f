"""`keyadmin keys delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.keys.key_change import Planner, change_keys
from keyadmin.cli.keys.options import Async, Force, KeyNames
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.session import Session, current
from keyadmin.keys import change, validate
from keyadmin.keys.several import use_of
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.keys.change import KeyChange


def delete(
    context: typer.Context,
    keys: KeyNames,
    force: Force = False,
    yes: Yes = False,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Delete keys. They stop working within half an hour on all of Google's servers.

    For 30 days `keys undelete` can bring a key back.
    A key that was used in the last 7 days is not deleted without --force.
    """
    session = current(context)
    for name in keys:
        validate.refuse_key_string(name)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Delete the {'key' if len(keys) == 1 else 'keys'} {', '.join(keys)}?", yes=False)
    planner = _planner(session, force=force, with_use=dry_run or not yes)
    for outcome in change_keys(context, keys, planner, yes=yes, dry_run=dry_run, wait=not async_):
        if isinstance(gone := outcome.result, Key):
            back = typed("keys undelete", gone.key_id, project=gone.project)
            session.console.note(f"For 30 days it can be brought back: {back}")


def _planner(session: Session, *, force: bool, with_use: bool) -> Planner:
    async def planned(cloud: Cloud, found: list[Key]) -> list[KeyChange]:
        changes = [change.plan_delete(key, force=force) for key in found]
        for used in await use_of(cloud, changes) if with_use else ():
            session.console.note(f"{used.key.key_id}: {used.words}.", always=True)
        return changes

    return planned
