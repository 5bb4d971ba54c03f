"""`keyadmin rotation run` and `keyadmin rotation migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_data, show_list
from keyadmin.cli.rotation.common import Scope, scope, survey
from keyadmin.cli.rotation.options import Emergency, ForceUse, Grace, MaxAge, Only, PolicyFile, ShardOption, manner_of
from keyadmin.cli.rotation.view import outcome_view, planned_view, tell_errors
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.handover.sink import build
from keyadmin.problem import Exit
from keyadmin.rotation import run as rotations
from keyadmin.rotation.decide import Action
from keyadmin.rotation.find import Found
from keyadmin.rotation.job import Event, Outcome
from keyadmin.rotation.notices import Notifier, notifier, write_metrics
from keyadmin.rotation.policy import DEFAULT_FILE
from keyadmin.rotation.run import Planned

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Limit = Annotated[int | None, typer.Option("--limit", min=0, metavar="N", help="Begin at most so many new rotations.")]
Notify = Annotated[
    str | None, typer.Option("--notify", metavar="exec:CMD", help="A program that gets the events as JSON lines.")
]
Metrics = Annotated[str | None, typer.Option("--metrics", metavar="FILE", help="Write a Prometheus textfile.")]


def run_(
    context: typer.Context,
    policy: PolicyFile = DEFAULT_FILE,
    only: Only = None,
    max_age: MaxAge = None,
    grace: Grace = None,
    limit: Limit = None,
    shard: ShardOption = None,
    emergency: Emergency = False,
    force: ForceUse = False,
    notify: Notify = None,
    metrics: Metrics = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Advance every lineage that is due as far as it goes now; the next run goes on with it.

    Safe to be killed and to be run twice at once. Exit code 3 where a lineage or a project failed; the others went on.
    With --format jsonl every step is a line. --emergency asks first, or needs --yes.
    """
    session = current(context)
    wanted = scope(policy, names=only, max_age=max_age, grace=grace, shard_text=shard, emergency=emergency)
    if emergency and not dry_run:
        confirm(session, "Rotate every selected key now and delete the old ones at once?", yes=yes)
    return _run(context, wanted, limit=limit, force=force, notify=notify, metrics=metrics, dry_run=dry_run)


def migrate(
    context: typer.Context,
    policy: PolicyFile = DEFAULT_FILE,
    only: Only = None,
    grace: Grace = None,
    limit: Limit = None,
    shard: ShardOption = None,
    force: ForceUse = False,
    notify: Notify = None,
    metrics: Metrics = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Turn the standard keys of the policy that may call the Gemini API into auth keys: rotation with a change of type.

    A key that is restricted to other APIs too is split: the new auth key gets Gemini, the old one keeps the rest.
    Asks first, or needs --yes; --dry-run shows the plan.
    """
    session = current(context)
    wanted = scope(policy, names=only, grace=grace, shard_text=shard, migrate=True)
    if not dry_run:
        confirm(session, "Make auth keys for all selected standard keys and retire these after the grace period?", yes=yes)
    return _run(context, wanted, limit=limit, force=force, notify=notify, metrics=metrics, dry_run=dry_run)


def _run(
    context: typer.Context,
    wanted: Scope,
    *,
    limit: int | None,
    force: bool,
    notify: str | None,
    metrics: str | None,
    dry_run: bool,
) -> int:
    session = current(context)
    notice = notifier(notify, session.observer) if notify else None

    def emit(event: Event) -> None:
        if session.format == "jsonl":
            show_data(session, event.to_json())
        if notice is not None:
            notice(event)

    manner = manner_of(session, emit=emit, emergency=wanted.emergency, force_use=force)

    async def work(cloud: Cloud) -> tuple[Found, list[Planned], list[Outcome]]:
        found, planned = await survey(cloud, wanted, session.observer)
        for one in planned:  # a sink that is not allowed here is wrong usage, said before anything is done
            build(one.chosen.specs, cloud, flagged=manner.flagged, emit=manner.write_line)
        if dry_run:
            return found, planned, []
        outcomes = await rotations.run(cloud, planned, manner, session.observer, limit)
        if metrics:
            after = await survey(cloud, wanted, session.observer)
            write_metrics(Path(metrics), after[1], len(after[0].errors), cloud.now())
        return found, planned, outcomes

    found, planned, outcomes = run(context, work)
    if dry_run:
        todo = [one for one in planned if one.decision.action not in (Action.REST, Action.GONE)]
        show_list(session, todo, planned_view(session))
        would(session, f"advance {len(todo)} of {len(planned)} lineages")
    elif session.format != "jsonl":
        show_list(session, outcomes, outcome_view(session))
    return _end(session, found, outcomes, notice)


def _end(session: Session, found: Found, outcomes: list[Outcome], notice: Notifier | None) -> int:
    if notice is not None:
        notice.send()
    tell_errors(session, found)
    failed = [one for one in outcomes if one.problem is not None]
    for one in failed:
        assert one.problem is not None
        for fix in one.problem.fix or one.ways_out:
            session.talk.note(f"{one.lineage.newest.key.key_id}: {fix}", always=True)
    return Exit.FOUND if failed or found.errors else Exit.OK
