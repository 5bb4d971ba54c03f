"""`keyadmin keys rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.keys.key_change import change_keys, each
from keyadmin.cli.keys.options import Async, KeyName
from keyadmin.cli.options import DryRun
from keyadmin.keys import change, validate


def rename(
    context: typer.Context,
    key: KeyName,
    new_name: Annotated[str, typer.Argument(metavar="NEW_NAME", help="The new display name, at most 63 characters.")],
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Give a key another display name. Its id, key string and restrictions stay the same."""
    name = validate.display_name(new_name)
    planner = each(lambda found: change.plan_rename(found, name))
    change_keys(context, [key], planner, yes=False, dry_run=dry_run, wait=not async_)
