"""`keyadmin keys show`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.view import ShownKey, to_json
from keyadmin.cli.render import show_document
from keyadmin.cli.reveal import reveal
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.streams import refuse_lost_output
from keyadmin.keys import resolve
from keyadmin.model.key import Key
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def show(context: typer.Context, key: KeyName) -> None:
    """Print a key string and nothing else: KEY=$(keyadmin keys show my-key).

    Anybody who has it can use your project's quota and cause charges. Needs apikeys.keys.getKeyString.
    """
    session = current(context)
    refuse_lost_output()

    async def read(cloud: Cloud) -> tuple[Key, KeyString]:
        found = await resolve.find(
            cloud, key, partial(session.project, cloud), state="any", unseen=True, newest=session.observer
        )
        return found, await cloud.keys.key_string(found.name)

    found, key_string = run(context, read)
    shown = reveal(key_string)
    if resolve.unread(found):
        data: dict[str, Any] = {"name": found.name, "project": found.project, "keyString": shown}
        data |= session.mark
    else:
        data = to_json(session, ShownKey(found, key_string=key_string))
    show_document(session, data, shown)
