"""`keyadmin tokens create`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.keys.named import string_or_name
from keyadmin.cli.keys.options import KeyOrString
from keyadmin.cli.lazy import CommandEntry, CommandGroup
from keyadmin.cli.options import DryRun, KeyFromEnv
from keyadmin.cli.render import show_document
from keyadmin.cli.reveal import reveal
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.streams import refuse_lost_output
from keyadmin.keys import resolve, tokens
from keyadmin.keys.hand_over import to_read
from keyadmin.keys.tokens import Token, TokenTerms
from keyadmin.model import duration
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

GROUP: Final = CommandGroup(
    "Create ephemeral tokens for the Live API, which browsers and apps get instead of a key.",
    {"create": CommandEntry("keyadmin.cli.tokens:create", "Create a token with a key and print it.")},
)

Uses = Annotated[int, typer.Option("--uses", metavar="N", help="How many sessions it may begin; 0 = any number.")]
Expire = Annotated[str, typer.Option("--expire", metavar="DURATION", help="When its sessions end, less than 20h ahead.")]
SessionStart = Annotated[
    str, typer.Option("--session-start", metavar="DURATION", help="How long it can begin sessions, less than 20h.")
]


def create(
    context: typer.Context,
    key: KeyOrString = None,
    key_from_env: KeyFromEnv = None,
    uses: Uses = 1,
    expire: Expire = "30m",
    session_start: SessionStart = "1m",
    dry_run: DryRun = False,
) -> None:
    """Create an ephemeral token for the Live API and print only it: TOKEN=$(keyadmin tokens create KEY)

    The token can begin --uses sessions within --session-start; they end after --expire at the latest. Client programs pass
    it where they would pass a key, with the API version v1alpha.
    """
    session = current(context)
    terms = TokenTerms(uses, duration.parse(expire), duration.parse(session_start))
    given = string_or_name(session, key, key_from_env)
    named = given.masked if isinstance(given, KeyString) else given
    refuse_lost_output()

    async def work(cloud: Cloud) -> Token | None:
        if isinstance(given, KeyString):
            return None if dry_run else await tokens.create(cloud, given, terms, clock_known=False)
        found = await resolve.find(cloud, given, partial(session.project, cloud), unseen=True, newest=session.observer)
        need = to_read(found)
        if dry_run:
            if unknown := await need.rehearse(cloud):
                session.observer.warning(unknown)
            return None
        return await tokens.create(cloud, await need.met(cloud.keys.key_string(found.name)), terms, clock_known=True)

    made = run(context, work, credentials=not isinstance(given, KeyString))
    if made is None:
        would(session, f"make a token with the key {named}")
        return
    token = reveal(made.token)
    show_document(session, made.to_json() | session.mark, token)
    sessions = f"{uses} session{'s' if uses != 1 else ''}" if uses else "any number of sessions"
    begun, ended = f"{made.session_start:%H:%M:%S}", f"{made.expires:%H:%M:%S}"
    session.console.note(f"For {sessions} begun before {begun} UTC, which end at {ended} UTC at the latest.")
