"""`keyadmin keys restrict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.keys.key_change import Planner, change_keys, each
from keyadmin.cli.keys.options import (
    AddAndroid,
    AddIos,
    AddIps,
    AddReferrers,
    AddTargets,
    Android,
    Async,
    Force,
    Ios,
    Ips,
    KeyNames,
    Referrers,
    RemoveAndroid,
    RemoveIos,
    RemoveIps,
    RemoveReferrers,
    RemoveTargets,
    Targets,
    UnknownService,
)
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import services
from keyadmin.keys import change, to_used
from keyadmin.keys.restriction_edit import Given, edit
from keyadmin.keys.validate import service
from keyadmin.model import duration
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.keys.change import KeyChange
    from keyadmin.model.key import Key

Window = Annotated[str, typer.Option("--window", metavar="DURATION", help="How far back --to-used looks for calls.")]
Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="SERVICE",
        autocompletion=services,
        help="Leave this API out of --to-used; may be repeated.",
    ),
]


def restrict(
    context: typer.Context,
    keys: KeyNames,
    api_target: Targets = None,
    add_api_target: AddTargets = None,
    remove_api_target: RemoveTargets = None,
    allowed_ips: Ips = None,
    add_ips: AddIps = None,
    remove_ips: RemoveIps = None,
    allowed_referrers: Referrers = None,
    add_referrers: AddReferrers = None,
    remove_referrers: RemoveReferrers = None,
    allowed_android: Android = None,
    add_android: AddAndroid = None,
    remove_android: RemoveAndroid = None,
    allowed_ios: Ios = None,
    add_ios: AddIos = None,
    remove_ios: RemoveIos = None,
    to_used_: Annotated[
        bool, typer.Option("--to-used", help="Restrict it to the APIs it was used for, within its present targets.")
    ] = False,
    window: Window = "42d",
    without: Without = None,
    allow_unknown_service: UnknownService = False,
    force: Force = False,
    yes: Yes = False,
    async_: Async = False,
    dry_run: DryRun = False,
) -> None:
    """Restrict keys: to the Gemini API alone, or to what the options name.

    --api-target and --allowed-... replace the list of their kind; other restrictions stay. It asks before an existing entry
    is dropped. --add-... and --remove-... change the existing list and keep its other entries.
    A key that was used in the last 7 days is not narrowed without --force; --to-used keeps what it was used for. Changes
    take up to 5 minutes to apply everywhere.
    """
    replacing: Given = _given(api_target, allowed_ips, allowed_referrers, allowed_android, allowed_ios)
    add: Given = _given(add_api_target, add_ips, add_referrers, add_android, add_ios)
    remove: Given = _given(remove_api_target, remove_ips, remove_referrers, remove_android, remove_ios)
    asked = edit(replacing, add, remove, allow_unknown=allow_unknown_service)
    if to_used_:
        if replacing or add or remove:
            raise usage("--to-used follows the use of the key: leave out the options that name restrictions")
        left_out = frozenset(service(name, allow_unknown=True) for name in without or ())
        planner = _planner_to_used(current(context), to_used.UseWindow(duration.parse(window), left_out), force=force)
    elif without:
        raise usage("--without is for --to-used")
    else:
        planner = each(lambda found: change.plan_restrict(found, asked, force=force))
    change_keys(context, keys, planner, yes=yes, dry_run=dry_run, wait=not async_)


def _given(
    targets: list[str] | None,
    ips: list[str] | None,
    referrers: list[str] | None,
    android: list[str] | None,
    ios: list[str] | None,
) -> Given:
    named = {"api-target": targets, "ips": ips, "referrers": referrers, "android": android, "ios": ios}
    return {kind: values for kind, values in named.items() if values}


def _planner_to_used(session: Session, window: to_used.UseWindow, *, force: bool) -> Planner:
    async def planned(cloud: Cloud, found: list[Key]) -> list[KeyChange]:
        plans = [await to_used.plan(cloud, key, window, force=force) for key in found]
        for one in plans:
            for line in one.lines:
                session.console.note(line, always=True)
        return [one.change for one in plans]

    return planned
