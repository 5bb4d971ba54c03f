"""`keyadmin keys unrestrict`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.keys.key_change import change_key
from keyadmin.cli.keys.options import Async, KeyName
from keyadmin.cli.options import DryRun
from keyadmin.cli.session import current
from keyadmin.keys import change
from keyadmin.keys.change import Part
from keyadmin.keys.present import apis, clients
from keyadmin.model.key import Key
from keyadmin.model.problem import usage


def unrestrict(
    context: typer.Context,
    key: KeyName,
    apis_only: Annotated[bool, typer.Option("--apis", help="Only the restriction to APIs.")] = False,
    clients_only: Annotated[bool, typer.Option("--clients", help="Only the restriction to clients.")] = False,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Take restrictions off a key: all of them, or those to APIs or to clients alone.

    A key without API restrictions can call every API that is enabled in its project, Gemini included.
    """
    if apis_only and clients_only:
        raise usage("--apis and --clients do not go together", "leave both out to take off all restrictions")
    part: Part = "apis" if apis_only else "clients" if clients_only else "all"

    def plan(found: Key) -> str:
        left = change.unrestricted(found.restrictions, part)
        return f"leave key {found.key_id} with {apis(left)}, used by {clients(left)}"

    changed = change_key(
        context, key, lambda cloud, found: change.unrestrict(cloud, found, part, wait=not async_), plan, dry_run=dry_run
    )
    if isinstance(changed, Key) and changed.restricted == "none":
        current(context).console.warning(
            f"Key {changed.key_id} can now call every API that is enabled in project {changed.project}."
        )
