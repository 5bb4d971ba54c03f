"""What `keys rotate`, `keys migrate` and `rotation rollback` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keyadmin.cli.keys.sink_options import Printer
from keyadmin.cli.render import show_document
from keyadmin.cli.session import Session
from keyadmin.model.lineage import State
from keyadmin.model.problem import Exit
from keyadmin.rotation.job import Outcome

_SIGNS = {"done": "+", "already": "=", "skipped": "-", "waiting": ".", "failed": "!"}


def lines_of(outcome: Outcome) -> list[str]:
    """The steps and the state, a line each."""
    lines = [f"{_SIGNS[step.status]} {step.step}: {step.detail or step.status}" for step in outcome.steps]
    return [*lines, _stand(outcome)]


def _stand(outcome: Outcome) -> str:
    """Where it stands. While both keys work both are named, as it is not to be guessed which one the id is of."""
    new, old = outcome.lineage.newest.key.key_id, outcome.lineage.predecessor
    if outcome.state is State.GRACE and old is not None and old.live:
        words = outcome.state_words.removeprefix("old key ")
        return f"The new key is {new}; the old key {old.key.key_id} {words}; {outcome.why_beside}"
    return f"{new}: {outcome.state_words}; {outcome.why_beside}"


def capital(text: str) -> str:
    """A sentence's first letter, the rest as it is."""
    return f"{text[:1].upper()}{text[1:]}"


def show_outcome(session: Session, outcome: Outcome, printer: Printer) -> int:
    """One lineage: its steps and where it stands. Raises the problem that stopped it."""
    show_lines(session, outcome.to_json(), lines_of(outcome), printer)
    if outcome.problem is not None:
        raise outcome.problem
    for way in outcome.ways_out:
        session.console.note(way, always=True)
    return Exit.OK


def show_lines(session: Session, data: Mapping[str, Any], lines: Sequence[str], printer: Printer) -> None:
    """A document for programs, lines for people; these go to stderr where stdout is for the key string."""
    if printer.printed:
        for line in lines:
            session.console.note(line, always=True)
    else:
        show_document(session, dict(data) | printer.fields | session.mark, "\n".join(lines))
