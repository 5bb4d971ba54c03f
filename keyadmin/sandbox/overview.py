"""What the sandbox holds, as tables for a person to look at: for the page and its data below `/_sandbox`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from keyadmin import __version__
from keyadmin.model.secret import mask
from keyadmin.sandbox.clock import rfc3339

if TYPE_CHECKING:
    from keyadmin.sandbox.cloud import LocalCloud
    from keyadmin.sandbox.weather import Fault

Json = dict[str, Any]

MOST_ROWS = 200  # of a table; how many more there are is said
MOST_REQUESTS = 50


def overview(cloud: LocalCloud) -> Json:
    """`{"title", "now", "tables": [{"id", "title", "note", "columns", "rows"}]}`; every cell is text, key strings masked."""
    cloud.store.sync()
    tables = [_projects(cloud), _keys(cloud), _iam(cloud), _conditions(cloud), _requests(cloud)]
    return {"title": f"keyadmin sandbox {__version__}", "now": _seconds(cloud.clock.now()), "tables": tables}


def _table(name: str, title: str, columns: list[str], rows: list[list[str]], total: int, note: str = "") -> Json:
    more = f"{len(rows)} of {total}" if total > len(rows) else str(total)
    return {"id": name, "title": f"{title} ({more})", "note": note, "columns": columns, "rows": rows}


def _seconds(micros: int) -> str:
    return rfc3339(micros)[:19] + "Z"


def _count(cloud: LocalCloud, table: str, where: str = "1") -> int:
    return int(cloud.store.one(f"SELECT count(*) FROM {table} WHERE {where}")[0])  # noqa: S608 - no input of anybody's


def _projects(cloud: LocalCloud) -> Json:
    rows = []
    found = cloud.store.all(
        "SELECT name, project_id, display_name, state, parent FROM nodes WHERE project_id IS NOT NULL "
        "ORDER BY project_id LIMIT ?",
        MOST_ROWS,
    )
    for name, project_id, display_name, state, parent in found:
        services = [row[0] for row in cloud.store.all("SELECT service FROM services WHERE project = ? ORDER BY service", name)]
        keys = cloud.store.one("SELECT count(*) FROM keys WHERE project = ? AND deleted IS NULL", name)[0]
        shown = [service.removesuffix(".googleapis.com") for service in services]
        rows.append([project_id, name.split("/")[1], display_name, state, parent or "", str(keys), ", ".join(shown)])
    columns = ["Project", "Number", "Name", "State", "Parent", "Keys", "APIs switched on"]
    return _table("projects", "Projects", columns, rows, _count(cloud, "nodes", "project_id IS NOT NULL"))


def _keys(cloud: LocalCloud) -> Json:
    rows = []
    found = cloud.store.all(
        "SELECT project, key_id, key_string, created, deleted, condition, rest FROM keys ORDER BY changed DESC LIMIT ?",
        MOST_ROWS,
    )
    for project, key_id, key_string, created, deleted, condition, rest in found:
        doc = json.loads(rest)
        node = cloud.hierarchy.get(project)
        state = f"deleted {_seconds(deleted)}" if deleted is not None else condition or "active"
        rows.append(
            [
                (node.project_id if node else None) or project,
                doc.get("displayName", ""),
                key_id,
                "auth" if "serviceAccountEmail" in doc else "standard",
                mask(key_string),
                _restrictions(doc.get("restrictions", {})),
                _seconds(created),
                state,
            ]
        )
    columns = ["Project", "Name", "Id", "Kind", "Key string", "Restrictions", "Created", "State"]
    return _table("keys", "API keys", columns, rows, _count(cloud, "keys"), "The key changed last stands first.")


def _restrictions(data: Json) -> str:
    services = [target.get("service", "").removesuffix(".googleapis.com") for target in data.get("apiTargets", ())]
    clients = [name.removesuffix("KeyRestrictions") for name in data if name != "apiTargets"]
    return "; ".join(part for part in (", ".join(services), ", ".join(clients)) if part) or "none"


def _iam(cloud: LocalCloud) -> Json:
    rows: list[list[str]] = []
    total = 0
    for resource, text in cloud.store.all("SELECT resource, doc FROM policies ORDER BY resource LIMIT ?", MOST_ROWS):
        node = cloud.hierarchy.get(resource)
        shown = f"projects/{node.project_id}" if node and node.project_id else resource
        for binding in json.loads(text).get("bindings", ()):
            total += 1
            condition = binding.get("condition", {}).get("expression", "")
            if len(rows) < MOST_ROWS:
                rows.append([shown, binding["role"], ", ".join(binding.get("members", ())), condition])
    return _table("iam", "IAM bindings", ["Resource", "Role", "Members", "Condition"], rows, total)


def _conditions(cloud: LocalCloud) -> Json:
    weather = cloud.weather
    rows = [["fault", fault.method, _fault(fault)] for fault in weather.faults]
    rows += [["quota", method, f"{limit} a minute"] for method, limit in weather.quotas.items()]
    if weather.latency is not None:
        rows.append(["latency", "*", str(weather.latency) if weather.latency == "recorded" else f"{weather.latency} ms"])
    rows += [["latency", method, f"{ms} ms"] for method, ms in weather.slow.items()]
    rows += [["propagation", what, f"{micros / 1_000_000:g} s"] for what, micros in weather.propagation.items() if micros]
    return _table("conditions", "Faults and conditions", ["Kind", "Method", "What happens"], rows, len(rows))


def _fault(fault: Fault) -> str:
    moment = "in the operation" if fault.when == "operation" else f"{fault.when} the change"
    return f"{fault.code} {moment}, {fault.times} more time{'s' if fault.times > 1 else ''}"


def _requests(cloud: LocalCloud) -> Json:
    last = list(cloud.requests)[-MOST_REQUESTS:]
    rows = [[rfc3339(at), method, principal, status] for method, principal, status, at in reversed(last)]
    return _table("requests", "Last requests", ["At", "Method", "Caller", "Status"], rows, len(cloud.requests))
