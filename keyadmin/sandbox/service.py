"""What a service is to the sandbox: the type by which a folder in `services/` makes itself known everywhere.

Each folder has a `service.py` with `SERVICE = Service(...)`; nothing else names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from keyadmin.sandbox.api import Api
from keyadmin.sandbox.inventory import AssetType
from keyadmin.sandbox.page_table import PageTable
from keyadmin.sandbox.seed_part import Part
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World


@dataclass(frozen=True)
class Seeding:
    """How a service fills itself from a seed; each takes the members that it knows out of the part, within one transaction.

    Services are asked in the order of their folders' names: none may count on another's members being there already.
    """

    first: Callable[[World, Part], None] | None = None  # of the seed itself, when organisations and folders are there
    project: Callable[[World, Part, Node], None] | None = None  # of a project, when the project is there
    last: Callable[[World, Part], None] | None = None  # of the seed itself, when all else is there


@dataclass(frozen=True)
class Service:
    """One Google service. Only `apis` is needed."""

    apis: tuple[Api, ...]
    tables: str = ""  # SQL: CREATE statements; a column `project` or `resource` ties a row to what it goes with
    seeding: Seeding = field(default_factory=Seeding)
    page: tuple[PageTable, ...] = ()  # what `GET /` shows of it
    gcloud: tuple[str, ...] = ()  # gcloud's names for it, as in the property api_endpoint_overrides/NAME
    discovery: tuple[str, ...] = ()  # Google's discovery documents that its methods are compared with: `apikeys.v2`
    assets: tuple[AssetType, ...] = ()  # what Cloud Asset Inventory shows of it
