"""`keyadmin keys annotate`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.keys.key_change import change_key
from keyadmin.cli.keys.options import Async, KeyName
from keyadmin.cli.options import DryRun
from keyadmin.keys import change, validate
from keyadmin.model.key import Key
from keyadmin.model.problem import usage


def annotate(
    context: typer.Context,
    key: KeyName,
    pairs: Annotated[list[str] | None, typer.Argument(metavar="K=V", help="Annotations to set.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="K", help="Remove this one; may be repeated.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove all annotations first.")] = False,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Add, change and remove a key's annotations. Those that are not named stay, unless --clear is given."""
    add = validate.annotation_map(pairs or ())
    gone = tuple(validate.refuse_key_string(name) for name in remove or ())
    if not (add or gone or clear):
        raise usage("nothing to do: give KEY=VALUE, --remove KEY or --clear")

    def plan(found: Key) -> str:
        wanted = change.annotated(found.annotations, add, gone, clear=clear)
        said = ", ".join(f"{name}={value}" for name, value in wanted.items()) or "none"
        return f"leave key {found.key_id} with these annotations: {said}"

    change_key(
        context,
        key,
        lambda cloud, found: change.annotate(cloud, found, add, gone, clear=clear, wait=not async_),
        plan,
        dry_run=dry_run,
        unseen=False,  # the other annotations are kept, so they have to be known
    )
