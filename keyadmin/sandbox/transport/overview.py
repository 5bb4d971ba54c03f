"""What the sandbox holds, as tables for a person to look at: for the page and its data below `/_sandbox`."""

from __future__ import annotations

from typing import Any, Final

from keyadmin import __version__
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.faults import Fault
from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.page_table import PageTable, RowsWanted, listed, seconds
from keyadmin.sandbox.registry import services

Json = dict[str, Any]

_CONDITIONS: Final = ["Kind", "Method", "What happens"]
_REQUESTS: Final = ["At", "Method", "Caller", "Status"]


def overview(cloud: LocalCloud) -> Json:
    """`{"title", "now", "tables": [..], "methods": [..]}`, tables as `page_table.table` makes them, key strings masked.

    `methods` = the short names of all that can be called, for whoever makes one fail.
    """
    cloud.world.store.sync()
    tables = [each.make(cloud.world) for each in _shown()] + [
        _conditions(cloud, RowsWanted()),
        _requests(cloud, RowsWanted(limit=50)),
    ]
    methods = sorted({method.name for api in cloud.apis.values() for method in api.methods.values()})
    return {"title": f"keyadmin sandbox {__version__}", "now": _now(cloud), "tables": tables, "methods": methods}


def part(cloud: LocalCloud, data: Json) -> Json:
    """What was asked of one table: `{"table", "search"?, "sort"?, "down"?, "offset"?, "limit"?, "seen"?}`; with `row` its life.

    Gives `{"now", "table", "seen"}` or `{"now", "life"}`; without the table where nothing has changed since `seen`, so that
    whoever looks on costs nothing. Raises INVALID_ARGUMENT, NOT_FOUND.
    """
    version = f"{cloud.world.store.sync()}.{cloud.world.store.db.total_changes}"
    name, row = data.get("table"), data.get("row")
    found = next((each for each in _shown() if each.id == name), None)
    if row is not None:
        if found is None or found.life is None or not (isinstance(row, list) and all(isinstance(cell, str) for cell in row)):
            raise invalid("row is the list of the cells of a row, of a table whose rows have a life.", "row")
        return {"now": _now(cloud), "life": found.life(cloud.world, row)}
    if found is not None:
        if data.get("seen") == version:
            return {"now": _now(cloud), "seen": version}
        made = found.make(cloud.world, RowsWanted.of(data, len(found.columns)))
        return {"now": _now(cloud), "table": made, "seen": version}
    own = {"conditions": (_conditions, _CONDITIONS), "requests": (_requests, _REQUESTS)}.get(str(name))
    if own is None:
        raise invalid(f"There is no table {str(name)[:40]!r}.", "table")
    make, columns = own
    return {"now": _now(cloud), "table": make(cloud, RowsWanted.of(data, len(columns)))}


def _shown() -> list[PageTable]:
    return sorted((each for service in services().values() for each in service.page), key=lambda each: each.order)


def _now(cloud: LocalCloud) -> str:
    return seconds(cloud.world.clock.now())


def _conditions(cloud: LocalCloud, wanted: RowsWanted) -> Json:
    faults = cloud.world.faults
    rows = [["fault", fault.method, _fault(fault)] for fault in faults.injected]
    rows += [["quota", method, f"{limit} a minute"] for method, limit in faults.quotas.items()]
    if faults.latency is not None:
        rows.append(["latency", "*", str(faults.latency) if faults.latency == "recorded" else f"{faults.latency} ms"])
    rows += [["latency", method, f"{ms} ms"] for method, ms in faults.slow.items()]
    rows += [["propagation", what, f"{micros / 1_000_000:g} s"] for what, micros in faults.propagation.items() if micros]
    return listed("conditions", "Faults and conditions", _CONDITIONS, rows, wanted)


def _fault(fault: Fault) -> str:
    moment = "in the operation" if fault.when == "operation" else f"{fault.when} the change"
    return f"{fault.code} {moment}, {fault.times} more time{'s' if fault.times > 1 else ''}"


def _requests(cloud: LocalCloud, wanted: RowsWanted) -> Json:
    rows = [[rfc3339(at), method, principal, status] for method, principal, status, at in reversed(cloud.requests)]
    return listed("requests", "Requests", _REQUESTS, rows, wanted, "Newest first. Type !OK to find those that failed.")
