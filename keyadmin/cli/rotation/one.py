"""`keyadmin rotation adopt` and `keyadmin rotation rollback`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.view import list_view
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.options import To, manner_of, specs_of
from keyadmin.cli.rotation.result import show_outcome
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.suggest import key_names
from keyadmin.keys import resolve
from keyadmin.keys.model import Key
from keyadmin.rotation import run as rotations

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.rotation.job import Outcome

KeyNames = Annotated[
    list[str], typer.Argument(metavar="KEY...", autocompletion=key_names, help="Keys: ids, full names or display names.")
]


def adopt(context: typer.Context, keys: KeyNames, dry_run: DryRun = False) -> None:
    """Write on keys that keyadmin rotates them; on a successor whose marks were removed or changed, write them anew.

    What is marked is rotated by `rotation run` where a rule of the policy selects it.
    """
    session = current(context)

    async def work(cloud: Cloud) -> list[Key]:
        found = [await resolve.find(cloud, key, partial(session.project, cloud)) for key in keys]
        return found if dry_run else [await rotations.adopt(cloud, key) for key in found]

    adopted = run(context, work)
    if dry_run:
        would(session, f"adopt {', '.join(key.key_id for key in adopted)}")
        return
    show_list(session, adopted, list_view(session, projects=False, deleted=False))


def rollback(
    context: typer.Context,
    key: KeyName,
    to: To = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Bring a former key of a lineage back: undelete it, verify it, hand it to the sinks, delete what came after it.

    Give the sinks that the lineage has (--to); a later `rotation run` uses the policy's.
    """
    session = current(context)
    specs = specs_of(to)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Go back to the key {key}?", yes=False)

    async def look(cloud: Cloud) -> Key:
        return await resolve.find(cloud, key, partial(session.project, cloud), state="any")

    found = run(context, look)
    if dry_run:
        would(session, f"bring {found.key_id} back and delete what came after it")
        return 0
    confirm(session, f"Go back to {found.key_id} of project {found.project}, and delete what came after it?", yes=yes)

    async def work(cloud: Cloud) -> Outcome:
        return await rotations.roll_back(cloud, found, specs, manner_of(session), session.observer)

    return show_outcome(session, run(context, work))
