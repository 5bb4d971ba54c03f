"""The projects, for the page."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.page_table import MOST_ROWS, count, table
from keyadmin.sandbox.world import World

Json = dict[str, Any]


def projects(world: World) -> Json:
    """All projects."""
    rows = []
    found = world.store.all(
        "SELECT name, project_id, display_name, state, parent FROM nodes WHERE project_id IS NOT NULL "
        "ORDER BY project_id LIMIT ?",
        MOST_ROWS,
    )
    for name, project_id, display_name, state, parent in found:
        services = [row[0] for row in world.store.all("SELECT service FROM services WHERE project = ? ORDER BY service", name)]
        keys = world.store.one("SELECT count(*) FROM keys WHERE project = ? AND deleted IS NULL", name)[0]
        shown = [service.removesuffix(".googleapis.com") for service in services]
        rows.append([project_id, name.split("/")[1], display_name, state, parent or "", str(keys), ", ".join(shown)])
    columns = ["Project", "Number", "Name", "State", "Parent", "Keys", "APIs switched on"]
    return table("projects", "Projects", columns, rows, count(world, "nodes", "project_id IS NOT NULL"))
