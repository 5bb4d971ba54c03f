"""Runs keyadmin commands in forked children that can be killed at any remote call or file write.

A process of its own: it imports what commands need once, then reads a JSON list of orders a line from stdin, runs them side
by side and answers with a list a line. An order is {"argv", "env", "cwd", "kill": null or {"at": N, "when": "before"|
"after"|"soon after"}}; its answer {"code", "stdout", "stderr", "points", "answered"}: the exit code (-9 = killed), the
points passed, in order, and the numbers of those that were answered (a refused call has no moment after it).
Points are counted where keyadmin meets the world: each attempt of a remote call, each replaced file, each line of a journal,
each program started.
Nothing else is changed.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from keyadmin.audit.fix.journal import FixJournal
from keyadmin.cli import app
from keyadmin.cloud import calls
from keyadmin.handover import aws, http

# Imported before the forks, so that each costs little: what the commands would import themselves.
WARM = (
    *("aiohttp", "dotenv.parser", "filelock", "grpc.aio", "platformdirs.unix", "pydantic.type_adapter", "typer._adapters"),
    *("google.cloud.api_keys_v2", "google.cloud.iam_admin_v1", "google.cloud.monitoring_v3", "google.cloud.resourcemanager_v3"),
    *(
        "google.cloud.secretmanager_v1",
        "google.cloud.service_usage_v1",
        "keyadmin.cli.keys.rotate",
        "keyadmin.cli.rotation.run",
    ),
    *(
        "keyadmin.cli.rotation.rollback",
        "keyadmin.cli.rotation.run",
        "keyadmin.cli.rotation.migrate",
        "keyadmin.cli.audit.fix",
        "keyadmin.cli.audit.fix_run",
        "keyadmin.cli.audit.undo",
        "keyadmin.audit.scan",
        "keyadmin.cloud.apikeys",
        "keyadmin.cloud.channels",
    ),
    *("keyadmin.cloud.connect", "keyadmin.cloud.gemini", "keyadmin.cloud.secrets", "keyadmin.cloud.usage", "keyadmin.cli.logs"),
)


class Points:
    """Counts the points and kills at the one that was ordered."""

    def __init__(self, kill: dict[str, Any] | None, log: int) -> None:
        self._kill = kill
        self._log = log
        self._count = 0

    def begin(self, name: str) -> int:
        number = self._count
        self._count += 1
        os.write(self._log, f"{name}\n".encode())
        self._maybe(number, "before")
        return number

    def end(self, number: int) -> None:
        os.write(self._log, f"+{number}\n".encode())
        self._maybe(number, "after")

    def _maybe(self, number: int, when: str) -> None:
        if self._kill is None:
            return
        at, wanted = self._kill["at"], self._kill["when"]
        if (number, when) == (at, wanted) or (wanted == "soon after" and when == "after" and number >= at):
            os.kill(os.getpid(), signal.SIGKILL)


def watch(points: Points) -> None:
    """Put the points in."""
    run = calls.Runner.run

    async def counted_run(self: Any, call: Any, attempt: Callable[..., Awaitable[Any]], on_repeat: Any = None) -> Any:
        async def counted(*given: Any) -> Any:
            number = points.begin(call.method)
            result = await attempt(*given)
            points.end(number)
            return result

        return await run(self, call, counted, on_repeat)

    calls.Runner.run = counted_run  # type: ignore[method-assign]
    send = http.HttpSession.send

    async def counted_send(self: Any, method: str, path: str, data: bytes | None, headers: Any) -> Any:
        number = points.begin("send")
        answer = await send(self, method, path, data, headers)
        points.end(number)
        return answer

    http.HttpSession.send = counted_send  # type: ignore[method-assign]
    amazon = aws._call

    def counted_amazon(service: str, region: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        number = points.begin(f"aws:{method}")
        answer = amazon(service, region, method, arguments)
        points.end(number)
        return answer

    aws._call = counted_amazon
    replace = os.replace

    def counted_replace(source: Any, target: Any, **more: Any) -> None:
        number = points.begin("replace")
        replace(source, target, **more)
        points.end(number)

    os.replace = counted_replace  # type: ignore[assignment]
    _watch_journal(points)
    start = asyncio.create_subprocess_exec

    async def counted_start(*words: Any, **more: Any) -> Any:
        number = points.begin("exec")
        process = await start(*words, **more)
        communicate = process.communicate

        async def counted_communicate(input: Any = None) -> Any:
            result = await communicate(input)
            points.end(number)
            return result

        process.communicate = counted_communicate  # type: ignore[method-assign]
        return process

    asyncio.create_subprocess_exec = counted_start  # type: ignore[assignment]


def _watch_journal(points: Points) -> None:
    append = FixJournal._append

    def counted_append(self: Any, line: Any) -> None:
        number = points.begin("journal")
        append(self, line)
        points.end(number)

    FixJournal._append = counted_append  # type: ignore[method-assign]


def child(order: dict[str, Any], out: int, err: int, log: int) -> None:
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    code = 70
    try:
        watch(Points(order.get("kill"), log))
        code = app.main(order["argv"])
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - the end of the child: whatever it was is printed
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


class Child:
    """An order that is being carried out."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._files = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115 - closed in answer()
        self._pid = os.fork()
        if self._pid == 0:
            child(order, *(file.fileno() for file in self._files))

    def answer(self) -> dict[str, Any]:
        _, status = os.waitpid(self._pid, 0)
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.close()
        words = texts[2].split()
        return {
            "code": os.waitstatus_to_exitcode(status),
            "stdout": texts[0],
            "stderr": texts[1],
            "points": [word for word in words if word[0] != "+"],
            "answered": [int(word[1:]) for word in words if word[0] == "+"],
        }


def main() -> None:
    for name in WARM:
        importlib.import_module(name)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        children = [Child(order) for order in json.loads(line)]
        print(json.dumps([one.answer() for one in children]), flush=True)


if __name__ == "__main__":
    main()
