"""What the sandbox holds, as tables for a person to look at: for the page and its data below `/_sandbox`."""

from __future__ import annotations

from typing import Any

from keyadmin import __version__
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.faults import Fault
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.page_table import seconds, table
from keyadmin.sandbox.registry import services

Json = dict[str, Any]

MOST_REQUESTS = 50


def overview(cloud: LocalCloud) -> Json:
    """`{"title", "now", "tables": [{"id", "title", "note", "columns", "rows"}]}`; every cell is text, key strings masked."""
    cloud.world.store.sync()
    shown = sorted((each for service in services().values() for each in service.page), key=lambda each: each.order)
    tables = [each.make(cloud.world) for each in shown] + [_conditions(cloud), _requests(cloud)]
    return {"title": f"keyadmin sandbox {__version__}", "now": seconds(cloud.world.clock.now()), "tables": tables}


def _conditions(cloud: LocalCloud) -> Json:
    faults = cloud.world.faults
    rows = [["fault", fault.method, _fault(fault)] for fault in faults.injected]
    rows += [["quota", method, f"{limit} a minute"] for method, limit in faults.quotas.items()]
    if faults.latency is not None:
        rows.append(["latency", "*", str(faults.latency) if faults.latency == "recorded" else f"{faults.latency} ms"])
    rows += [["latency", method, f"{ms} ms"] for method, ms in faults.slow.items()]
    rows += [["propagation", what, f"{micros / 1_000_000:g} s"] for what, micros in faults.propagation.items() if micros]
    return table("conditions", "Faults and conditions", ["Kind", "Method", "What happens"], rows, len(rows))


def _fault(fault: Fault) -> str:
    moment = "in the operation" if fault.when == "operation" else f"{fault.when} the change"
    return f"{fault.code} {moment}, {fault.times} more time{'s' if fault.times > 1 else ''}"


def _requests(cloud: LocalCloud) -> Json:
    last = list(cloud.requests)[-MOST_REQUESTS:]
    rows = [[rfc3339(at), method, principal, status] for method, principal, status, at in reversed(last)]
    return table("requests", "Last requests", ["At", "Method", "Caller", "Status"], rows, len(cloud.requests))
