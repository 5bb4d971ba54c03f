"""The one way a command runs asynchronous work."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from keyadmin.access.naming import name_by_id
from keyadmin.cli import remember
from keyadmin.cli.session import current
from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    import typer

    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.pace import Waiting

T = TypeVar("T")


def run(context: typer.Context, work: Callable[[Cloud], Awaitable[T]], *, credentials: bool = True) -> T:
    """Connect to the target of this run, do `work` with the connection, close it, give back the result.

    `credentials=False` loads none: checking a key that was given as a string needs nobody to be signed in.
    Ctrl-C cancels the work; it ends here as KeyboardInterrupt, which the command line's end turns into exit code 130.
    """
    session = current(context)
    gc.set_threshold(50_000, 20, 50)  # the default spends a quarter of a run over thousands of keys on collecting nothing

    async def whole() -> T:
        from keyadmin.cloud.connect import connect

        def on_wait(waiting: Waiting) -> None:
            kind = "writes" if waiting.write else "reads"
            session.observer.waiting(f"quota of {kind} of {waiting.service} used up", waiting.seconds)

        target = session.target()
        async with connect(target, credentials=credentials, on_wait=on_wait, on_silence=session.observer.note) as cloud:
            session.clock = cloud.now
            try:
                return await work(cloud)
            except Problem as problem:
                if problem.cause is not Cause.NETWORK_UNREACHABLE:
                    await name_by_id(cloud, problem)
                raise
            finally:
                remember.seen(session, cloud.seen)

    return run_alone(context, whole())


@contextmanager
def keeping_all() -> Iterator[None]:
    """For work whose objects live until its end, half a million of them: a tenth of its time went into looking for garbage.

    What is dropped meanwhile is freed all the same, but for cycles (the documentation of Python's module gc).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run_alone(context: typer.Context, work: Coroutine[Any, Any, T]) -> T:
    """The same for work that needs no connection (serving the sandbox)."""
    import asyncio  # a third of a small command's start; completing and --help run nothing

    results: list[T] = []

    async def kept() -> None:
        """Without a result of its own: up to Python 3.11.7 asyncio.run writes that out twice for nothing (gh-112559)."""
        results.append(await work)

    try:
        asyncio.run(kept())
    finally:
        current(context).observer.finished()
    return results[0]
