"""Handing a key to sinks, outside of rotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keyadmin.handover.sink import Delivery, Sink
from keyadmin.keys.model import Key
from keyadmin.problem import Problem
from keyadmin.secret import KeyString


@dataclass(frozen=True)
class HandedOver:
    """What became of one sink: the delivery, or the problem."""

    sink: str
    outcome: Delivery | Problem

    def to_json(self) -> dict[str, Any]:
        """`{"sink", "status": "done"|"already"|"failed", "detail", "cause"?}`."""
        if isinstance(self.outcome, Problem):
            return {"sink": self.sink, "status": "failed", "detail": self.outcome.message, "cause": self.outcome.cause.value}
        return {"sink": self.sink, "status": "done" if self.outcome.changed else "already", "detail": self.outcome.detail}


async def hand_over(key_string: KeyString, sinks: Sequence[Sink]) -> list[HandedOver]:
    """To every sink, one after another; a failing one does not keep the key from the others."""
    out: list[HandedOver] = []
    for sink in sinks:
        try:
            outcome: Delivery | Problem = await sink.publish(key_string)
        except Problem as problem:
            outcome = problem
        out.append(HandedOver(sink.spec, outcome))
    return out


def failure(key: Key, handed: Sequence[HandedOver], made: str = "") -> Problem | None:
    """The problem to end with where a sink failed: the key's name, and the command that hands it over again."""
    failed = [(one.sink, one.outcome) for one in handed if isinstance(one.outcome, Problem)]
    if not failed:
        return None
    first = failed[0][1]
    again = " ".join(f"--to {_quoted(sink)}" for sink, _ in failed)
    return Problem(
        first.cause,
        f"{made}the key {key.key_id} was not handed to {', '.join(sink for sink, _ in failed)}: {first.message}",
        status=first.status,
        permission=first.permission,
        service=first.service,
        project=key.project,
        fix=(*first.fix, f"hand it over again: keyadmin keys hand-over {key.key_id} -p {key.project} {again}"),
    )


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)
