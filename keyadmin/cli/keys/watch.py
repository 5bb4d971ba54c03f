"""`keyadmin keys list --watch`: the list again and again, and what changed in it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from keyadmin.cli.render import View, show_data, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.streams import reader_gone
from keyadmin.keys.listing import Listed, ListOptions
from keyadmin.model.causes.table import entry
from keyadmin.model.key import Key
from keyadmin.model.problem import Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

_CLEAR = "\x1b[H\x1b[2J"
_AGES = ("ageDays", "keyString")  # time alone is no change


def watch(
    context: typer.Context,
    listed: Callable[[Cloud], Awaitable[Listed]],
    selection: ListOptions,
    view: View[Key],
    every_s: float,
) -> NoReturn:
    """List every `every_s` seconds until interrupted. On a terminal the table is redrawn, else printed when it changed.

    `jsonl` prints a line an event: `{"event": "added"|"changed"|"removed", "key": {...}}`.
    """
    session = current(context)
    if session.format not in ("table", "jsonl"):
        raise usage(f"--watch and --format {session.format} do not go together", "use table or jsonl")
    if every_s < 1:
        raise usage("--interval is at least 1s")

    async def work(cloud: Cloud) -> NoReturn:
        before: dict[str, Any] | None = None
        seen = WatchState(session)
        while True:
            try:
                shown = selection.of(seen.keys(await listed(cloud)), session.now())
                before = _show(session, shown.keys, view, before)
                seen.say_hidden(shown.notes)
            except Problem as problem:
                if not entry(problem.cause).passing:
                    raise
                session.console.warning(f"{problem.message}; trying again")
            await asyncio.sleep(every_s)

    run(context, work)
    raise AssertionError("unreachable: watching ends by an exception")


class WatchState:
    """What the listings so far have shown, so that each thing is told once."""

    def __init__(self, session: Session) -> None:
        self._console = session.console
        self._keys: list[Key] = []
        self._failed: set[str] = set()
        self._notes: list[str] = []

    def keys(self, found: Listed) -> list[Key]:
        """The keys found; those of a project that could not be listed this time, as they were."""
        kept = [key for key in self._keys if key.project in found.failed]
        self._keys = [*found.keys, *kept]
        if new := sorted(found.failed.keys() - self._failed):
            some = f"{', '.join(new[:3])}{' and others' if len(new) > 3 else ''}"
            self._console.warning(
                f"{some} could not be listed; their keys are shown as they were: {found.failed[new[0]].message}"
            )
        self._failed = set(found.failed)
        return self._keys

    def say_hidden(self, notes: list[str]) -> None:
        """What is not shown, when that has changed, and each time where the screen is drawn anew."""
        if notes != self._notes or sys.stdout.isatty():
            for note in notes:
                self._console.note(f"{note}.", always=True)
        self._notes = notes


def _show(session: Session, keys: list[Key], view: View[Key], before: dict[str, Any] | None) -> dict[str, Any]:
    session.observer.finished()
    now = {key.name: {name: value for name, value in view.to_json(key).items() if name not in _AGES} for key in keys}
    if session.format == "jsonl":
        for event in events(before or {}, now):
            show_data(session, event)
    elif sys.stdout.isatty():
        sys.stdout.write(_CLEAR)
        sys.stdout.write(f"{datetime.now():%H:%M:%S}  {len(keys)} keys, Ctrl-C ends\n\n")
        show_list(session, keys, view)
    elif now != before:
        show_list(session, keys, view)
    sys.stdout.flush()  # not streams.flush: where nobody reads any more, watching ends
    if reader_gone(sys.stdout):
        raise BrokenPipeError
    return now


def events(before: dict[str, Any], now: dict[str, Any]) -> list[dict[str, Any]]:
    """What happened between two listings, keys by full name."""
    happened = [
        {"event": "changed" if name in before else "added", "key": key} for name, key in now.items() if before.get(name) != key
    ]
    return happened + [{"event": "removed", "key": key} for name, key in before.items() if name not in now]
