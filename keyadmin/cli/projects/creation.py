"""What `projects create` and `projects default` have in common: a run of creations, and how it is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from keyadmin.cli.confirm import confirm_exposure
from keyadmin.cli.keys.view import ShownKey
from keyadmin.cli.keys.view import to_json as key_to_json
from keyadmin.cli.projects.named import import_list
from keyadmin.cli.projects.view import as_json, view
from keyadmin.cli.render import Column, View, show_list, show_one
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session
from keyadmin.keys.exposure import GeminiExposure
from keyadmin.keys.provision import CreateResult
from keyadmin.keys.verify import rejected
from keyadmin.local.creations import Creations
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.projects import create as making
from keyadmin.projects.create import CreateOutcome, Exposing, Wanted

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project


@dataclass(frozen=True)
class Order:
    """What is to be made. `request` = what tells a second run that it is to go on with this one."""

    wanted: Sequence[Wanted]
    key_name: str | None
    exposing: Exposing | None = field(default_factory=dict)
    """See `making.create`; None = `--allow-exposure`."""

    @property
    def request(self) -> list[object]:
        """See `making.request_of`."""
        return making.request_of(self.wanted, self.key_name)


async def creations_of(cloud: Cloud) -> Creations:
    """The caller's record of what was begun. Raises Problem."""
    return Creations((await cloud.identify()).principal, sandbox=cloud.sandbox)


async def carry_out(session: Session, cloud: Cloud, order: Order) -> list[CreateOutcome]:
    """Make the projects; those that exist afterwards are imported. Raises Problem where nothing could be begun."""
    creations = await creations_of(cloud)
    with creations.run(order.request, lambda: making.chosen_ids(order.wanted)) as begun:
        if begun.resumed and not order.exposing:
            session.console.note(f"Going on with what was begun at {begun.began:%Y-%m-%d %H:%M} UTC: {', '.join(begun.ids)}")
        elif any(not each.project_id for each in order.wanted):
            session.console.note(f"Making {', '.join(begun.ids)}")
        outcomes = await making.create(
            *(cloud, order.wanted, order.key_name, creations, begun, session.observer), exposing=order.exposing
        )
    made = [each.project for each in outcomes if each.project is not None]
    (await import_list(cloud)).add(each.project_id for each in made)
    return outcomes


def with_consent(
    context: typer.Context, session: Session, order: Order, outcomes: Sequence[CreateOutcome]
) -> Sequence[CreateOutcome]:
    """Where projects wait for somebody to agree to exposed keys: ask at the terminal, and go on with those agreed to.

    Asked between two connections: Ctrl-C does not reach a prompt inside the event loop. Off a terminal the refusals stay.
    """
    declined: dict[str, Problem] = {}
    while session.interactive and (waiting := [each for each in _exposed(outcomes) if each.project not in declined]):
        agreed: dict[str, Collection[str]] = dict(order.exposing or {})
        for refusal in waiting:
            try:
                confirm_exposure(session, refusal)
                agreed[refusal.project or ""] = {*agreed.get(refusal.project or "", ()), *refusal.keys}
            except Problem as problem:
                declined[refusal.project or ""] = problem
        if agreed == order.exposing:
            break
        order = replace(order, exposing=agreed)
        outcomes = run(context, partial(carry_out, session, order=order))
    return [replace(each, problem=declined.get(each.wanted.project_id, each.problem)) for each in outcomes]


def _exposed(outcomes: Sequence[CreateOutcome]) -> list[GeminiExposure]:
    return [each.problem for each in outcomes if isinstance(each.problem, GeminiExposure)]


def show(session: Session, outcomes: Sequence[CreateOutcome], *, one: bool) -> int:
    """Print the projects that exist now; raise what failed. `one` = a single project was asked for."""
    session.observer.finished()
    made = [each for each in outcomes if each.project is not None]
    columns = _view(session, with_keys=any(each.key for each in made))
    if one and made:
        show_one(session, made[0], columns)
    elif not one:
        show_list(session, made, columns)
    for each in made:
        _notes(session, each)
    raise_failure(outcomes, one=one)
    return Exit.OK


def raise_failure(outcomes: Sequence[CreateOutcome], *, one: bool) -> None:
    """Raises Problem for what failed. `one` = a single project was asked for."""
    failed = [each for each in outcomes if each.problem is not None]
    if failed:
        raise _failure(outcomes, failed, one=one)


def _view(session: Session, *, with_keys: bool) -> View[CreateOutcome]:
    plain = view(session)
    columns = [_of_project(column) for column in plain.columns]
    if with_keys:
        columns.append(Column("Key", lambda each: each.key.key.key_id if each.key else None))
    return View(columns, lambda each: _json(session, each), "No project was made.")


def _of_project(column: Column[Project]) -> Column[CreateOutcome]:
    """The same column, of what came out of making the project."""
    return Column(
        column.title, lambda outcome: column.value(_project(outcome)), fold=column.fold, below=column.below, spare=column.spare
    )


def _project(outcome: CreateOutcome) -> Project:
    assert outcome.project is not None
    return outcome.project


def _json(session: Session, outcome: CreateOutcome) -> dict[str, Any]:
    out = as_json(session, _project(outcome))
    if outcome.key is not None:
        out["key"] = key_to_json(session, ShownKey(outcome.key.key, outcome.key.verification))
    return out


def _notes(session: Session, outcome: CreateOutcome) -> None:
    project = _project(outcome).project_id
    if outcome.was_there:
        session.console.note(f"Project {project} had been made before.")
    if outcome.key is not None and outcome.problem is None:
        session.console.note(_about_key(outcome.key))


def _about_key(made: CreateResult) -> str:
    key = made.key
    show = f"its key string is printed by: {typed('keys show', key.key_id, project=key.project)}"
    return f"Key {key.display_name!r} of project {key.project}: {show}"


def _failure(outcomes: Sequence[CreateOutcome], failed: Sequence[CreateOutcome], *, one: bool) -> Problem:
    """The Problem that ends the command: of one project its own, of several what failed where, with exit code 3."""
    first = failed[0].problem
    assert first is not None
    half = failed[0].project is not None
    again = "run the same command again: it continues with what is left"
    if one:
        if half:
            first.notes.append(f"project {failed[0].wanted.project_id} was made")
            first.fix = (*first.fix, again) if first.fix else ()
            first.exit_code = Exit.FOUND if failed[0].key and rejected(first) else first.exit_code
        return first
    said = [
        f"{each.wanted.label}: {each.problem.message} [{each.problem.cause}]" for each in failed if each.problem is not None
    ]
    causes = {each.problem.cause for each in failed if each.problem is not None}
    return Problem(
        first.cause if len(causes) == 1 else Cause.UNKNOWN,
        f"{len(failed)} of {len(outcomes)} projects are not finished: {'; '.join(said)}",
        status=first.status,
        permission=first.permission,
        service=first.service,
        project=failed[0].wanted.project_id,
        fix=(*_advice(failed), again),
        exit_code=Exit.FOUND,
    )


def _advice(failed: Sequence[CreateOutcome]) -> list[str]:
    """What mends the failures, each piece of advice once."""
    from keyadmin.access.advice import advice

    return list(dict.fromkeys(line for each in failed if each.problem is not None for line in advice(each.problem)))
