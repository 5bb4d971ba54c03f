"""`keyadmin keys rotate` and `keyadmin keys migrate`: the engine of `rotation run`, for one key."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.sink_options import Printer
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_to_programs
from keyadmin.cli.rotation.options import ForceUse, To, manner_of, specs_of
from keyadmin.cli.rotation.result import show_outcome
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.handover.registry import build, fingerprint
from keyadmin.model import duration
from keyadmin.rotation import run as rotations
from keyadmin.rotation.decide import Action, RotationTerms, decide, in_vain, migrates
from keyadmin.rotation.find import Chosen
from keyadmin.rotation.migration import prospects
from keyadmin.rotation.plan import Planned
from keyadmin.rotation.policy import PolicyRule

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.model.key import Key
    from keyadmin.rotation.job import Outcome

Grace = Annotated[
    str | None, typer.Option("--grace", metavar="DURATION", help="How long the old key still works; 24h if nothing is said.")
]
Emergency = Annotated[bool, typer.Option("--emergency", help="Rotate without grace, whether the old key is still used or not.")]


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
    """Replace a key by a new one with the same restrictions, hand it over, and delete the old one after the grace period.

    Called again it goes on with what is unfinished: after the grace period (24h unless --grace says otherwise) it
    retires the old key.
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
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Replace a standard key, which the Gemini API no longer takes, by an auth key: rotation with a change of type.

    Called again it goes on with what is unfinished. --dry-run says whose the key is and what is missing.
    """
    return _rotate(context, key, to, RotationTerms(migrate=True), grace, force=force, yes=yes, dry_run=dry_run)


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
) -> int:
    session = current(context)
    specs = specs_of(to)
    if grace is not None:
        terms = replace(terms, grace=duration.parse(grace))
    printer = Printer(session)
    manner = manner_of(session, force_use=force, write_line=printer)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Rotate the key {name}?", yes=False)

    async def look(cloud: Cloud) -> tuple[Key, str, dict[str, Any]]:
        build(specs, cloud, flagged=manner.flagged, emit=manner.write_line)
        found = await rotations.named(cloud, name, partial(session.project, cloud))
        lineage = await rotations.lineage_of_key(cloud, found)
        mine = rotations.for_key(terms, lineage, found)
        decision = decide(lineage, mine, cloud.now(), fingerprint(specs))
        more: dict[str, Any] = {}
        if migrates(lineage) and terms.migrate and (dry_run or not yes):  # what is asked about is shown first
            planned = Planned(Chosen(lineage, PolicyRule("command line"), tuple(specs)), mine, decision)
            more = await _prospect(session, cloud, planned)
        elif decision.action is Action.CREATE and not terms.migrate and in_vain(lineage.newest.key):
            _warn_in_vain(session, found)
        where = f", to {', '.join(spec.text for spec in specs)}" if specs else ""
        verb = "rotate" if decision.action is Action.CREATE else "go on with the rotation of"
        text = f"{verb} {found.key_id} of project {found.project}: {decision.action.value} ({decision.why}){where}"
        return found, text, more

    found, text, more = run(context, look)
    if dry_run:
        would(session, text, document=False)
        show_to_programs(session, {"dryRun": True, "steps": [text], **more, **session.mark})
        return 0
    confirm(session, f"{text[0].upper()}{text[1:]}?", yes=yes)

    async def work(cloud: Cloud) -> Outcome:
        return await rotations.rotate(cloud, found, terms, specs, manner, session.observer)

    return show_outcome(session, run(context, work), printer)


async def _prospect(session: Session, cloud: Cloud, planned: Planned) -> dict[str, Any]:
    """Whose key it is, what it is used for, what is missing: said, and for programs."""
    (one,) = await prospects(cloud, [planned], session.observer)
    for line in one.words:
        session.observer.note(line, always=True)
    return one.to_json()


def _warn_in_vain(session: Session, key: Key) -> None:
    session.observer.warning(
        f"{key.key_id} is a standard key for the Gemini API, which takes none any more, and so will its successor be: "
        f"keyadmin keys migrate {key.key_id} -p {key.project} makes an auth key"
    )
