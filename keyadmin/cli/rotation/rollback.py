"""`keyadmin rotation rollback`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.sink_options import Printer
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.rotation.confirmed import planned_and_done
from keyadmin.cli.rotation.options import PolicyIfAny, To, manner_of, specs_of
from keyadmin.cli.rotation.result import show_outcome
from keyadmin.cli.rotation.scope_options import rules_if_any
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.model.problem import Exit
from keyadmin.rotation.rollback import RollbackPlan, execute_rollback, plan_rollback

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.rotation.job import Outcome


def rollback(
    context: typer.Context,
    key: KeyName,
    to: To = None,
    policy: PolicyIfAny = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Bring back an earlier key of a lineage: undelete it, verify it, hand it to the sinks, and delete what came after it.

    A display name means the generation before the newest. The sinks are those of --to, or else the policy's. Without any, a
    newer key that was handed to sinks is kept, so that they are not left with a deleted key. Finish an interrupted rollback
    with the same command; no run continues it.
    """
    session = current(context)
    specs = specs_of(to)
    rules = () if specs else rules_if_any(session, policy)
    printer = Printer(session)
    manner = manner_of(session, pinned=not yes, write_line=printer)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Go back to the key {key}?", yes=False)

    async def look(cloud: Cloud) -> RollbackPlan:
        return await plan_rollback(cloud, key, partial(session.project, cloud), specs, rules, manner, session.observer)

    async def execute(cloud: Cloud, plan: RollbackPlan) -> Outcome:
        return await execute_rollback(cloud, plan, manner, session.observer)

    def show(plan: RollbackPlan) -> str:
        if not plan.selected:
            session.console.note(f"No rule of the policy selects {plan.key.key_id}.", always=True)
        return plan.words

    if dry_run:
        would(session, show(run(context, look)))
        return Exit.OK
    _, outcome = planned_and_done(context, look, show, execute, yes=yes)
    return show_outcome(session, outcome, printer)
