"""The one way a command runs asynchronous work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from keyadmin.cli.session import current

if TYPE_CHECKING:
    import typer

    from keyadmin.cloud.connect import Cloud

T = TypeVar("T")


def run(context: typer.Context, work: Callable[[Cloud], Awaitable[T]]) -> T:
    """Connect to the target of this run, do `work` with the connection, close it, give back the result.

    Ctrl-C cancels the work; it ends here as KeyboardInterrupt, which the command line's end turns into exit code 130.
    """
    session = current(context)

    async def whole() -> T:
        from keyadmin.cloud.connect import connect

        async with connect(session.target()) as cloud:
            return await work(cloud)

    return run_alone(context, whole())


def run_alone(context: typer.Context, work: Coroutine[Any, Any, T]) -> T:
    """The same for work that needs no connection (serving the sandbox)."""
    try:
        return asyncio.run(work)
    finally:
        current(context).observer.finished()
