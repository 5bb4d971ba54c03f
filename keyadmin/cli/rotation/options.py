"""Options that several rotation commands take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli.suggest import key_names
from keyadmin.handover.registry import kinds
from keyadmin.rotation.policy import DEFAULT_FILE

if TYPE_CHECKING:
    from keyadmin.cli.session import Session
    from keyadmin.handover.sink import SinkSpec
    from keyadmin.rotation.options import RunOptions

SINKS_HELP: Final = f"Where the key goes, KIND:PLACE with one of the kinds {', '.join(kinds())}; may be repeated."
PolicyIfAny = Annotated[
    str | None, typer.Option("--policy", metavar="FILE", help=f"The policy file, by default {DEFAULT_FILE} in this folder.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="NAME",
        autocompletion=key_names,
        help="Only this lineage, key or project; may be repeated.",
    ),
]
MaxAge = Annotated[
    str | None, typer.Option("--max-age", metavar="DURATION", help="Use this age for all rules instead of the policy's.")
]
Grace = Annotated[
    str | None,
    typer.Option(
        "--grace", metavar="DURATION", help="How long the old key keeps working; by default as the policy says, or 24h."
    ),
]
Emergency = Annotated[
    bool,
    typer.Option(
        "--emergency", help="Rotate now, whatever the age (or if over --max-age), without a grace period or use check."
    ),
]
ForceUse = Annotated[bool, typer.Option("--force", help="Retire the old key even if it is still in use.")]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N|auto", help="Handle only a part of the projects; auto: by task index."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=0, metavar="N", help="Begin at most this many new rotations.")]
Metrics = Annotated[str | None, typer.Option("--metrics", metavar="FILE", help="Write a Prometheus textfile.")]


def sink_kinds(incomplete: str) -> list[str]:
    """What `--to` is offered: the kinds, each with the colon that its place follows."""
    words = [kind if kind == "stdout" else f"{kind}:" for kind in kinds()]
    return [word for word in words if word.startswith(incomplete)]


To = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="SINK", autocompletion=sink_kinds, help=SINKS_HELP),
]


def specs_of(texts: list[str] | None) -> list[SinkSpec]:
    """The sinks of `--to`. Raises usage() before any call is made, and Problem for a stdout that takes nothing."""
    from keyadmin.cli.streams import refuse_lost_output
    from keyadmin.handover.registry import parse

    specs = [parse(text) for text in texts or ()]
    if any(spec.kind == "stdout" for spec in specs):
        refuse_lost_output()
    return specs


def manner_of(
    session: Session, *, force_use: bool = False, pinned: bool = False, write_line: Callable[[str], None] | None = None
) -> RunOptions:
    """How this run goes about rotations. `write_line` is the sink stdout, where it is not a line there.

    `pinned` = somebody was asked: only what was shown is done.
    """
    from keyadmin.cli.keys.sink_options import flagged
    from keyadmin.cli.render import write
    from keyadmin.rotation.options import RunOptions

    return RunOptions(flagged(session), write_line or write, force_use=force_use, pinned=pinned)
