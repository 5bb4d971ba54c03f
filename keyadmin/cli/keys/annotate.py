"""`keyadmin keys annotate`."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.cli.keys.key_change import change_keys, each
from keyadmin.cli.keys.options import Async
from keyadmin.cli.options import DryRun
from keyadmin.cli.suggest import key_names
from keyadmin.keys import change, validate
from keyadmin.model.problem import usage


def annotate(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="KEY|K=V", autocompletion=key_names, help="Keys, followed by the annotations to set on each."),
    ],
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="K", help="Remove this one; may be repeated.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove all annotations first.")] = False,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Add, change and remove annotations of keys. Others stay unless --clear is given.

    The first word is a key; so are all further words without =.
    """
    keys = [word for place, word in enumerate(words) if place == 0 or "=" not in word]
    add = validate.annotation_map(word for word in words[1:] if "=" in word)
    gone = tuple(validate.refuse_key_string(name) for name in remove or ())
    if not (add or gone or clear):
        raise usage("nothing to do: give KEY=VALUE, --remove KEY or --clear")
    planner = each(lambda found: change.plan_annotate(found, add, gone, clear=clear))
    # the other annotations are kept, so they have to be known
    change_keys(context, keys, planner, yes=False, dry_run=dry_run, wait=not async_, unseen=False)
