"""`keyadmin keys verify`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.errors import told
from keyadmin.cli.keys.named import string_or_name
from keyadmin.cli.keys.options import KeyOrString
from keyadmin.cli.options import KeyFromEnv
from keyadmin.cli.render import PROGRAMS, show_document
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.keys import resolve
from keyadmin.keys import verify as checking
from keyadmin.keys.verify import Verdict
from keyadmin.model import duration
from keyadmin.model.problem import Exit, usage
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def verify(
    context: typer.Context,
    key: KeyOrString = None,
    key_from_env: KeyFromEnv = None,
    wait: Annotated[
        str, typer.Option("--wait", metavar="DURATION", help="Keep trying for this long, at most 5m; a new key may need it.")
    ] = "0s",
) -> int:
    """Check whether a key works for the Gemini API from this machine right now: yes, or the reason why not (exit code 3).

    Name one of your own keys (this needs apikeys.keys.getKeyString), or give any key string on stdin (-) or in a variable.
    keyadmin makes one call, which lists one model and costs nothing.
    """
    session = current(context)
    given = string_or_name(session, key, key_from_env)
    limit_s = duration.parse(wait).total_seconds()
    if limit_s > checking.PROPAGATION_S:
        raise usage(f"--wait is {wait}: at most 5m, the time that changes take to reach all servers")

    async def work(cloud: Cloud) -> Verdict:
        if isinstance(given, KeyString):
            return Verdict(given, await checking.until_accepted(cloud, given, session.observer, limit_s))
        found = await resolve.find(
            cloud, given, partial(session.project, cloud), state="any", unseen=True, newest=session.observer
        )
        key_string = await cloud.keys.key_string(found.name)
        return Verdict(key_string, await checking.until_accepted(cloud, key_string, session.observer, limit_s, found), found)

    verdict = run(context, work, credentials=not isinstance(given, KeyString))
    if verdict.ok or verdict.elsewhere or session.format in PROGRAMS:
        show_document(session, verdict.to_json(sandbox=session.sandbox is not None), verdict.text)
    if verdict.problem is None:
        return Exit.OK
    if not verdict.elsewhere:
        raise verdict.problem
    return told(session, verdict.problem, as_json=session.format == "json")
