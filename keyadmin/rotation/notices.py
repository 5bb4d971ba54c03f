"""Notices of a run: an event per step to a program, and a Prometheus textfile."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from keyadmin.handover.sinks.exec import words
from keyadmin.local.files import write_text
from keyadmin.local.subprocesses import Output, environment
from keyadmin.model.lineage import State
from keyadmin.model.observer import Observer
from keyadmin.model.problem import usage
from keyadmin.model.secret import redact
from keyadmin.rotation.decide import Action
from keyadmin.rotation.find import Selection
from keyadmin.rotation.job import Event
from keyadmin.rotation.plan import Planned

TIMEOUT_S: Final = 60.0
_SHOWN: Final = 500  # characters of the program's own words


def notifier(spec: str, observer: Observer) -> Notifier:
    """`exec:COMMAND`. Raises usage() for anything else."""
    kind, _, command = spec.partition(":")
    if kind != "exec":
        raise usage(f"{spec!r} is not a notice: write --notify exec:COMMAND; it gets the events as lines of JSON")
    return Notifier(words(command, "--notify"), observer)


class Notifier:
    """Collects the events of a run and hands them to a program at its end, one JSON object a line, on its standard input.

    A notice that fails is a warning, never a failed rotation.
    """

    def __init__(self, command: Sequence[str], observer: Observer) -> None:
        self._command = command
        self._observer = observer
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self._events.append(event)

    def send(self) -> None:
        """Run the program; nothing to tell = it is not run."""
        if not self._events:
            return
        text = "".join(json.dumps(event.to_json(), ensure_ascii=False) + "\n" for event in self._events)
        try:
            why = self._failure(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            why = f"cannot be started: {error.strerror}"
        except subprocess.TimeoutExpired:
            why = f"did not end within {TIMEOUT_S:g} s and was stopped"
        if why is not None:
            self._observer.warning(f"the notice was not taken: {self._command[0]} {why}")

    def _failure(self, text: bytes) -> str | None:
        """Run the program; in words why it did not take the notice. Raises OSError and TimeoutExpired."""
        output = Output()
        try:
            process = subprocess.Popen(  # noqa: S603 - the person's own command, split without a shell
                self._command, stdin=subprocess.PIPE, stdout=output.end, stderr=output.end, env=environment()
            )
        finally:
            output.started()
        with process:
            try:
                process.communicate(text, TIMEOUT_S)
            except BaseException:  # Ctrl-C too
                process.kill()
                raise
        if process.returncode == 0:
            return None
        said = redact(output.said())[-_SHOWN:]
        return f"ended with exit code {process.returncode}" + (f": {said}" if said else "")


def write_metrics(path: Path, planned: Sequence[Planned], now: datetime, found: Selection) -> None:
    """A textfile for Prometheus' node exporter, replaced in one step. `planned` = as it stands after the run.

    Raises Problem where it cannot be written.

    Format: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    lines = ["# HELP keyadmin_key_age_seconds Age of the newest key of each lineage.", "# TYPE keyadmin_key_age_seconds gauge"]
    for one in planned:
        key = one.chosen.lineage.newest.key
        if key.create_time is not None:
            labels = _labels(project=one.chosen.lineage.project, lineage=one.chosen.lineage.id, name=key.display_name)
            age = max(0, round((now - key.create_time).total_seconds()))  # the server's time is known to a second
            lines.append(f"keyadmin_key_age_seconds{labels} {age}")
    due = sum(1 for one in planned if one.decision.action is Action.CREATE)
    stuck = sum(1 for one in planned if one.state is State.STUCK)
    kept = sum(1 for one in planned if one.decision.action is Action.RETIRE)
    failed = sum(1 for one in planned if one.failed)
    for name, text, value in (
        ("due", "Lineages whose key is older than allowed.", due),
        ("stuck", "Lineages that are stuck until somebody fixes the cause.", stuck),
        ("kept", "Lineages whose old key works on though its grace period is over: it is still used, or a run failed.", kept),
        ("failed", "Lineages with which the last run failed.", failed),
        ("unreadable_projects", "Projects that could not be checked.", len(found.errors)),
        ("last_run_timestamp_seconds", "When this was written, by the server's clock.", int(now.timestamp())),
    ):
        lines += [f"# HELP keyadmin_rotation_{name} {text}", f"# TYPE keyadmin_rotation_{name} gauge"]
        lines.append(f"keyadmin_rotation_{name} {value}")
    lines += ["# HELP keyadmin_rotation_lineages Lineages by state.", "# TYPE keyadmin_rotation_lineages gauge"]
    for state, count in sorted(Counter(one.state.value for one in planned).items()):
        lines.append(f"keyadmin_rotation_lineages{_labels(state=state)} {count}")
    write_text(path, "\n".join(lines) + "\n", mode=0o644)


def _labels(**values: str) -> str:
    escaped = (redact(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in values.values())
    return "{" + ",".join(f'{name}="{value}"' for name, value in zip(values, escaped, strict=True)) + "}"
