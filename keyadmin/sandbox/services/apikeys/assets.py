"""Keys as Cloud Asset Inventory shows them: one appears, or goes, some time after it was made or deleted.

A change of a key shows at once: its former state is not kept.
"""

from __future__ import annotations

import json
from typing import Any

from keyadmin.sandbox.inventory import AssetType, ProjectRows, lag, parent, place
from keyadmin.sandbox.world import World

Json = dict[str, Any]

KEY = "apikeys.googleapis.com/Key"


def _key(world: World, row: tuple[str, str, int, int | None, str], now: int) -> Json | None:
    """A key, deleted ones too until they are purged: commitgcp/gcp-apikeys-inspector, a public program, reads them so."""
    project, _, created, deleted, text = row
    delay = lag(world)
    if created + delay > now:
        return None
    doc: Json = json.loads(text)
    if deleted is not None and deleted + delay > now:
        doc.pop("deleteTime", None)
    out: Json = {"name": f"//apikeys.googleapis.com/{doc['name']}", "assetType": KEY, **place(world, project)}
    if "displayName" in doc:
        out["displayName"] = doc["displayName"]
    out |= {"location": "global", "createTime": doc["createTime"][:19] + "Z", "updateTime": doc["updateTime"][:19] + "Z"}
    out |= parent(world, project)
    out["versionedResources"] = [{"version": "v2", "resource": doc}]
    return out


_ROWS = ProjectRows("SELECT project, key_id, created, deleted, rest FROM keys", "key_id", _key)
ASSETS = (AssetType(KEY, _ROWS.read, _ROWS.one),)
