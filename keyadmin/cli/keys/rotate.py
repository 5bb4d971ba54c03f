"""`keyadmin keys rotate` and `keyadmin keys migrate`: the engine of `rotation run`, for one key."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, confirm_exposure, would
from keyadmin.cli.keys.options import AllowExposure, KeyName
from keyadmin.cli.keys.sink_options import Printer
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_to_programs
from keyadmin.cli.rotation.confirmed import planned_and_done
from keyadmin.cli.rotation.options import ForceUse, To, manner_of, specs_of
from keyadmin.cli.rotation.result import show_outcome
from keyadmin.cli.rotation.view import warning_of_public
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.keys import exposure
from keyadmin.keys.exposure import GeminiExposure
from keyadmin.model import duration
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Exit
from keyadmin.rotation.decide import RotationTerms
from keyadmin.rotation.rotate import RotatePlan, execute_rotate, plan_rotate

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.model.key import Key
    from keyadmin.rotation.job import Outcome

Grace = Annotated[
    str | None, typer.Option("--grace", metavar="DURATION", help="How long the old key keeps working; 24h by default.")
]
Emergency = Annotated[
    bool, typer.Option("--emergency", help="Rotate without a grace period, even if the old key is still in use.")
]


def rotate(
    context: typer.Context,
    key: KeyName,
    to: To = None,
    grace: Grace = None,
    emergency: Emergency = False,
    force: ForceUse = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Replace a key with a new one that has the same restrictions, hand it over, and delete the old one after the grace period.

    Run it again to continue what is unfinished: after the grace period (24h unless --grace says otherwise) it retires the
    old key.
    """
    return _rotate(
        context, key, to, RotationTerms(force=True, emergency=emergency), grace, force=force, yes=yes, dry_run=dry_run
    )


def migrate(
    context: typer.Context,
    key: KeyName,
    to: To = None,
    grace: Grace = None,
    force: ForceUse = False,
    allow_exposure: AllowExposure = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Replace a standard key, which the Gemini API no longer accepts, with an auth key: a rotation with a change of type.

    Run it again to continue what is unfinished. --dry-run shows who owns the key and what is missing.
    """
    terms = RotationTerms(migrate=True)
    exposing = None if allow_exposure else set[str]()
    return _rotate(context, key, to, terms, grace, force=force, yes=yes, dry_run=dry_run, exposing=exposing)


def _rotate(
    context: typer.Context,
    name: str,
    to: list[str] | None,
    terms: RotationTerms,
    grace: str | None,
    *,
    force: bool,
    yes: bool,
    dry_run: bool,
    exposing: set[str] | None = None,
) -> int:
    """`exposing` = keys beside which the Gemini API may be switched on; None = whichever there are."""
    session = current(context)
    specs = specs_of(to)
    if grace is not None:
        terms = replace(terms, grace=duration.parse(grace))
    printer = Printer(session)
    manner = manner_of(session, force_use=force, pinned=not yes, write_line=printer)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Rotate the key {name}?", yes=False)

    async def look(cloud: Cloud) -> RotatePlan:
        project = partial(session.project, cloud)
        owners = dry_run or not yes  # what is asked about is shown first
        plan = await plan_rotate(cloud, name, project, terms, specs, manner, session.observer, owners=owners, foresight=dry_run)
        if exposing is not None and (open_keys := await exposure.beside(cloud, plan.key.project)):
            if dry_run:
                session.observer.warning(exposure.warning(plan.key.project, open_keys))
            else:
                exposure.require(plan.key.project, open_keys, exposing)
        return plan

    def show(plan: RotatePlan) -> str:
        _warn(session, plan)
        for line in plan.prospect.words if plan.prospect is not None else ():
            session.observer.note(line, always=True)
        return plan.words

    async def execute(cloud: Cloud, plan: RotatePlan) -> Outcome:
        return await execute_rotate(cloud, plan, manner, session.observer)

    if dry_run:
        plan = run(context, look)
        show(plan)
        return _dry_run(session, plan)
    try:
        _, outcome = planned_and_done(context, look, show, execute, yes=yes)
    except GeminiExposure as refusal:
        confirm_exposure(session, refusal)
        assert exposing is not None
        exposing.update(refusal.keys)
        _, outcome = planned_and_done(context, look, show, execute, yes=yes)
    return show_outcome(session, outcome, printer)


def _dry_run(session: Session, plan: RotatePlan) -> int:
    """The plan, shown. Raises what the run would be stopped by, as far as that is known."""
    unknown = {"unknown": [plan.unknown]} if plan.unknown else {}
    would(session, plan.words, document=False, unknown=unknown.get("unknown", ()))
    more = (plan.prospect.to_json() if plan.prospect is not None else {}) | unknown
    show_to_programs(session, {"dryRun": True, "steps": [plan.words], **more, **session.mark})
    if plan.problem is not None:
        raise plan.problem
    return Exit.OK


def _warn(session: Session, plan: RotatePlan) -> None:
    """What its successor will not be."""
    if plan.published:
        session.observer.warning(warning_of_public([plan.lineage.newest.key]))
    if plan.in_vain:
        _warn_in_vain(session, plan.key)


def _warn_in_vain(session: Session, key: Key) -> None:
    session.observer.warning(
        f"{key.key_id} is a standard key for the Gemini API, which takes none any more, and so will its successor be: "
        f"{typed('keys migrate', key.key_id, project=key.project)} makes an auth key"
    )
