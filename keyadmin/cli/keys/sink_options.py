"""Sinks on a command line: the option `--to`, what the sink `stdout` prints, and what became of each sink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from keyadmin.cli.render import Column, View
from keyadmin.cli.reveal import reveal
from keyadmin.cli.session import Session
from keyadmin.cli.streams import refuse_lost_output, write_at_once
from keyadmin.keys.hand_over import HandedOver
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString

_STRUCTURED: Final = ("json", "jsonl", "yaml")


class Printer:
    """What the sink `stdout` writes to: a line at once, or, where one document is printed, its field `keyString`."""

    def __init__(self, session: Session) -> None:
        self.structured: Final = session.format in _STRUCTURED
        self._held: list[str] = []
        self.printed = False
        """Whether stdout has the key string as a line, and is for nothing else."""

    def __call__(self, line: str) -> None:
        """Print the line, or keep it for the document. Raises Problem where it would reach nobody."""
        reveal(KeyString(line))
        if self.structured:
            refuse_lost_output()
            self._held.append(line)
        else:
            write_at_once(line + "\n")
            self.printed = True

    @property
    def used(self) -> bool:
        """Whether a document has to hold the key string."""
        return bool(self._held)

    @property
    def fields(self) -> dict[str, Any]:
        """What the document has to hold; empty where the sink was not asked for."""
        return {"keyString": self._held[-1]} if self._held else {}


def flagged(session: Session) -> bool:
    """Whether `--sandbox` stands on the command line, without which no sandbox key leaves the sandbox."""
    return session.sandbox is not None and session.sandbox.by_flag


def say_handed(session: Session, handed: Sequence[HandedOver]) -> None:
    """What became of each sink, as console: stdout is for the key. The error tells of one alone that failed."""
    for one in handed:
        if len(handed) == 1 and isinstance(one.outcome, Problem):
            continue
        data = one.to_json()
        session.console.note(f"{data['sink']}: {data['detail']}")


HANDED: Final = (
    Column[HandedOver]("Sink", lambda one: one.sink),
    Column[HandedOver]("Status", lambda one: one.to_json()["status"]),
    Column[HandedOver]("Detail", lambda one: one.to_json()["detail"], fold=True),
)


def handed_view(printer: Printer, mark: dict[str, bool]) -> View[HandedOver]:
    """How `keys hand-over` lists the sinks to programs."""
    return View[HandedOver](
        HANDED, lambda one: one.to_json() | (printer.fields if one.sink == "stdout" else {}) | mark, "No sinks."
    )
