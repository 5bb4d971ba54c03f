"""The local Google Cloud: the store, who may do what, the services, and the way of every call through them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keyadmin.sandbox import charges
from keyadmin.sandbox import seed as seeds
from keyadmin.sandbox.api import Answer, Api, Call, Caller, Json, Method
from keyadmin.sandbox.callers import caller_of
from keyadmin.sandbox.default_seed import default_seed
from keyadmin.sandbox.faults import Drop, Fault
from keyadmin.sandbox.messages.status import Code, RpcError
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.registry import apis, service_tables
from keyadmin.sandbox.state.store import Damaged, is_damage
from keyadmin.sandbox.world import TABLES, World

_DEBUG = "type.googleapis.com/google.rpc.DebugInfo"
REMEMBERED = 10_000  # requests kept for `/_sandbox/requests`


class Undone(Exception):
    """Ends a transaction whose change is not to be kept."""


def tables() -> str:
    """The SQL of all tables. Where it changes store.VERSION is raised, and a test insists on that."""
    return TABLES + service_tables()


class LocalCloud:
    """One emulated cloud: the world, the services, and the way of every call. Not thread-safe: one event loop uses it."""

    def __init__(self, state: Path | None = None, *, alone: bool = False) -> None:
        """Over a state file (None = in memory); `alone` = no other process uses it. Raises NotAState."""
        try:
            self.world = World(state, service_tables(), alone=alone)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if state is None or not is_damage(error):
                raise
            raise Damaged(state, error) from None
        self.requests: deque[tuple[str, str, str, int]] = deque(maxlen=REMEMBERED)
        self.apis: dict[str, Api] = apis()

    def start(self, seed: Json | None = None) -> None:
        """Fill a new state with a seed (None = the default one); merge a given seed into an old state.

        Raises BadSeed, and NotAState for a damaged state.
        """
        try:
            self._fill(seed)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if self.world.store.path is None or not is_damage(error):
                raise
            raise Damaged(self.world.store.path, error) from None

    def _fill(self, seed: Json | None) -> None:
        with self.world.store.change():
            if seed is not None or self.world.setting("start-seed") is None:
                kept = seed if seed is not None else default_seed(self.world.clock.now())
                seeds.apply(self.world, kept)
                self.world.set("start-seed", json.dumps(kept))

    def reset(self) -> None:
        """Back to the start seed; clock, faults, quotas and log cleared."""
        with self.world.store.change():
            kept = json.loads(self.world.setting("start-seed") or "{}")
            for (table,) in self.world.store.all("SELECT name FROM sqlite_master WHERE type = 'table'"):
                self.world.store.run(f'DELETE FROM "{table}"')  # noqa: S608
            self.world.store.generation += 1
            seeds.apply(self.world, kept)
            self.world.set("start-seed", json.dumps(kept))
        self.world.faults.clear()
        self.requests.clear()

    async def handle(self, method: Method, read: Callable[[], Json], headers: Mapping[str, str]) -> Answer:
        """One call: who asks, conditions, leave to be charged, the rule, the log.

        `read` parses the request and may refuse it; `headers` have lower-case names. Raises RpcError, or Drop to hang up.
        """
        status, principal, began = "OK", "", time.monotonic_ns()
        try:
            caller = caller_of(headers, method.api.credentials)
            principal = caller.principal
            if self.world.faults.latency is not None or self.world.faults.slow:
                await self.world.faults.wait(method.full_name, writes=method.writes)
            return self._answer(method, read(), caller, began)
        except RpcError as error:
            status = error.code.name
            if method.api.reworded is not None:
                raise method.api.reworded(error) from None
            raise
        except Drop:
            status = "UNAVAILABLE"
            raise
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if self.world.store.path is None or not is_damage(error):
                raise
            status = "DATA_LOSS"
            damage = Damaged(self.world.store.path, error)
            raise RpcError(Code.DATA_LOSS, f"{damage}. To start over, {damage.mend}") from None
        finally:
            self.requests.append((method.full_name, principal, status, self.world.clock.now()))

    def _answer(self, method: Method, request: Json, caller: Caller, began: int) -> Answer:
        self.world.store.sync()
        faults = self.world.faults
        call = Call(self.world, method, caller, self.world.clock.now(), began)
        self.world.hierarchy.expire(call.now)
        if faults.quotas:
            charges.charge(call, request)
        if faults.injected and (fault := faults.take(method.full_name, "before")):
            raise fault.error()
        try:
            answer = self._ruled(call, request)
        except RpcError as error:
            if error.code is Code.PERMISSION_DENIED and call.problems:
                error.details.append({"@type": _DEBUG, "detail": "; ".join(call.problems)[:2000]})
            raise
        if faults.injected and (fault := faults.take(method.full_name, "after")):
            raise fault.error()
        return answer

    def _ruled(self, call: Call, request: Json) -> Answer:
        """What the rule answers, if the project that is to pay may be charged."""
        method, faults = call.method, self.world.faults
        charges.check(call)
        call.granted.clear()
        if not method.writes:
            answer = method.rule(call, request)
        elif faults.injected and (fault := faults.take(method.full_name, "operation")):
            answer = self._failing_operation(call, request, fault)
        else:
            with self.world.store.change():
                answer = method.rule(call, request)
        return answer

    def _failing_operation(self, call: Call, request: Json, fault: Fault) -> Json:
        """The call is accepted; its operation ends with the fault's error and nothing is changed."""
        try:
            with self.world.store.change():
                answer = call.method.rule(call, request)
                raise Undone
        except Undone:
            started = (
                isinstance(answer, dict) and not answer.get("done") and str(answer.get("name", "")).startswith("operations/")
            )
            if not isinstance(answer, dict) or not started:
                raise fault.error() from None
        with self.world.store.change():
            return call.operation(answer["name"], error=fault.error(), metadata=answer.get("metadata"))

    def log(self) -> list[dict[str, Any]]:
        """The remembered requests, oldest first."""
        return [
            {"method": method, "principal": principal, "status": status, "at": rfc3339(at)}
            for method, principal, status, at in self.requests
        ]

    def close(self) -> None:
        """Close the store."""
        self.world.store.close()
