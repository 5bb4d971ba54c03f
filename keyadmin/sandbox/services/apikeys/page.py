"""The keys, for the page: key strings masked, and the life of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from keyadmin.model.secret import mask
from keyadmin.sandbox.messages.status import Code, RpcError
from keyadmin.sandbox.messages.times import parse_rfc3339
from keyadmin.sandbox.page_table import PageColumn, PageTable, seconds
from keyadmin.sandbox.services.apikeys.rows import RETENTION
from keyadmin.sandbox.state import audit_log
from keyadmin.sandbox.world import World

Json = dict[str, Any]

_REST: Final = "json_extract(keys.rest, '$.{}')"
_STATE: Final = (
    "CASE WHEN deleted IS NOT NULL THEN 'deleted ' || strftime('%Y-%m-%dT%H:%M:%SZ', deleted / 1000000, 'unixepoch') "
    "ELSE ifnull(condition, 'active') END"
)
_MOST_EVENTS: Final = 200


def restrictions(text: str | None) -> str:
    """What a key is for and from where, in a few words; `text` = its restrictions as JSON."""
    data: Json = json.loads(text or "{}")
    services = [target.get("service", "").removesuffix(".googleapis.com") for target in data.get("apiTargets", ())]
    clients = [name.removesuffix("KeyRestrictions") for name in data if name != "apiTargets"]
    return "; ".join(part for part in (", ".join(services), ", ".join(clients)) if part) or "none"


def life(world: World, cells: list[str]) -> Json:
    """All that happened to the key of a row, the newest first. Raises NOT_FOUND where there is none."""
    project, key_id = (cells[0], cells[2]) if len(cells) > 2 else ("", "")
    row = world.store.one(
        "SELECT keys.project, uid, key_string, keys.created, changed, deleted, rest FROM keys LEFT JOIN nodes ON nodes.name = "
        "keys.project WHERE key_id = ? AND (project_id = ? OR keys.project = ?)",
        *(key_id, project, project),
    )
    if row is None:
        raise RpcError(Code.NOT_FOUND, f"There is no key {key_id} in {project}.")
    node, uid, key_string, created, changed, deleted, rest = row
    doc = json.loads(rest)
    events = sorted([*_changes(world, node, doc.get("name", "")), *_use(world, uid)], reverse=True)
    if deleted is not None:
        events.insert(0, (deleted + RETENTION, "", "will be purged", "until then it can be undeleted"))
    if not any(what == "CreateKey" for _, _, what, _ in events):
        events.append((created, "", "made", "by the seed, or before the audit log begins"))
    facts = [
        ["Name", doc.get("name") or f"{node}/locations/global/keys/{key_id}"],
        ["Unique id", uid],
        ["Key string", mask(key_string)],
        ["Service account", doc.get("serviceAccountEmail", "none: a standard key")],
        ["Restrictions", json.dumps(doc.get("restrictions", {}), indent=1)],
        ["Annotations", json.dumps(doc.get("annotations", {}), indent=1)],
        ["Last change", seconds(max(changed, parse_rfc3339(doc["updateTime"]) if "updateTime" in doc else 0))],
    ]
    return {
        "title": doc.get("displayName") or key_id,
        "facts": facts,
        "events": [[seconds(at), who, what, more] for at, who, what, more in events[:_MOST_EVENTS]],
    }


def _changes(world: World, project: str, name: str) -> Iterator[tuple[int, str, str, str]]:
    """From the audit log, whose last entry of a change carries the key."""
    for entry in audit_log.read(world.store, project, world.clock.now()):
        response = entry.response or {}
        if response.get("name") != name:
            continue
        method = str(entry.payload.get("methodName", "")).rpartition(".")[2]
        who = entry.payload.get("authenticationInfo", {}).get("principalEmail", "")
        more = restrictions(json.dumps(response.get("restrictions", {})))
        yield entry.at, who, method, f"{response.get('displayName', '')} ({more})"


def _use(world: World, uid: str) -> Iterator[tuple[int, str, str, str]]:
    """The hours in which it was used."""
    rows = world.store.all(
        "SELECT last, service, method, code, calls FROM key_usage WHERE uid = ? ORDER BY last DESC LIMIT ?", uid, _MOST_EVENTS
    )
    for last, service, method, code, calls in rows:
        what = f"{calls} call{'' if calls == 1 else 's'}"
        yield last, "", what, f"{service} {method.rpartition('.')[2]}: {code}"


KEYS: Final = PageTable(
    order=20,
    id="keys",
    title="API keys",
    source="keys LEFT JOIN nodes ON nodes.name = keys.project WHERE 1",
    by="max(strftime('%Y-%m-%dT%H:%M:%fZ', keys.changed / 1000000.0, 'unixepoch'), "
    "ifnull(json_extract(keys.rest, '$.updateTime'), '')) DESC, keys.key_id",
    columns=(
        PageColumn("Project", "ifnull(nodes.project_id, keys.project)"),
        PageColumn("Name", _REST.format("displayName")),
        PageColumn("Id", "keys.key_id"),
        PageColumn("Kind", f"CASE WHEN {_REST.format('serviceAccountEmail')} IS NULL THEN 'standard' ELSE 'auth' END"),
        PageColumn("Key string", "keys.key_string", mask, searched="substr(keys.key_string, -4)"),
        PageColumn("Restrictions", _REST.format("restrictions"), restrictions),
        PageColumn("Created", "strftime('%Y-%m-%dT%H:%M:%SZ', keys.created / 1000000, 'unixepoch')"),
        PageColumn("State", _STATE),
    ),
    note="The key that changed last comes first. Choose a key to see its history.",
    life=life,
)
