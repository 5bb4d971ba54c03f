"""The journal of a run, beside its plan: a line before and after each change, on the disk before anything else is done.

It is what a run that was killed goes on from, on any machine that has both files, and what `audit undo` puts back. Names,
etags and restrictions stand in it; no key string ever does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from keyadmin.audit.fix.change import KINDS, ROTATING, FixChange, Slot
from keyadmin.audit.fix.parts import PlanPart, wrong
from keyadmin.local.folders import open_folder
from keyadmin.local.locks import hold, unwritable
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.key_codec import format_time, parse_time, restrictions_from_json, restrictions_to_json
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact

SCHEMA_VERSION: Final = 1
DOCUMENT: Final = "keyadmin-fix-journal"
ENDING: Final = ".run.jsonl"
_MOST_BYTES: Final = 256 * 2**20

Step = Literal["begin", "done", "waiting", "skipped", "failed", "undo-begin", "undone", "undo-skipped", "undo-failed"]
FINISHED: Final = frozenset({"done", "undo-begin", "undone", "undo-skipped", "undo-failed"})


def journal_of(plan: Path) -> Path:
    """The journal that goes with a plan: `PLAN.run.jsonl`."""
    return plan.with_name(plan.name + ENDING)


@dataclass
class KeyRecord:
    """What a run did with one key, be it to contain or to replace it. `step` = the last word; `before`, `after` = restrictions;
    `order` = of being done.
    """

    step: Step
    before: Restrictions | None = None
    after: Restrictions | None = None
    etag: str = ""
    deleted: datetime | None = None
    detail: str = ""
    cause: str = ""
    order: int = 0
    at: datetime | None = None
    """When the last word was said."""
    begun: bool = False
    """Whether the change was begun by this run: what it then finds as wished may be its own."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be done with it, be it done or undone."""
        return self.step in FINISHED

    @property
    def undone(self) -> bool:
        """Whether it was put back."""
        return self.step == "undone"


@dataclass
class WaveRecord:
    """What is known of a wave: when its last change was made, and whether it was judged."""

    ended: datetime | None = None
    verdict: str = ""
    harmed: tuple[str, ...] = ()
    """Keys that it harmed, by full name."""


@dataclass
class FixRecord:
    """A journal as it was read."""

    keys: dict[Slot, KeyRecord] = field(default_factory=dict)
    waves: dict[int, WaveRecord] = field(default_factory=dict)
    done: int = 0
    """How many changes were made so far, in whose order they are undone backwards."""

    def of(self, change: FixChange) -> KeyRecord | None:
        """What became of a change; None = nothing yet."""
        return self.keys.get(change.slot)


class FixJournal:
    """An open journal, locked: one process at a time goes on with a run."""

    def __init__(self, path: Path, descriptor: int, run: str) -> None:
        self.path = path
        self.record = FixRecord()
        self._descriptor = descriptor
        self._run = run

    def begin(self, at: datetime, key: Key, change: FixChange) -> None:
        """A change is about to be made."""
        self._key(at, "begin", change, {"before": restrictions_to_json(key.restrictions), "etag": key.etag})

    def end(
        self, at: datetime, step: Step, change: FixChange, key: Key | None = None, detail: str = "", cause: str = ""
    ) -> None:
        """What came of it; `key` = as it is now."""
        more: dict[str, Any] = {}
        if key is not None:
            more = {"after": restrictions_to_json(key.restrictions), "etag": key.etag}
            more |= {"deleted": format_time(key.delete_time)} if key.delete_time is not None else {}
        more |= {"detail": redact(detail)} if detail else {}
        self._key(at, step, change, more | ({"cause": cause} if cause else {}))

    def wave_ended(self, at: datetime, wave: int) -> None:
        """The last change of a wave was made."""
        self._write({"at": format_time(at), "wave": wave, "step": "ended"})

    def judged(self, at: datetime, wave: int, verdict: str, harmed: list[str]) -> None:
        """What was observed behind a wave."""
        self._write({"at": format_time(at), "wave": wave, "step": "judged", "verdict": verdict, "harmed": harmed})

    def head(self, at: datetime, digest: str, who: str | None) -> None:
        """The first line."""
        if not os.fstat(self._descriptor).st_size:
            about = {"schemaVersion": SCHEMA_VERSION, "document": DOCUMENT, "run": self._run}
            self._append(about | {"at": format_time(at), "plan": digest, "by": who})

    def _key(self, at: datetime, step: Step, change: FixChange, more: Mapping[str, Any]) -> None:
        self._write({"at": format_time(at), "key": change.name, "change": change.kind, "step": step, **more})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._append(line)
        _take(self.record, PlanPart(self.path, "", dict(line)))

    def _append(self, line: Mapping[str, Any]) -> None:
        data = (json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n").encode()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise unwritable(self.path, error) from error


@contextmanager
def open_journal(plan: Path, run: str) -> Iterator[FixJournal]:
    """The journal beside a plan, made where there is none, locked until the end, read.

    Raises Problem: another process goes on with the run, it cannot be written; (exit 2) it is of another run or damaged.
    """
    path = journal_of(plan)
    try:
        with open_folder(path.parent) as folder:
            descriptor = folder.open(path.name, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        hold(descriptor, path)
        journal = FixJournal(path, descriptor, run)
        _cut(descriptor)
        with open(os.dup(descriptor), "rb") as file:
            file.seek(0)
            journal.record = _read(path, file.read(_MOST_BYTES), run)
        yield journal
    finally:
        os.close(descriptor)


def read_journal(plan: Path, run: str) -> FixRecord:
    """What a journal tells; nothing where there is none. Raises Problem (exit 2) for a damaged one."""
    path = journal_of(plan)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return FixRecord()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise Problem(Cause.UNKNOWN, message, fix=(f"see that {path} may be read",)) from None
    return _read(path, data[: data.rfind(b"\n") + 1], run)


def _cut(descriptor: int) -> None:
    """Take away the beginning of a line whose writer was killed: it was of nothing that had happened yet, or is found out."""
    size = os.fstat(descriptor).st_size
    at, tail = size, b""
    while at and b"\n" not in tail:
        step = min(4096, at)
        at -= step
        os.lseek(descriptor, at, os.SEEK_SET)
        tail = os.read(descriptor, step) + tail
    end = at + tail.rfind(b"\n") + 1 if b"\n" in tail else 0
    if end < size:
        os.ftruncate(descriptor, end)


def _read(path: Path, data: bytes, run: str) -> FixRecord:
    record = FixRecord()
    for number, line in enumerate(data.splitlines(), 1):
        place = f"line {number}"
        try:
            part = PlanPart(path, place, json.loads(line))
        except (ValueError, RecursionError):
            raise wrong(path, place, "not JSON: the journal is damaged") from None
        if number == 1:
            if part.text("document", "") != DOCUMENT:
                raise wrong(path, place, "not the journal of a fix")
            if (found := part.text("run")) != run:
                raise wrong(path, place, f"it is of the run {found}, and the plan is {run}")
            if (version := part.number("schemaVersion", least=1)) != SCHEMA_VERSION:
                raise wrong(path, place, f"schemaVersion {version} is unknown to this keyadmin, which writes {SCHEMA_VERSION}")
            continue
        _take(record, part)
    return record


STEPS: Final = ("begin", "done", "waiting", "skipped", "failed", "undo-begin", "undone", "undo-skipped", "undo-failed")


def _take(record: FixRecord, part: PlanPart) -> None:
    """One line into what is known."""
    if "wave" in part.data:
        wave = record.waves.setdefault(part.number("wave", least=1), WaveRecord())
        if part.choice("step", ("ended", "judged")) == "ended":
            record.waves[part.number("wave", least=1)] = WaveRecord(ended=part.time("at"))
        else:
            wave.verdict = part.text("verdict", "")
            wave.harmed = tuple(part.texts("harmed", []))
        return
    step: Step = part.choice("step", STEPS)
    slot = part.text("key"), part.choice("change", KINDS) in ROTATING
    old = record.keys.get(slot)
    new = KeyRecord(step, order=old.order if old else 0, begun=bool(old and old.begun) or step == "begin")
    if old is not None:
        new.before, new.after, new.etag, new.deleted = old.before, old.after, old.etag, old.deleted
    if step == "begin" and (old is None or not old.begun):
        new.before, new.etag = part.restrictions("before", restrictions_from_json), part.text("etag", "")
    if step in ("done", "waiting"):
        new.after = part.restrictions("after", restrictions_from_json) if "after" in part.data else None
        new.deleted = parse_time(part.text("deleted", "") or None)
        new.etag = part.text("etag", "")
        if not new.order:
            record.done += 1
            new.order = record.done
    new.at = part.time("at")
    new.detail, new.cause = part.text("detail", ""), part.text("cause", "")
    record.keys[slot] = new
