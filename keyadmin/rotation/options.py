"""How a use case of rotation goes about its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keyadmin.keys.verify import PROPAGATION_S
from keyadmin.model.lineage import Lineage
from keyadmin.rotation.job import Event


def _nowhere(line: str) -> None:
    """Nothing is printed: a program that wants the sink stdout says where its lines go."""


@dataclass(frozen=True)
class RunOptions:
    """How a run goes about it."""

    flagged: bool = False
    """Whether `--sandbox` stood on the command line (sinks outside the sandbox need it)."""
    write_line: Callable[[str], None] = _nowhere
    """Prints a line to stdout, for the sink of that name."""
    write_key: Callable[[Lineage, str], None] | None = None
    """The same where several lineages are under way and it has to be said whose key it is."""
    emit: Callable[[Event], None] = lambda event: None
    """Hears of every step."""
    verify_s: float = PROPAGATION_S
    """How long a new key may take until it works, seconds."""
    force_use: bool = False
    """Retire old keys that are still used."""
    pinned: bool = True
    """Whether time passed since the plan was made, to ask somebody, say: what changed since is left alone, and said."""
