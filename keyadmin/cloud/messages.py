"""From protobuf to plain values: what every wrapper over gRPC needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from keyadmin.cloud.calls import ListPage

Value = TypeVar("Value")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(value: Any) -> datetime | None:
    """A Timestamp (as proto-plus gives it) as a plain datetime in UTC; None where it is unset."""
    return None if value is None else stamp_moment(value.timestamp_pb())


def stamp_moment(stamp: Any) -> datetime:
    """A protobuf Timestamp as a plain datetime in UTC."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def enum_name(value: Any) -> str:
    """The name of an enum's value; what the installed client does not know is given as its number."""
    return str(getattr(value, "name", value))


def unpacked(packed: Any, kind: Any) -> Any:
    """The proto-plus message of this kind inside an operation's `response`."""
    return kind.deserialize(packed.value)


def paging(
    call: Callable[[dict[str, Any]], Awaitable[Any]], request: dict[str, Any], field: str, read: Callable[[Any], Value]
) -> Callable[[str], Coroutine[Any, Any, ListPage[Value]]]:
    """For `calls.pages`: one call a page. The clients' pagers would fetch further pages past our pace and retry rules."""

    async def fetch(token: str) -> ListPage[Value]:
        first = await call(request | {"page_token": token})
        return ListPage([read(item) for item in getattr(first, field)], first.next_page_token)

    return fetch
