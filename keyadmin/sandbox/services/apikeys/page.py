"""The keys, for the page: key strings masked."""

from __future__ import annotations

import json
from typing import Any

from keyadmin.model.secret import mask
from keyadmin.sandbox.page_table import MOST_ROWS, count, seconds, table
from keyadmin.sandbox.world import World

Json = dict[str, Any]


def keys(world: World) -> Json:
    """All keys."""
    rows = []
    found = world.store.all(
        "SELECT project, key_id, key_string, created, deleted, condition, rest FROM keys ORDER BY changed DESC LIMIT ?",
        MOST_ROWS,
    )
    for project, key_id, key_string, created, deleted, condition, rest in found:
        doc = json.loads(rest)
        node = world.hierarchy.get(project)
        state = f"deleted {seconds(deleted)}" if deleted is not None else condition or "active"
        rows.append(
            [
                (node.project_id if node else None) or project,
                doc.get("displayName", ""),
                key_id,
                "auth" if "serviceAccountEmail" in doc else "standard",
                mask(key_string),
                _restrictions(doc.get("restrictions", {})),
                seconds(created),
                state,
            ]
        )
    columns = ["Project", "Name", "Id", "Kind", "Key string", "Restrictions", "Created", "State"]
    return table("keys", "API keys", columns, rows, count(world, "keys"), "The key changed last stands first.")


def _restrictions(data: Json) -> str:
    services = [target.get("service", "").removesuffix(".googleapis.com") for target in data.get("apiTargets", ())]
    clients = [name.removesuffix("KeyRestrictions") for name in data if name != "apiTargets"]
    return "; ".join(part for part in (", ".join(services), ", ".join(clients)) if part) or "none"
