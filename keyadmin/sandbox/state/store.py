"""The SQLite store: one file (or memory), write-ahead log, a transaction per change."""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keyadmin.sandbox.state.lock import opening

MAGIC = 0x6B657961  # PRAGMA application_id: "keya"
VERSION = 2  # PRAGMA user_version: raised when a table changes


class NotAState(Exception):
    """The file is not a keyadmin sandbox state; it was left as it was. `mend` = what to type about it, where there is such."""

    mend: str | None = None


class OtherVersion(NotAState):
    """A state that another version of keyadmin made: what it holds cannot be carried over."""

    def __init__(self, path: Path, found: int) -> None:
        age = "an older" if found < VERSION else "a newer"
        super().__init__(f"{path} was made by {age} keyadmin: its layout has version {found}, this one reads version {VERSION}")
        old = shlex.quote(f"{path}.old")
        self.mend = f"move it away, and the next command makes a new one: mv {shlex.quote(str(path))} {old}"


class Damaged(NotAState):
    """A state of ours that cannot be read any more."""

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(f"{path} is damaged and cannot be read as a sandbox state: {why}")
        old = shlex.quote(f"{path}.damaged")
        self.mend = f"move it away, and the next command makes a new one: mv {shlex.quote(str(path))} {old}"


_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_NOMEM")


def is_damage(error: Exception) -> bool:
    """Whether an error of SQLite, or of what was read, means that the file's content is broken."""
    if isinstance(error, UnicodeDecodeError):
        return True
    if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        return False
    name = getattr(error, "sqlite_errorname", None)
    return not (name or "").startswith(_PASSING) and (name != "SQLITE_ERROR" or "malformed" in str(error))


def _unmade(head: bytes) -> bool:
    """An SQLite file of nobody, without a table: what is left where making a state was cut short."""
    return int.from_bytes(head[68:72], "big") == 0 and int.from_bytes(head[103:105], "big") == 0


class Store:
    """A connection to the state. One thread uses it; several processes may share the file.

    `synchronous=NORMAL` with a write-ahead log keeps every committed change through kill -9 (only a power cut may lose the
    last ones, without corruption): https://www.sqlite.org/pragma.html#pragma_synchronous
    """

    def __init__(self, path: Path | None, tables: str, *, alone: bool = False) -> None:
        """`alone`: no other process shares the file, so that no call need take a lock or look for others' changes."""
        self.path = path
        self._shared = path is not None and not alone
        self._depth = 0
        self._seen_version = -1
        self.generation = 0  # rises whenever policy, hierarchy, roles or services may have changed
        if path is None:
            self._open(":memory:", tables)
            return
        with opening(path):  # else another process could meet a file that is half made
            self._check(path)
            try:
                self._open(str(path), tables)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                raise Damaged(path, error) from None

    def _open(self, path: str, tables: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=30)
        if not self._shared:
            self.db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("PRAGMA foreign_keys=OFF")
        self._create(tables)

    @staticmethod
    def _check(path: Path) -> None:
        """Refuse a file that is something else before SQLite touches it; make a new one with mode 0600."""
        if path.exists() and path.stat().st_size > 0:
            with path.open("rb") as file:
                head = file.read(105)
            if not head.startswith(b"SQLite format 3\0"):
                raise NotAState(f"{path} is not a sandbox state: it does not begin as an SQLite file")
            if _unmade(head):
                return
            if int.from_bytes(head[68:72], "big") != MAGIC:
                raise NotAState(f"{path} is an SQLite file of another program")
            if (version := int.from_bytes(head[60:64], "big")) != VERSION:
                raise OtherVersion(path, version)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))

    def _create(self, tables: str) -> None:
        if self.db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return
        if self.one("SELECT 1 FROM sqlite_master"):
            raise NotAState(f"{self.path} is an SQLite file of another program")
        with self.change():
            for statement in tables.split(";"):
                if statement.strip():
                    self.db.execute(statement)
            self.db.execute(f"PRAGMA application_id={MAGIC}")
            self.db.execute(f"PRAGMA user_version={VERSION}")
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the file itself says what it is

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction; nested use joins the outer one. Rolled back when the body raises."""
        if self._depth == 0:
            self.db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self.db.execute("ROLLBACK")
                self.generation += 1  # what was cached inside may be of the undone change
            raise
        self._depth -= 1
        if self._depth == 0:
            self.db.execute("COMMIT")

    def sync(self) -> int:
        """The generation, raised if another process has written since the last look. Caches compare it."""
        if self._shared:
            version = self.db.execute("PRAGMA data_version").fetchone()[0]
            if version != self._seen_version:
                self._seen_version = version
                self.generation += 1
        return self.generation

    def one(self, sql: str, *values: Any) -> Any:
        """The first row as a tuple, or None."""
        return self.db.execute(sql, values).fetchone()

    def all(self, sql: str, *values: Any) -> list[Any]:
        """All rows."""
        return self.db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """Execute; the number of rows changed."""
        return self.db.execute(sql, values).rowcount

    def close(self) -> None:
        """Close the connection; the last one folds the log into the file."""
        self.db.close()
