"""Which project ids were chosen for what: written before the first call, so that a run cut short can be gone on with.

One small file a run. An unfinished one is taken over by the next run that asks for the same, unless its own process still
works on it (it holds a lock). Finished ones are kept for a while: they tell one's own projects from those of others.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from keyadmin.local.files import config_dir, locked, read_json, write_json
from keyadmin.model.problem import Problem

TAKEN_OVER_FOR: Final = timedelta(days=7)
KEPT_FOR: Final = timedelta(days=30)
SKEW: Final = timedelta(minutes=10)  # that the clock here and the service's may differ


@dataclass(frozen=True, slots=True)
class Record:
    """What one run set out to make. `began`: aware, UTC."""

    account: str
    ids: tuple[str, ...]
    began: datetime
    finished: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {"account": self.account, "ids": list(self.ids), "began": self.began.isoformat(), "finished": self.finished}


class Run:
    """A run under way. `resumed` = it goes on with an earlier one. Its methods raise Problem where it cannot be written."""

    def __init__(self, path: Path, record: Record, *, resumed: bool) -> None:
        self._path = path
        self._record = record
        self.resumed = resumed

    @property
    def ids(self) -> tuple[str, ...]:
        """The project ids, in the order of what was asked for."""
        return self._record.ids

    @property
    def began(self) -> datetime:
        """When the first attempt began. Aware, UTC."""
        return self._record.began

    def swap(self, old: str, new: str) -> None:
        """Another id for one that turned out to be taken."""
        self._write(replace(self._record, ids=tuple(new if each == old else each for each in self.ids)))

    def finish(self) -> None:
        """All is made: the next run that asks for the same makes others."""
        self._write(replace(self._record, finished=True))

    def _write(self, record: Record) -> None:
        write_json(self._path, record.to_json())
        self._record = record


class Creations:
    """The runs of one account; the sandbox has its own folder."""

    def __init__(self, account: str | None, *, sandbox: bool, directory: Path | None = None) -> None:
        self._account = account or "default"
        self._folder = (directory or config_dir()) / ("sandbox-creations" if sandbox else "creations")

    @contextmanager
    def run(self, request: Sequence[object], choose: Callable[[], Sequence[str]]) -> Iterator[Run]:
        """Take over the unfinished run of the same `request` (JSON values), or begin one with the ids that `choose` gives.

        Raises Problem where the folder cannot be written.
        """
        self._tidy()
        with ExitStack() as held:
            yield self._unfinished(request, held) or self._new(request, tuple(choose()), held)

    def unfinished(self, request: Sequence[object]) -> Run | None:
        """The run that would be taken over, to look at."""
        with ExitStack() as held:
            return self._unfinished(request, held)

    def owns(self, project_id: str, created: datetime | None) -> bool:
        """Whether a project was made by a run of the last month: a run chose its id, and it was made since then."""
        records = (_read(path) for path in self._folder.glob("*.json"))
        return created is not None and any(
            project_id in record.ids and created >= record.began - SKEW
            for record in records
            if record is not None and record.account == self._account
        )

    def _digest(self, request: Sequence[object]) -> str:
        return hashlib.sha256(json.dumps([self._account, list(request)]).encode()).hexdigest()[:16]

    def _unfinished(self, request: Sequence[object], held: ExitStack) -> Run | None:
        for path in sorted(self._folder.glob(f"{self._digest(request)}-*.json")):
            record = _read(path)
            if record is None or record.finished or datetime.now(UTC) - record.began > TAKEN_OVER_FOR:
                continue
            with suppress(TimeoutError):  # its process is at work
                held.enter_context(_free_lock(path))
                return Run(path, record, resumed=True)
        return None

    def _new(self, request: Sequence[object], ids: tuple[str, ...], held: ExitStack) -> Run:
        path = self._folder / f"{self._digest(request)}-{secrets.token_hex(4)}.json"
        held.enter_context(locked(path))
        record = Record(self._account, ids, datetime.now(UTC))
        write_json(path, record.to_json())
        return Run(path, record, resumed=False)

    def _tidy(self) -> None:
        for path in self._folder.glob("*.json"):
            record = _read(path)
            if record is None or datetime.now(UTC) - record.began > KEPT_FOR:
                with suppress(OSError):  # somebody else tidies too
                    path.unlink()
                    path.with_suffix(".json.lock").unlink()


def _free_lock(path: Path) -> AbstractContextManager[Any]:
    """The lock of a run's file. Raises TimeoutError (filelock's own is one) where it is held."""
    from filelock import FileLock

    return FileLock(f"{path}.lock", timeout=0).acquire()


def _read(path: Path) -> Record | None:
    """The record; None where the file has gone or holds something else: then it says nothing of what was begun."""
    try:
        data = read_json(path)
        began = datetime.fromisoformat(data["began"])
        return Record(str(data["account"]), tuple(map(str, data["ids"])), began.astimezone(UTC), bool(data["finished"]))
    except (Problem, TypeError, KeyError, ValueError):
        return None
