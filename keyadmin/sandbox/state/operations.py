"""Long-running operations: the first answer is never done, the first poll finds it done unless latency was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from keyadmin.sandbox.messages.status import RpcError, not_found
from keyadmin.sandbox.state.clock import Clock
from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE operations (
  name TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  ready INTEGER NOT NULL,           -- microseconds: done from then on
  doc TEXT NOT NULL                 -- {"metadata"?, "response" | "error"}: a secret where the response carries a key string
) WITHOUT ROWID;
CREATE INDEX operations_ready ON operations(ready);
"""

KEPT = 24 * 3600 * 1_000_000  # unsourced: how long finished operations can be polled; a day here, in microseconds


class Operations:
    """Started by rules within their transaction, read by every API's GetOperation."""

    def __init__(self, store: Store, clock: Clock, work: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._work = work  # microseconds that the next operation takes
        self._started = 0

    def start(
        self,
        name: str,
        principal: str,
        *,
        response: dict[str, Any] | None = None,
        error: RpcError | None = None,
        metadata: dict[str, Any] | None = None,
        needs: list[list[str]] | None = None,
    ) -> dict[str, Any]:
        """Record the outcome and answer the not yet done operation. `response` and `metadata` carry their `@type`.

        `needs`: what whoever reads it must hold, as [permission, resource, ...]; none = it is its principal's alone.
        """
        doc: dict[str, Any] = {"metadata": metadata} if metadata else {}
        if needs:
            doc["needs"] = needs
        if error is not None:
            doc["error"] = error.status()
        else:
            doc["response"] = response if response is not None else {"@type": "type.googleapis.com/google.protobuf.Empty"}
        now = self._clock.now()
        self._store.run("INSERT INTO operations VALUES (?, ?, ?, ?)", name, principal, now + self._work(), json.dumps(doc))
        self._started += 1
        if self._started % 1000 == 0:
            self._store.run("DELETE FROM operations WHERE ready < ?", now - KEPT)
        return {"name": name} | ({"metadata": metadata} if metadata else {})

    def readers(self, name: str) -> tuple[str, list[list[str]]]:
        """Whose it is, and what others must hold to read it. Raises NOT_FOUND."""
        row = self._store.one("SELECT principal, doc FROM operations WHERE name = ?", name)
        if not row:
            raise not_found(f"Operation not found: {name}")
        return row[0], json.loads(row[1]).get("needs", [])

    def get(self, name: str) -> dict[str, Any]:
        """GetOperation. Raises NOT_FOUND."""
        row = self._store.one("SELECT ready, doc FROM operations WHERE name = ?", name)
        if not row:
            raise not_found(f"Operation not found: {name}")
        doc: dict[str, Any] = json.loads(row[1])
        doc.pop("needs", None)
        if self._clock.now() < row[0]:
            return {"name": name} | ({"metadata": doc["metadata"]} if "metadata" in doc else {})
        return {"name": name, "done": True} | doc
