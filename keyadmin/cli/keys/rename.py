"""`keyadmin keys rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.keys.key_change import change_key
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
    """Give a key another display name. Its id, its key string and its restrictions stay."""
    name = validate.display_name(new_name)
    change_key(
        context,
        key,
        lambda cloud, found: change.rename(cloud, found, name, wait=not async_),
        lambda found: f"rename key {found.key_id} from {found.display_name!r} to {name!r}",
        dry_run=dry_run,
    )
