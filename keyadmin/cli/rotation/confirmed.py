"""Plan, confirm, execute: what was shown is what is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.rotation.result import capital
from keyadmin.cli.runner import run
from keyadmin.cli.session import current

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Plan = TypeVar("Plan")
Done = TypeVar("Done")


def planned_and_done(
    context: typer.Context,
    plan: Callable[[Cloud], Awaitable[Plan]],
    show: Callable[[Plan], str],
    execute: Callable[[Cloud, Plan], Awaitable[Done]],
    *,
    yes: bool,
) -> tuple[Plan, Done]:
    """Make a plan, show it, ask, execute it. `show` says what there is to say and gives back what is asked about.

    With `yes` nobody is asked, and all goes over one connection. Raises Problem where the answer is no.
    """
    if yes:

        async def both(cloud: Cloud) -> tuple[Plan, Done]:
            made = await plan(cloud)
            show(made)
            return made, await execute(cloud, made)

        return run(context, both)
    made = run(context, plan)
    confirm(current(context), f"{capital(show(made))}?", yes=False)
    return made, run(context, lambda cloud: execute(cloud, made))
