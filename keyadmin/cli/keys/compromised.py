"""`keyadmin keys compromised`: the answer to a leak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.sink_options import Printer
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.rotation.confirmed import planned_and_done
from keyadmin.cli.rotation.options import To, manner_of, specs_of
from keyadmin.cli.rotation.result import lines_of, show_lines
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.handover.sink import SinkSpec
from keyadmin.model import duration
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Exit
from keyadmin.rotation.compromised import CompromisedPlan, execute_compromised, plan_compromised

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.model.key import Key
    from keyadmin.rotation.job import Outcome

Grace = Annotated[
    str, typer.Option("--grace", metavar="DURATION", help="How long the leaked key keeps working; 0s = not at all.")
]


def compromised(
    context: typer.Context, key: KeyName, to: To = None, grace: Grace = "0s", yes: Yes = False, dry_run: DryRun = False
) -> int:
    """Answer a leaked key: create a new one with the same restrictions, verify it, hand it over and delete the old one.

    The old key is deleted at once, or when you run the same command after --grace. Google's servers may accept a deleted
    key for up to half an hour. At the end it lists what you should check.
    """
    session = current(context)
    specs, wait = specs_of(to), duration.parse(grace)
    printer = Printer(session)
    manner = manner_of(session, force_use=True, pinned=not yes, write_line=printer)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Replace the key {key} and delete it?", yes=False)

    async def look(cloud: Cloud) -> CompromisedPlan:
        project = partial(session.project, cloud)
        return await plan_compromised(cloud, key, project, wait, specs, manner, session.observer, foresight=dry_run)

    async def execute(cloud: Cloud, plan: CompromisedPlan) -> Outcome:
        return await execute_compromised(cloud, plan, manner, session.observer)

    def show(plan: CompromisedPlan) -> str:
        _say(session, plan)
        return plan.words

    if dry_run:
        plan = run(context, look)
        would(session, show(plan), unknown=[plan.unknown] if plan.unknown else ())
        if plan.problem is not None:
            raise plan.problem
        return Exit.OK
    plan, outcome = planned_and_done(context, look, show, execute, yes=yes)
    found = plan.key
    checks = to_check(found, wait, specs, deleted=outcome.problem is None or _deleted(outcome))
    report = outcome.to_json() | {"usage": plan.used.to_json(), "check": checks}
    show_lines(session, report, [*lines_of(outcome), "", "Now look at:", *(f"  {check}" for check in checks)], printer)
    if outcome.problem is not None:
        raise outcome.problem
    return Exit.OK


def _say(session: Session, plan: CompromisedPlan) -> None:
    """What is known of its use, and who keeps the leaked key."""
    key = plan.key
    session.console.note(f"{key.key_id}: {plan.used.words}.", always=True)
    if plan.others_hold_it:
        session.console.warning(
            f"{key.key_id} was handed to other sinks than those given now; they keep the leaked key. Give the same --to, or "
            f"use the policy's: {typed('rotation run', emergency=True, only=key.key_id)}"
        )


def _deleted(outcome: Outcome) -> bool:
    """Whether the leaked key was deleted before something stopped the rest."""
    return any(step.step == "retire" and step.status in ("done", "already") for step in outcome.steps)


def to_check(key: Key, wait: timedelta, specs: Sequence[SinkSpec], *, deleted: bool = True) -> list[str]:
    """What a person has to look at after a leak. `deleted` = nothing stopped that; after the grace period, if there is one."""
    project = key.project
    checks = [
        f"who used it, and for what: {typed('keys usage', key.key_id, project=project)}",
        f"what it cost: https://console.cloud.google.com/billing/linkedaccount?project={project}",
        f"calls made with it: https://console.cloud.google.com/apis/dashboard?project={project}",
        f"where it leaked: {typed('scan', 'PATH', history=True)}",
        f"that no other key is open to everybody: {typed('keys list', all_=True, project=project)}",
    ]
    if not deleted:
        return [f"{key.key_id} still works: remove what stopped this, and give the same command again", *checks]
    if wait:  # the same sinks are read back before the key is deleted; the same grace, so that it may be typed too early
        sinks, grace = [spec.text for spec in specs], duration.typed(wait)
        again = typed("keys compromised", key.key_id, project=project, to=sinks, grace=grace, yes=True)
        return [f"after the grace period, delete it: {again}", *checks]
    # 8 to 23 minutes were measured, and no way to hurry it: https://www.aikido.dev/blog/google-api-keys-deletion
    yet = f"servers may accept {key.key_id} for up to half an hour yet"
    return [checks[0], f"the same again in half an hour: {yet}", *checks[1:]]
