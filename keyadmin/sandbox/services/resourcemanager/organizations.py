"""Resource Manager API v3, organisations: the rules of google.cloud.resourcemanager.v3.Organizations."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.services.resourcemanager import iam as node_iam
from keyadmin.sandbox.services.resourcemanager import nodes
from keyadmin.sandbox.services.resourcemanager import search as node_search
from keyadmin.sandbox.services.resourcemanager.query import Sql
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

_TERM = re.compile(r"(domain|(?:owner\.)?directorycustomerid)\s*[:=]\s*\"?([A-Za-z0-9.-]+)\"?", re.IGNORECASE)

api = Api(
    "google.cloud.resourcemanager.v3.Organizations",
    nodes.HOST,
    nodes.TITLE,
    "google.cloud.resourcemanager.v3",
)


def customer_id(node: Node) -> str:
    """The Workspace customer that owns it: `C0` and seven more, always the same for the same organisation."""
    return "C0" + hashlib.sha256(node.name.encode()).hexdigest()[:7]


def document(node: Node) -> Json:
    """The organisation as v3 shows it."""
    return {
        "name": node.name,
        "displayName": node.display_name,
        "directoryCustomerId": customer_id(node),
        "state": nodes.state(node),
        **nodes.times(node),
        "etag": nodes.etag(node),
    }


def find_all(call: Call, request: Json, query: str) -> tuple[list[Node], str]:
    """A page of the organisations that the caller can get, by `domain:` or `directoryCustomerId:`."""
    if not query.strip():
        return node_search.search(call, "organizations", request, Sql())
    found = _TERM.fullmatch(query.strip())
    if not found:
        raise invalid(f"Invalid query: {query[:200]!r} could not be parsed.", "query")  # unsourced: the wording
    if found[1].lower() == "domain":
        return node_search.search(call, "organizations", request, Sql("display_name = ? COLLATE NOCASE", (found[2],)))
    organisations, _ = node_search.search(call, "organizations", request, Sql())
    return [node for node in organisations if customer_id(node).lower() == found[2].lower()], ""


@api.method("GET /v3/{name=organizations/*}", request="GetOrganizationRequest", response="Organization")
def get_organization(call: Call, request: Json) -> Json:
    """GetOrganization."""
    return document(nodes.find(call, request.get("name", ""), "organizations", "resourcemanager.organizations.get"))


@api.method("GET /v3/organizations:search", request="SearchOrganizationsRequest", response="SearchOrganizationsResponse")
def search_organizations(call: Call, request: Json) -> Json:
    """SearchOrganizations: all that the caller can get."""
    found, token = find_all(call, request, request.get("query", ""))
    out: Json = {"organizations": [document(node) for node in found]} if found else {}
    return out | ({"nextPageToken": token} if token else {})


node_iam.declare(api, "organizations", "/v3/{resource=organizations/*}")
