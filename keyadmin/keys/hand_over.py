"""Handing a key to sinks, outside of rotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from keyadmin.access.advice import advice
from keyadmin.access.need import PermissionNeed
from keyadmin.handover.sink import Delivery, Sink
from keyadmin.keys.provision import CreateResult
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


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


def to_read(key: Key) -> PermissionNeed:
    """What reading the key's string takes."""
    return PermissionNeed("apikeys.keys.getKeyString", key.project, f"read the key string of {key.key_id}")


async def preflight_all(sinks: Sequence[Sink]) -> None:
    """Look at every sink before a key is made: a key that nobody gets is one too many. Raises Problem; changes nothing."""
    for sink in sinks:
        try:
            await sink.preflight()
        except Problem as problem:
            problem.message = f"the sink {sink.spec} will not take a key: {problem.message}"
            raise


async def hand_over(key_string: KeyString, sinks: Sequence[Sink], key_id: str) -> list[HandedOver]:
    """To every sink, one after another; a failing one does not keep the key from the others."""
    out: list[HandedOver] = []
    for sink in sinks:
        try:
            outcome: Delivery | Problem = await sink.deliver(key_string, key_id=key_id)
        except Problem as problem:
            outcome = problem
        out.append(HandedOver(sink.spec, outcome))
    return out


async def of_made(cloud: Cloud, made: CreateResult, sinks: Sequence[Sink], observer: Observer) -> list[HandedOver]:
    """Hand over a key that was just made, or given back. One that the Gemini API rejected is handed to nobody."""
    key = made.key
    if made.problem is not None or not sinks:
        return []
    observer.step("Handing the key over")
    with observer.half_made(f"the key {key.name} may not have been handed over; {again(key, [sink.spec for sink in sinks])}"):
        try:
            key_string = key.key_string or await cloud.keys.key_string(key.name)
        except Problem as problem:
            return [HandedOver(sink.spec, problem) for sink in sinks]
        return await hand_over(key_string, sinks, key.key_id)


def again(key: Key, sinks: Sequence[str]) -> str:
    """The command that hands a key to sinks, as a step to take."""
    return f"hand it over: {typed('keys hand-over', key.key_id, project=key.project, to=sinks)}"


def failure(key: Key, handed: Sequence[HandedOver], *, made: bool = False) -> Problem | None:
    """The problem to end with where a sink failed: the key's name, and the command that hands it over again.

    `made` = the key was made by this command, and stays.
    """
    failed = [(one.sink, one.outcome) for one in handed if isinstance(one.outcome, Problem)]
    if not failed:
        return None
    first = failed[0][1]
    what = "was made, but it was not" if made else "was not"
    return replace(
        first,
        message=f"the key {key.key_id} {what} handed to {', '.join(sink for sink, _ in failed)}: {first.message}",
        project=key.project,
        fix=(*advice(first), again(key, [sink for sink, _ in failed])),
        exit_code=None,
    )
