"""`keyadmin keys restrict`."""

from __future__ import annotations

import typer

from keyadmin.cli.keys.key_change import change_key
from keyadmin.cli.keys.options import Android, Async, Force, Ios, Ips, KeyName, Referrers, Targets, UnknownService
from keyadmin.cli.options import DryRun
from keyadmin.keys import change, validate
from keyadmin.keys.present import apis, clients
from keyadmin.model.key import Key


def restrict(
    context: typer.Context,
    key: KeyName,
    api_target: Targets = None,
    allowed_ips: Ips = None,
    allowed_referrers: Referrers = None,
    allowed_android: Android = None,
    allowed_ios: Ios = None,
    allow_unknown_service: UnknownService = False,
    force: Force = False,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Restrict a key: to the Gemini API alone, or to what the options name.

    API targets take the place of the key's API targets, clients that of its clients; what is not named stays. A key
    that was used in the last 7 days is not changed without --force. Changes take up to 5 minutes to act everywhere.
    """
    new = validate.restrictions(
        api_target or (),
        ips=allowed_ips or (),
        referrers=allowed_referrers or (),
        android=allowed_android or (),
        ios=allowed_ios or (),
        allow_unknown=allow_unknown_service,
    )

    def plan(found: Key) -> str:
        wanted = change.restricted(found.restrictions, new)
        return f"restrict key {found.key_id} to {apis(wanted)}, used by {clients(wanted)}"

    change_key(
        context,
        key,
        lambda cloud, found: change.restrict(cloud, found, new, force=force, wait=not async_),
        plan,
        dry_run=dry_run,
    )
