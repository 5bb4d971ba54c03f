"""What `keys rotate`, `keys migrate` and `rotation rollback` print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyadmin.cli.render import show_document
from keyadmin.cli.session import Session
from keyadmin.problem import Exit
from keyadmin.rotation.job import Outcome

_SIGNS = {"done": "+", "already": "=", "skipped": "-", "waiting": ".", "failed": "!"}


def lines_of(outcome: Outcome) -> list[str]:
    """The steps and the state, a line each."""
    lines = [f"{_SIGNS[step.status]} {step.step}: {step.detail or step.status}" for step in outcome.steps]
    return [*lines, f"{outcome.lineage.newest.key.key_id}: {outcome.state.value}; {outcome.why}"]


def show_outcome(session: Session, outcome: Outcome, more: Mapping[str, Any] | None = None) -> int:
    """One lineage: its steps and where it stands, and `more` fields for programs. Raises the problem that stopped it."""
    mark = {"sandbox": True} if session.sandbox is not None else {}
    show_document(session, outcome.to_json() | dict(more or {}) | mark, "\n".join(lines_of(outcome)))
    if outcome.problem is not None:
        raise outcome.problem
    for way in outcome.ways_out:
        session.talk.note(way, always=True)
    return Exit.OK
