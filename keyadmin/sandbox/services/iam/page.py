"""The bindings of all allow policies, for the page."""

from __future__ import annotations

import json
from typing import Any

from keyadmin.sandbox.page_table import MOST_ROWS, table
from keyadmin.sandbox.world import World

Json = dict[str, Any]


def bindings(world: World) -> Json:
    """All bindings."""
    rows: list[list[str]] = []
    total = 0
    for resource, text in world.store.all("SELECT resource, doc FROM policies ORDER BY resource LIMIT ?", MOST_ROWS):
        node = world.hierarchy.get(resource)
        shown = f"projects/{node.project_id}" if node and node.project_id else resource
        for binding in json.loads(text).get("bindings", ()):
            total += 1
            condition = binding.get("condition", {}).get("expression", "")
            if len(rows) < MOST_ROWS:
                rows.append([shown, binding["role"], ", ".join(binding.get("members", ())), condition])
    return table("iam", "IAM bindings", ["Resource", "Role", "Members", "Condition"], rows, total)
