"""`keyadmin keys unrestrict`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.keys.key_change import change_keys, each
from keyadmin.cli.keys.options import Async, KeyName
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.session import current
from keyadmin.keys import change, validate
from keyadmin.keys.change import Part
from keyadmin.model.key import Key
from keyadmin.model.problem import usage


def unrestrict(
    context: typer.Context,
    key: KeyName,
    apis_only: Annotated[bool, typer.Option("--apis", help="Only the API restrictions.")] = False,
    clients_only: Annotated[bool, typer.Option("--clients", help="Only the client restrictions.")] = False,
    yes: Yes = False,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Remove restrictions from a key after asking: all of them, or only those on APIs or on clients.

    A key without API restrictions can call every API that is enabled in its project, Gemini included.
    """
    if apis_only and clients_only:
        raise usage("--apis and --clients do not go together", "leave both out to take off all restrictions")
    part: Part = "apis" if apis_only else "clients" if clients_only else "all"
    session = current(context)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Take the restrictions off the key {validate.refuse_key_string(key)}?", yes=False)
    done = change_keys(
        context, [key], each(lambda found: change.plan_unrestrict(found, part)), yes=yes, dry_run=dry_run, wait=not async_
    )
    changed = done[0].result
    if isinstance(changed, Key) and changed.restricted == "none":
        session.console.warning(f"Key {changed.key_id} can now call every API that is enabled in project {changed.project}.")
