"""`keyadmin sandbox serve`: the sandbox in the foreground, on loopback TCP."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from keyadmin.sandbox import seed as seeds
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.server import Server
from keyadmin.sandbox.state.lock import StateLock


@dataclass(frozen=True)
class ServeOptions:
    """What `serve` was asked for. `latency` = milliseconds or `recorded`; ports 0 = any free one."""

    rest_port: int = 0
    grpc_port: int = 0
    state: Path | None = None
    seed: Path | None = None
    latency: str | None = None
    ready_file: Path | None = None
    allow_remote: bool = False


async def serve(options: ServeOptions) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises BadSeed, NotAState, StateLocked, RpcError (a bad latency), CannotListen, or OSError (a file), all before anything is
    served.
    """
    seed = seeds.read(options.seed) if options.seed else None
    lock = StateLock(options.state, alone=True) if options.state else None
    try:
        cloud = LocalCloud(options.state, alone=True)
        if options.latency is not None:
            cloud.world.faults.set_latency(options.latency)
            cloud.world.faults.start_latency = cloud.world.faults.latency
        try:
            cloud.start(seed)
        except seeds.BadSeed as error:
            raise seeds.BadSeed(f"{options.seed}: {error}") from None
        server = Server(cloud, any_host=options.allow_remote)
        try:
            await server.open_tcp("0.0.0.0" if options.allow_remote else "127.0.0.1", options.rest_port, options.grpc_port)  # noqa: S104
            info = server.addresses() | {"pid": os.getpid()}
            if lock is not None:
                lock.announce(info)
            stop = _stop_signal()
            _ready(json.dumps(info), options.ready_file)
            await stop.wait()
        finally:
            await server.close()
    finally:
        if lock is not None:
            lock.release()


def _ready(line: str, path: Path | None) -> None:
    """Say so on stdout and, atomically, in the ready file."""
    if path is not None:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # in /tmp a name that can be told is somebody's link
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(temporary, flags, 0o644), "w") as file:
            file.write(line + "\n")
        temporary.replace(path)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _stop_signal() -> asyncio.Event:
    """Set when the process is asked to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop
