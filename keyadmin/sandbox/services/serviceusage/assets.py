"""Enabled services as Cloud Asset Inventory shows them."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.inventory import AssetType, ProjectRows, lag, parent, place
from keyadmin.sandbox.world import World

Json = dict[str, Any]

SERVICE = "serviceusage.googleapis.com/Service"


def _service(world: World, row: tuple[str, str, int], now: int) -> Json | None:
    """An enabled service. Public scripts ask for `state:ENABLED AND name:*generativelanguage...*` and read `project`."""
    project, service, since = row
    if since + lag(world) > now:
        return None
    name = f"{project}/services/{service}"
    return {
        "name": f"//serviceusage.googleapis.com/{name}",
        "assetType": SERVICE,
        **place(world, project),
        "displayName": service,  # unsourced: that it is the name and not the title
        "location": "global",
        "state": "ENABLED",
        **parent(world, project),
        "versionedResources": [{"version": "v1", "resource": {"name": name, "parent": project, "state": "ENABLED"}}],
    }


_ROWS = ProjectRows("SELECT project, service, since FROM services", "service", _service)
ASSETS = (AssetType(SERVICE, _ROWS.read, _ROWS.one),)
