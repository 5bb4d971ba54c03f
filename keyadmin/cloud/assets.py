"""Cloud Asset Inventory: one search over an organisation, folder or project instead of a call per project."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from keyadmin.cloud.calls import ListPage, whole_pages
from keyadmin.cloud.endpoints import ASSET, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.model.key_codec import parse_time

if TYPE_CHECKING:
    from keyadmin.cloud.asset_keys import KeyAsset

T = TypeVar("T")

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

    def keys(self, scope: str, ids: Mapping[str, str], *, listed: bool = False) -> AsyncIterator[Sequence[KeyAsset]]:
        """The keys below a scope, page by page: by search, or `listed` (cloudasset.assets.listResource or listApikeysKeys).

        `ids` = the ids of projects by their number, as far as they are known when a page is read.
        """
        from keyadmin.cloud.asset_keys import KeyReader

        reader = KeyReader(ids)
        if listed:
            asked = {"assetTypes": KEY, "contentType": "RESOURCE", "pageSize": str(LISTED)}
            return self._whole_pages(scope, "ListAssets", "/assets", asked, reader.listed)
        return self._searched(scope, {"assetTypes": KEY, "readMask": _KEY}, reader.searched)

    def enabled(self, scope: str, service: str) -> AsyncIterator[Sequence[str]]:
        """The numbers of the projects below a scope that a service is on in, page by page."""
        from keyadmin.cloud.asset_keys import numbers

        query = f"state:ENABLED AND name:*{service}*"  # as public scripts ask
        asked = {"assetTypes": SERVICE, "readMask": "name,project,state", "query": query}
        return self._searched(scope, asked, partial(numbers, ending=f"/{service}"))

    def _searched(
        self, scope: str, asked: Mapping[str, str], read: Callable[[bytes], ListPage[T]]
    ) -> AsyncIterator[Sequence[T]]:
        return self._whole_pages(scope, "SearchAllResources", ":searchAllResources", {**asked, "pageSize": str(PAGE)}, read)

    def _whole_pages(
        self, scope: str, method: str, verb: str, asked: Mapping[str, str], read: Callable[[bytes], ListPage[T]]
    ) -> AsyncIterator[Sequence[T]]:
        call = ApiCall(ASSET, method, scope.removeprefix("projects/") if scope.startswith("projects/") else None)
        path = f"/v1/{quote(scope, safe='/:')}{verb}"

        async def fetch(token: str) -> ListPage[T]:
            more = {"pageToken": token} if token else {}
            return await self._rest.read(call, path, read, {**asked, "prettyPrint": "false", **more})

        return whole_pages(fetch, ahead=True)


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
