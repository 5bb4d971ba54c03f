"""Options that several commands of audits take."""

from __future__ import annotations

from typing import Annotated

import typer

from keyadmin.audit.rules import rules


def complete_rules(incomplete: str) -> list[tuple[str, str]]:
    """The rules that begin so, each with what it finds."""
    return [(rule.id, rule.title) for rule in rules().values() if rule.id.startswith(incomplete)]


PolicyFile = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", help="The file with accepted findings, by default keyadmin.toml in this folder."),
]
KeptIn = Annotated[
    str | None, typer.Option("--keep", metavar="DIR", help="The folder of kept audits, by default in the data directory.")
]
