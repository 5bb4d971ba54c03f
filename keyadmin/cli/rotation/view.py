"""How plans and outcomes are shown."""

from __future__ import annotations

from typing import Any

from keyadmin.cli.render import Column, View
from keyadmin.cli.session import Session
from keyadmin.rotation.find import Found
from keyadmin.rotation.job import Outcome
from keyadmin.rotation.lineage import State
from keyadmin.rotation.migration import Prospect
from keyadmin.rotation.run import Planned

_STYLES = {"stuck": "red", "create": "yellow", "publish": "yellow", "retire": "yellow", "undo": "yellow", "wait": "blue"}


def planned_view(session: Session) -> View[Planned]:
    """`rotation plan` and `rotation status`."""
    return View(
        (
            Column("project", lambda one: one.chosen.lineage.project),
            Column("key", lambda one: one.chosen.lineage.newest.key.key_id, cut=True),
            Column("name", lambda one: one.chosen.lineage.newest.key.display_name, cut=True),
            Column("gen", lambda one: one.chosen.lineage.newest.generation),
            Column("state", lambda one: one.state.value, style=lambda one: "red" if one.state is State.STUCK else None),
            Column("next", lambda one: one.decision.action.value, style=lambda one: _STYLES.get(one.decision.action.value)),
            Column("why", lambda one: one.why, cut=True),
        ),
        lambda one: one.to_json() | _mark(session),
        "The policy selects no key.",
    )


def prospect_view(session: Session) -> View[Prospect]:
    """`rotation migrate --dry-run`."""
    return View(
        (
            Column("project", lambda one: one.planned.chosen.lineage.project),
            Column("owners", lambda one: "unknown" if one.owners is None else list(one.owners), cut=True),
            Column("key", lambda one: one.planned.chosen.lineage.newest.key.key_id, cut=True),
            Column("name", lambda one: one.planned.chosen.lineage.newest.key.display_name, cut=True),
            Column("for", lambda one: one.planned.chosen.lineage.newest.key.restricted),
            Column("last use", lambda one: one.used.short if one.used else "unknown"),
            Column("sinks", lambda one: [spec.text for spec in one.planned.chosen.specs] or "none", cut=True),
            Column("next", lambda one: one.planned.why, cut=True),
            Column("old key", lambda one: one.afterwards, cut=True),
            Column("missing", lambda one: list(one.missing) or "nothing", style=lambda one: "red" if one.missing else None),
        ),
        lambda one: one.to_json() | _mark(session),
        "There is no standard key to migrate.",
    )


def outcome_view(session: Session) -> View[Outcome]:
    """`rotation run`: one line a lineage."""
    return View(
        (
            Column("project", lambda one: one.lineage.project),
            Column("key", lambda one: one.lineage.newest.key.key_id, cut=True),
            Column("gen", lambda one: one.lineage.newest.generation),
            Column("state", lambda one: one.state.value, style=lambda one: "red" if one.problem else None),
            Column("result", lambda one: one.problem.message if one.problem else one.why, cut=True),
        ),
        lambda one: one.to_json() | _mark(session),
        "Nothing is due.",
    )


def _mark(session: Session) -> dict[str, Any]:
    return {"sandbox": True} if session.sandbox is not None else {}


def tell_errors(session: Session, found: Found) -> None:
    """Projects that could not be looked at: nothing is known of their keys."""
    for project, problem in found.errors.items():
        session.talk.warning(f"{project} could not be looked at ({problem.cause.value}): {problem.message}")
