"""Cloud Asset Inventory: one search over an organisation, folder or project instead of a call per project."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from keyadmin.cloud.calls import pages
from keyadmin.cloud.channels import GrpcDoor
from keyadmin.cloud.endpoints import ASSETS
from keyadmin.cloud.messages import moment, paging

PAGE: Final = 500  # the API's own maximum
KEY: Final = "apikeys.googleapis.com/Key"
PROJECT: Final = "cloudresourcemanager.googleapis.com/Project"
SERVICE: Final = "serviceusage.googleapis.com/Service"


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
    """Searches. Raises Problem."""

    def __init__(self, grpc: GrpcDoor) -> None:
        self._grpc = grpc

    async def search(self, scope: str, asset_types: Collection[str], query: str = "") -> AsyncIterator[Asset]:
        """Everything of these types below `organizations/N`, `folders/N` or `projects/P`, with all fields the inventory has."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._grpc.call(ASSETS, "search_all_resources", asked)

        request = {
            "scope": scope,
            "asset_types": sorted(asset_types),
            "query": query,
            "page_size": PAGE,
            "read_mask": {"paths": ["*"]},
        }
        async for asset in pages(paging(call, request, "results", _asset)):
            yield asset


def _asset(message: Any) -> Asset:
    from google.protobuf.json_format import MessageToDict

    raw = type(message).pb(message)
    versions = [MessageToDict(version.resource) for version in raw.versioned_resources]
    return Asset(
        name=message.name,
        asset_type=message.asset_type,
        project_number=message.project.rpartition("/")[2],
        display_name=message.display_name,
        state=message.state,
        parent=message.parent_full_resource_name,
        create_time=moment(message.create_time),
        attributes=MessageToDict(raw.additional_attributes),
        resource=versions[0] if versions else {},
    )
