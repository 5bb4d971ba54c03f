"""`keyadmin rotation adopt` and `keyadmin rotation rollback`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.keys.options import KeyName
from keyadmin.cli.keys.sink_options import Printer
from keyadmin.cli.keys.view import list_view
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_list
from keyadmin.cli.rotation.common import scope, survey
from keyadmin.cli.rotation.options import PolicyIfAny, To, manner_of, specs_of
from keyadmin.cli.rotation.result import show_outcome
from keyadmin.cli.rotation.view import ended
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import key_names
from keyadmin.keys import resolve
from keyadmin.model.key import Key
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.rotation import run as rotations
from keyadmin.rotation.find import Selection, of_lineage
from keyadmin.rotation.policy import DEFAULT_FILE, PolicyRule, load

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.handover.sink import SinkSpec
    from keyadmin.rotation.job import Outcome
    from keyadmin.rotation.lineage import Lineage

KeyNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY", autocompletion=key_names, help="Keys: ids, full names or display names."),
]


def adopt(context: typer.Context, keys: KeyNames = None, policy: PolicyIfAny = None, dry_run: DryRun = False) -> int:
    """Write on keys that keyadmin rotates them; on a successor whose marks were removed or changed, write them anew.

    Without KEY: all keys that the policy selects. What is marked is rotated by `rotation run` where a rule selects it.
    """
    session = current(context)
    wanted = None if keys else scope(session, policy or DEFAULT_FILE, adopted=True)

    async def work(cloud: Cloud) -> tuple[Selection, list[Key]]:
        if wanted is None:
            found = Selection()
            named = [await resolve.find(cloud, key, partial(session.project, cloud)) for key in keys or ()]
        else:
            found, planned = await survey(cloud, wanted, session.observer)
            named = [one.chosen.lineage.newest.key for one in planned]
        return found, named if dry_run else [await rotations.adopt(cloud, key) for key in named]

    found, adopted = run(context, work)
    if dry_run:
        would(session, f"adopt {', '.join(key.key_id for key in adopted) or 'no key'}")
    else:
        show_list(session, adopted, list_view(session, projects=wanted is not None, deleted=False))
    return ended(session, found)


def rollback(
    context: typer.Context,
    key: KeyName,
    to: To = None,
    policy: PolicyIfAny = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Bring a former key of a lineage back: undelete it, verify it, hand it to the sinks, delete what came after it.

    The sinks are those of --to, else those that the policy has for it. Without any, a newer key that was handed to sinks
    is kept, for they would be left with a deleted one.
    """
    session = current(context)
    given = specs_of(to)
    rules = [] if given else _rules(policy)
    printer = Printer(session)
    manner = manner_of(session, force_use=False, write_line=printer)
    if not (yes or dry_run or session.interactive):
        confirm(session, f"Go back to the key {key}?", yes=False)

    async def look(cloud: Cloud) -> tuple[Key, list[SinkSpec]]:
        found = await resolve.find(cloud, key, partial(session.project, cloud), state="any")
        lineage = await rotations.lineage_of_key(cloud, found)
        rotations.former_member(lineage, found)  # that there is something to go back to is seen before anybody is asked
        return found, given or await _by_policy(session, cloud, found, lineage, rules)

    found, specs = run(context, look)
    sinks = ", ".join(spec.text for spec in specs) or "no sink"
    if dry_run:
        would(session, f"bring {found.key_id} back, hand it to {sinks}, and delete what came after it")
        return Exit.OK
    question = f"Go back to {found.key_id} of project {found.project}, hand it to {sinks}, and delete what came after it?"
    confirm(session, question, yes=yes)

    async def work(cloud: Cloud) -> Outcome:
        return await rotations.roll_back(cloud, found, specs, manner, session.observer)

    return show_outcome(session, run(context, work), printer)


def _rules(policy: str | None) -> Sequence[PolicyRule]:
    """The rules of the policy; none where none was named and there is no file of the usual name. Raises usage()."""
    if policy is None and not Path(DEFAULT_FILE).exists():
        return ()
    return load(Path(policy or DEFAULT_FILE)).rules


async def _by_policy(session: Session, cloud: Cloud, key: Key, lineage: Lineage, rules: Sequence[PolicyRule]) -> list[SinkSpec]:
    """The sinks that the policy has for a key of a lineage."""
    chosen = await of_lineage(cloud, rules, lineage) if rules else None
    if chosen is None:
        if rules:
            session.console.note(f"No rule of the policy selects {key.key_id}.", always=True)
        return []
    if not chosen.rule.here:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"the sinks of {key.key_id} belong to the machine {chosen.rule.machine}",
            project=key.project,
            fix=("run this command there", "or name the sinks that are to have it: --to SINK"),
        )
    return list(chosen.specs)
