"""`keyadmin rotation adopt`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.keys.view import list_view
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.options import PolicyIfAny
from keyadmin.cli.rotation.scope_options import scope
from keyadmin.cli.rotation.view import ended
from keyadmin.cli.runner import run
from keyadmin.cli.session import current
from keyadmin.cli.suggest import key_names
from keyadmin.cli.text import counted
from keyadmin.rotation.adopt import AdoptPlan, AdoptResult, execute_adopt, plan_adopt, plan_adopt_all, rehearse_adopt

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

KeyNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY", autocompletion=key_names, help="Keys: ids, full names or display names."),
]


def adopt(context: typer.Context, keys: KeyNames = None, policy: PolicyIfAny = None, dry_run: DryRun = False) -> int:
    """Mark keys for rotation by keyadmin; on a successor whose marks were removed or changed, write them again.

    Without KEY: all keys that the policy selects. `rotation run` rotates marked keys that a rule selects. A key that a
    forged or interrupted rollback had excluded is kept and counts again.
    """
    session = current(context)
    wanted = None if keys else scope(session, policy, adopted=False)

    async def work(cloud: Cloud) -> tuple[AdoptPlan, AdoptResult]:
        if wanted is None:
            plan = await plan_adopt(cloud, keys or (), partial(session.project, cloud), session.observer)
        else:
            plan = await plan_adopt_all(cloud, wanted, session.observer)
        return plan, await (rehearse_adopt(cloud, plan) if dry_run else execute_adopt(cloud, plan, pinned=False))

    plan, done = run(context, work)
    if not dry_run:
        show_list(session, done.keys, list_view(session, projects=wanted is not None, deleted=False))
    elif len(done.failed) < max(1, len(plan.lineages)):
        would(session, plan.words)
    if len(plan.lineages) == 1 and done.failed:
        raise done.failed[0][1]
    what = f"{len(done.failed)} of {counted(len(plan.lineages), 'key')} could not be marked"
    return ended(session, plan.selection, what, done.failed)
