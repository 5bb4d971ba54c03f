"""`keyadmin keys delete`."""

from __future__ import annotations

from functools import partial

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.keys.key_change import change_key
from keyadmin.cli.keys.options import Async, Force, KeyName
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.keys import change, resolve, validate
from keyadmin.keys.present import apis, clients
from keyadmin.keys.usage import with_use
from keyadmin.model.key import Key


def delete(
    context: typer.Context, key: KeyName, force: Force = False, yes: Yes = False, async_: Async = False, dry_run: DryRun = False
) -> None:
    """Delete a key. Whoever uses it is shut out, by the last of Google's servers within half an hour.

    For 30 days `keys undelete` brings it back.
    A key that was used in the last 7 days is not deleted without --force.
    """
    session = current(context)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Delete the key {validate.refuse_key_string(key)}?", yes=False)

    if not yes or dry_run:
        # asked between two connections: Ctrl-C does not reach a prompt inside the event loop
        found, used = run(context, lambda cloud: with_use(cloud, key, partial(session.project, cloud)))
        session.console.note(f"{found.key_id}: {used.words}.", always=True)
        if not dry_run:
            confirm(session, f"Delete the key {_words(found)}?", yes=False)
        key = str(resolve.FullName(found.project, found.key_id))
    gone = change_key(
        context,
        key,
        lambda cloud, found: change.delete(cloud, found, force=force, wait=not async_),
        lambda found: f"delete the key {_words(found)}",
        dry_run=dry_run,
    )
    if isinstance(gone, Key):
        session.console.note(f"For 30 days it can be brought back: keyadmin keys undelete {gone.key_id} -p {gone.project}")


def _words(key: Key) -> str:
    if resolve.unread(key):
        return f"{key.key_id} of project {key.project}, which you may not read"
    name = f"{key.display_name!r} ({key.key_id})" if key.display_name else key.key_id
    return f"{name} of project {key.project}, for {apis(key.restrictions)}, used by {clients(key.restrictions)}"
