"""What a run tells: its events to whoever wants notices, and a Prometheus textfile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from keyadmin.model.lineage import State
from keyadmin.rotation.decide import Action
from keyadmin.rotation.find import Selection
from keyadmin.rotation.job import Event
from keyadmin.rotation.plan import Planned
from keyadmin.unattended.destinations import Notices
from keyadmin.unattended.notice import Notice
from keyadmin.unattended.textfile import Textfile


class Notifier:
    """Collects the events of a run, and tells of them at its end.

    A notice that fails is a warning, never a failed rotation.
    """

    def __init__(self, about: str, notices: Notices, *, sandbox: bool = False) -> None:
        self._about = about
        self._notices = notices
        self._sandbox = sandbox
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self._events.append(event)

    def send(self) -> None:
        """Tell; nothing to tell = nobody is told."""
        if not self._events:
            return
        failed = [event for event in self._events if event.status == "failed"]
        keys = len({(event.project, event.lineage or event.key) for event in self._events if event.lineage or event.key})
        self._notices.send(
            Notice(
                self._about,
                self._events[-1].at,
                f"{self._about}: {len(self._events)} steps with {keys} keys or lineages, {len(failed)} of them failed",
                failed=bool(failed),
                lines=[_words(event) for event in failed],
                summary=dict(Counter(event.status for event in self._events)),
                events=[event.to_json() for event in self._events],
                sandbox=self._sandbox,
                streamed=True,
            )
        )


def _words(event: Event) -> str:
    where = " ".join(part for part in (event.project, event.key.rpartition("/")[2] or event.lineage) if part)
    return f"{where}{': ' if where else ''}{event.step} failed: {event.detail}"


def write_metrics(path: Path, planned: Sequence[Planned], now: datetime, found: Selection) -> None:
    """A textfile for Prometheus' node exporter, replaced in one step. `planned` = as it stands after the run.

    Raises Problem where it cannot be written.
    """
    text = Textfile("keyadmin")
    ages = []
    for one in planned:
        key = one.chosen.lineage.newest.key
        if key.create_time is not None:
            labels = {"project": one.chosen.lineage.project, "lineage": one.chosen.lineage.id, "name": key.display_name}
            ages.append((labels, max(0, round((now - key.create_time).total_seconds()))))  # the server's time is to a second
    text.family("key_age_seconds", "Age of the newest key of each lineage.", ages)
    due = sum(1 for one in planned if one.decision.action is Action.CREATE)
    stuck = sum(1 for one in planned if one.state is State.STUCK)
    kept = sum(1 for one in planned if one.decision.action is Action.RETIRE)
    failed = sum(1 for one in planned if one.failed)
    for name, words, value in (
        ("due", "Lineages whose key is older than allowed.", due),
        ("stuck", "Lineages that are stuck until somebody fixes the cause.", stuck),
        ("kept", "Lineages whose old key works on though its grace period is over: it is still used, or a run failed.", kept),
        ("failed", "Lineages with which the last run failed.", failed),
        ("unreadable_projects", "Projects that could not be checked.", len(found.errors)),
        ("last_run_timestamp_seconds", "When this was written, by the server's clock.", int(now.timestamp())),
    ):
        text.gauge(f"rotation_{name}", words, value)
    states = sorted(Counter(one.state.value for one in planned).items())
    text.family("rotation_lineages", "Lineages by state.", [({"state": state}, count) for state, count in states])
    text.write(path)
