"""Cloud Asset Inventory: one search over an organisation, folder or project instead of a call per project."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from keyadmin.cloud.calls import ListPage, pages
from keyadmin.cloud.endpoints import ASSET, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.model.key_codec import parse_time

if TYPE_CHECKING:
    from keyadmin.cloud.asset_keys import KeyAsset

PAGE: Final = 500  # the API's own maximum
LISTED: Final = 1000  # a page of assets.list (its proto)
EVERYTHING: Final = "*"
_KEY: Final = "name,project,versionedResources"
KEY: Final = "apikeys.googleapis.com/Key"
PROJECT: Final = "cloudresourcemanager.googleapis.com/Project"
SERVICE: Final = "serviceusage.googleapis.com/Service"
ORG_POLICY: Final = "orgpolicy.googleapis.com/Policy"


@dataclass(frozen=True, slots=True)
class Asset:
    """A resource as the inventory knows it; some minutes old. `resource` = the service's own JSON, where the answer has it."""

    name: str
    asset_type: str
    project_number: str = ""
    display_name: str = ""
    state: str = ""
    parent: str = ""
    create_time: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)


class Assets:
    """Searches, over REST: tens of thousands of resources are sooner read from JSON than from protobuf. Raises Problem."""

    def __init__(self, rest: RestTransport, seen: MutableMapping[str, str] | None = None) -> None:
        """`seen` gets the id and display name of each live project that a search finds."""
        self._rest = rest
        self._seen = {} if seen is None else seen

    async def search(self, scope: str, asset_type: str, query: str = "", fields: str = EVERYTHING) -> AsyncIterator[Asset]:
        """Everything of this type below `organizations/N`, `folders/N` or `projects/P`.

        `fields` = a mask of what is wanted; without it all that the inventory has.
        """
        project = scope.removeprefix("projects/") if scope.startswith("projects/") else None
        call = ApiCall(ASSET, "SearchAllResources", project)
        asked = {"assetTypes": asset_type, "pageSize": str(PAGE), "readMask": fields, "prettyPrint": "false"}
        asked |= {"query": query} if query else {}

        path = f"/v1/{quote(scope, safe='/:')}:searchAllResources"
        async for asset in self._rest.pages(call, path, "results", _asset, asked, ahead=True):
            if asset_type == PROJECT and asset.state == "ACTIVE" and (name := asset.attributes.get("projectId")):
                self._seen[str(name)] = asset.display_name
            yield asset

    async def keys(self, scope: str, ids: Mapping[str, str], *, listed: bool = False) -> AsyncIterator[KeyAsset]:
        """The keys below a scope, by search, or `listed` (cloudasset.assets.listResource or listApikeysKeys).

        `ids` = the ids of projects by their number, as far as they are known when a page is read.
        """
        from keyadmin.cloud.asset_keys import KeyReader

        project = scope.removeprefix("projects/") if scope.startswith("projects/") else None
        call = ApiCall(ASSET, "ListAssets" if listed else "SearchAllResources", project)
        path = f"/v1/{quote(scope, safe='/:')}" + ("/assets" if listed else ":searchAllResources")
        asked = {"assetTypes": KEY, "prettyPrint": "false"}
        asked |= {"contentType": "RESOURCE", "pageSize": str(LISTED)} if listed else {"pageSize": str(PAGE), "readMask": _KEY}
        reader = KeyReader(ids)

        async def fetch(token: str) -> ListPage[KeyAsset]:
            params = asked | ({"pageToken": token} if token else {})
            return await self._rest.read(call, path, reader.listed if listed else reader.searched, params)

        async for asset in pages(fetch, ahead=True):
            yield asset


def _asset(data: Json) -> Asset:
    versions = data.get("versionedResources", ())
    return Asset(
        name=data.get("name", ""),
        asset_type=data.get("assetType", ""),
        project_number=data.get("project", "").rpartition("/")[2],
        display_name=data.get("displayName", ""),
        state=data.get("state", ""),
        parent=data.get("parentFullResourceName", ""),
        create_time=parse_time(data.get("createTime")),
        attributes=data.get("additionalAttributes", {}),
        resource=versions[0].get("resource", {}) if versions else {},
    )
