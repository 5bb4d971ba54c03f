"""How plans and outcomes are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.access.advice import advice
from keyadmin.access.checks import MOST_KEYS
from keyadmin.cli.errors import report
from keyadmin.cli.render import Column, View
from keyadmin.cli.rotation.options import manner_of
from keyadmin.cli.session import Session
from keyadmin.cli.text import counted
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key
from keyadmin.model.lineage import State
from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.decide import Action
from keyadmin.rotation.find import Selection
from keyadmin.rotation.foresee import Foresight, foresee_run
from keyadmin.rotation.job import Outcome
from keyadmin.rotation.migration import Prospect
from keyadmin.rotation.plan import Planned
from keyadmin.rotation.scope import RotationScope, RunPlan, plan_run

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

_WIDEST: Final = 120  # of a plan of migrations in a pipe, as of an audit's table: it has five columns of sentences
_TOLD: Final = 20  # of a kind; more would bury the rest
_STYLES = {"stuck": "red", "create": "yellow", "publish": "yellow", "retire": "yellow", "undo": "yellow", "wait": "blue"}


_FOR = {"gemini": "Gemini", "mixed": "Gemini, others", "none": "any API"}


def _style(one: Planned) -> str | None:
    return _STYLES.get(one.decision.action.value)


def planned_view(session: Session, found: Selection | None = None) -> View[Planned]:
    """`rotation plan` and `rotation status`. `found` = what is selected, where only what is due of it is shown."""
    return View(
        (
            Column("Project", lambda one: one.chosen.lineage.project),
            Column("Key", lambda one: one.chosen.lineage.newest.key.key_id, fold=True),
            Column("Name", lambda one: one.chosen.lineage.newest.key.display_name, fold=True),
            Column("Gen", lambda one: one.chosen.lineage.newest.generation),
            Column("State", lambda one: one.state_words, style=lambda one: "red" if one.state is State.STUCK else None),
            Column("Next", lambda one: one.decision.action.value, style=_style),
            Column("Sinks", lambda one: one.sinks_words, below=True),
            Column("Why", lambda one: one.why_beside, below=True),
        ),
        lambda one: one.to_json() | session.mark,
        "Nothing is due." if found is not None and found.chosen else "The policy selects no key.",
    )


def prospect_view(session: Session) -> View[Prospect]:
    """`rotation migrate --dry-run`."""
    return View(
        (
            Column("Project", lambda one: one.planned.chosen.lineage.project),
            Column("Owners", lambda one: "unknown" if one.owners is None else list(one.owners), fold=True),
            Column("Key", lambda one: one.planned.chosen.lineage.newest.key.key_id, fold=True),
            Column("Name", lambda one: one.planned.chosen.lineage.newest.key.display_name, fold=True),
            Column("For", lambda one: _FOR.get(one.key.restricted, one.key.restricted)),
            Column("Last use", lambda one: one.used.short if one.used else "unknown"),
            Column("Sinks", lambda one: [spec.text for spec in one.planned.chosen.specs] or "none", below=True),
            Column("Next", lambda one: one.planned.decision.action.value, style=lambda one: _style(one.planned)),
            Column("Why", lambda one: one.planned.why_beside, below=True),
            Column("Old key", lambda one: one.afterwards, below=True),
            Column(
                "Missing",
                lambda one: list(one.missing) or "nothing",
                style=lambda one: "red" if one.missing else None,
                below=True,
            ),
        ),
        lambda one: one.to_json() | session.mark,
        "There is no standard key to migrate.",
        widest=_WIDEST,
    )


def outcome_view(session: Session, string_of: Callable[[str, str], dict[str, str]]) -> View[Outcome]:
    """`rotation run`: one line a lineage. `string_of` = the field with the key string of a project's lineage, if any."""
    return View(
        (
            Column("Project", lambda one: one.lineage.project),
            Column("Key", lambda one: one.lineage.newest.key.key_id, fold=True),
            Column("Name", lambda one: one.lineage.newest.key.display_name, fold=True),
            Column("Gen", lambda one: one.lineage.newest.generation),
            Column("State", lambda one: one.state_words, style=lambda one: "red" if one.problem else None),
            Column("Sinks", lambda one: list(one.sinks) or "none", below=True),
            Column("Result", lambda one: one.problem.message if one.problem else one.why_beside, below=True),
        ),
        lambda one: one.to_json() | string_of(one.lineage.project, one.lineage.id) | session.mark,
        "Nothing is due.",
    )


def amount(plan: RunPlan) -> str:
    """How much a run would do: `3 keys in 2 projects`."""
    projects = len({one.chosen.lineage.project for one in plan.due})
    return f"{counted(len(plan.due), 'key')} in {counted(projects, 'project')}"


def tell_resting(session: Session, plan: RunPlan) -> None:
    """What no run touches because a key says that it was rolled back to, which may be forged."""
    said = [(one.chosen.lineage.newest.key, one) for one in plan.resting]
    tell_ways(session, [(key, (f"{one.why}; {way}",)) for key, one in said for way in one.ways_out[:1]])


Foreseen = list[tuple[Planned, Foresight]]


async def planned_and_foreseen(
    cloud: Cloud, session: Session, wanted: RotationScope, *, force: bool = False
) -> tuple[RunPlan, Foreseen]:
    """A dry run: the plan, and what its steps would be refused for, as far as reads can tell."""
    plan = await plan_run(cloud, wanted, session.observer)
    return plan, await foresee_run(cloud, plan, manner_of(session, force_use=force))


def as_foreseen(one: Planned, seen: Foresight) -> Planned:
    """A row of a dry run: with what would come of it."""
    one = replace(one, unknown=seen.unknown)
    if seen.problem is None or one.decision.action is Action.STUCK:
        return replace(one, decision=seen.decision)
    stopped = replace(seen.decision, why=f"{seen.decision.why}; {seen.problem.message}", ways_out=tuple(seen.problem.fix))
    return replace(one, decision=stopped, failed=True)


def ended_plan(session: Session, plan: RunPlan, seen: Foreseen) -> Exit:
    """How a dry run ends: as the run would, as far as that is known."""
    for text in dict.fromkeys(known.unknown for _, known in seen if known.unknown):
        session.console.warning(text)
    failed = [(one.chosen.lineage.newest.key, known.problem) for one, known in seen if known.problem is not None]
    waiting = [(one.chosen.lineage.newest.key, known.decision.ways_out) for one, known in seen if known.problem is None]
    tell_ways(session, [*((key, ways) for key, ways in waiting if ways), *((key, problem.fix) for key, problem in failed[1:])])
    return ended(session, plan.selection, f"{len(failed)} of {len(plan.due)} rotations failed", failed)


def tell_ways(session: Session, ways: Sequence[tuple[Key, Sequence[str]]]) -> None:
    """What to type next for each key, by project and id: ids alone may stand in several projects."""
    for key, steps in ways[:_TOLD]:
        for step in steps:
            session.console.note(f"{key.project} {key.key_id}: {step}", always=True)
    if len(ways) > _TOLD:
        session.console.note(f"... and {len(ways) - _TOLD} more: --format json tells the way out of each.", always=True)


def tell_plan(session: Session, found: Selection, planned: Sequence[Planned]) -> None:
    """What a plan does not show line by line: projects too full, and successors that will not work either."""
    begun = [one.chosen.lineage for one in planned if one.due and one.decision.action is Action.CREATE]
    for project, count in Counter(lineage.project for lineage in begun).items():
        room = max(0, MOST_KEYS - found.keys.get(project, 0))
        if room < count:
            session.console.warning(
                f"{project} has {found.keys[project]} of at most {MOST_KEYS} keys: there is room for {room} of the {count} new "
                f"ones; the others follow when old ones are gone ({typed('keys list', all_=True, project=project)})"
            )
    for key in [one.chosen.lineage.newest.key for one in planned if one.due and one.other_sinks][:_TOLD]:
        session.console.warning(
            f"{key.project} {key.key_id}: other sinks than the policy's have it, and keep it when it is replaced and deleted"
        )
    for kind, words in {spec.kind: spec.sink.beware for one in planned if one.due for spec in one.chosen.specs}.items():
        if words:
            session.console.note(f"{kind}: {words}.", always=True)
    for package in sorted({spec.sink.brought_by for one in planned for spec in one.chosen.specs} - {""}):
        session.console.note(f"Sinks of the package {package} are among those of the plan.", always=True)
    borne = [one.chosen.lineage.newest.key for one in planned if one.due and one.published]
    if borne:
        session.console.warning(warning_of_public(borne))
    kept = [one for one in planned if one.due and one.decision.action is Action.CREATE and one.in_vain]
    if kept:
        session.console.warning(
            f"{len(kept)} of the keys that are due are standard keys for the Gemini API, which takes none any more, and so "
            f'will their successors be: {typed("rotation migrate")}, or new-type = "auth" in the policy, makes auth keys'
        )


def warning_of_public(keys: Sequence[Key]) -> str:
    """What is to be known before keys are rotated that pages or apps bear."""
    first, more = keys[0], f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    clone = typed("keys clone", first.key_id, project=first.project)
    return (
        f"{first.project} {first.key_id}{more}: a key in a web page or an app, to which no sink takes the new one. Publish "
        f"it with that before the grace is over; or leave the key out, and copy it when you publish: {clone}"
    )


def ended(session: Session, found: Selection, what: str = "", problems: Sequence[tuple[Key, Problem]] = ()) -> Exit:
    """The exit code: 3, with the reason, where not all went well. `problems` = those of lineages; `what` sums them up.

    The way out of the first one is told with it, those of the others by `tell_ways`. What could not be checked, of whose
    keys nothing is known, is told here: the first one with the reason, unless a lineage's problem is, the others before it.
    """
    every = [*(problem for _, problem in problems), *found.errors.values()]
    if not every:
        return Exit.OK
    first, unseen = every[0], list(found.errors.items())
    _tell_unseen(session, unseen if problems else unseen[1:])
    if len(unseen) == 1 and not problems:
        missed = f"{unseen[0][0]} could not be checked: {first.message}"
    else:
        missed = f"{len(unseen)} {'project or rule' if len(unseen) == 1 else 'projects or rules'} could not be checked"
        missed += "" if problems else f"; {unseen[0][0]}: {first.message}"
    said = [f"{what}; {key.project} {key.key_id}: {problem.message}" for key, problem in problems[:1]]
    whole = Problem(
        first.cause,
        "; ".join([*said, *([missed] if unseen else [])]),
        status=first.status,
        permission=first.permission,
        service=first.service,
        project=first.project,
        fix=advice(first, "rotate"),
        exit_code=Exit.FOUND,
    )
    return report(session, whole, None, as_json=session.format == "json")


def _tell_unseen(session: Session, unseen: Sequence[tuple[str, Problem]]) -> None:
    for place, problem in unseen[:_TOLD]:
        session.console.warning(f"{place} could not be checked ({problem.cause.value}): {problem.message}")
    if len(unseen) > _TOLD:
        session.console.warning(f"and {len(unseen) - _TOLD} more could not be checked")
