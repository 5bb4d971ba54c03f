"""Cloud Asset Inventory v1: the methods of google.cloud.asset.v1.AssetService, and how resources are searched.

A page reads little more than what it shows, however many resources there are; where few fit the query, it may show less
than was asked for, as the API documents.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from keyadmin.sandbox import inventory
from keyadmin.sandbox.api import Api, Call, Encoded
from keyadmin.sandbox.inventory import Scope
from keyadmin.sandbox.messages import paging, selector, wire
from keyadmin.sandbox.messages.pretty import pretty
from keyadmin.sandbox.messages.shape import mask_paths, shape_of
from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.services.cloudasset import access, analysis, listing, policy_search
from keyadmin.sandbox.services.cloudasset import query as asset_query
from keyadmin.sandbox.services.cloudasset.query import Test
from keyadmin.sandbox.world import World

Json = dict[str, Any]

api = Api("google.cloud.asset.v1.AssetService", "cloudasset.googleapis.com", "Cloud Asset API", "google.cloud.asset.v1")

MOST = 500  # a page (discovery document)
_DEFAULT = 100  # unsourced: "an appropriate default"
_LOOKED_AT = 5_000  # resources for one page, unless an order was asked for
_ORDERINGS_KEPT = 4
_ON_REQUEST = ("versionedResources", "attachedResources", "effectiveTags", "enrichments", "relationships", "sccSecurityMarks")
_RESULT = "google.cloud.asset.v1.ResourceSearchResult"
_RESPONSE = "google.cloud.asset.v1.SearchAllResourcesResponse"

Found = tuple[str, str, Json]  # asset type, cursor, result
_orderings: WeakKeyDictionary[World, OrderedDict[str, list[tuple[str, str]]]] = WeakKeyDictionary()


@api.method(
    "GET /v1/{scope=*/*}:searchAllResources", request="SearchAllResourcesRequest", response="SearchAllResourcesResponse"
)
def search_all_resources(call: Call, request: Json) -> Encoded:
    """SearchAllResources: keys, enabled services, projects, folders, organisations."""
    scope = access.scope(call, request.get("scope", ""), "searchAllResources")
    types = asset_query.asset_types(request.get("assetTypes", []), tuple(inventory.TYPES))
    test = asset_query.compiled(request.get("query", ""))
    order = asset_query.order(request.get("orderBy", ""))
    mask = _mask(call, request.get("readMask", ""))
    size = request.get("pageSize", 0)
    size = min(size, MOST) if size > 0 else _DEFAULT
    start = paging.read_token("SearchAllResources", request)
    if order:
        found, following = _ordered_page(call, scope, types, test, order, size, start)
    else:
        found, following = _page(call, scope, types, test, size, start)
    answer: Json = {"results": [selector.select(result, mask) for _, _, result in found]} if found else {}
    if following:
        answer["nextPageToken"] = paging.make_token("SearchAllResources", request, following)
    return Encoded(lambda: f"{pretty(answer)}\n".encode(), lambda: wire.encode(_RESPONSE, answer), answer)


@api.method("GET /v1/{parent=*/*}/assets", request="ListAssetsRequest", response="ListAssetsResponse")
def list_assets(call: Call, request: Json) -> Json | Encoded:
    """ListAssets: resources or allow policies, up to 1,000 a page."""
    return listing.listed(call, request)


@api.method(
    "GET /v1/{scope=*/*}:searchAllIamPolicies",
    request="SearchAllIamPoliciesRequest",
    response="SearchAllIamPoliciesResponse",
)
def search_all_iam_policies(call: Call, request: Json) -> Json:
    """SearchAllIamPolicies: by member, role and permission."""
    return policy_search.found(call, request)


@api.method(
    "GET /v1/{analysisQuery.scope=*/*}:analyzeIamPolicy",
    request="AnalyzeIamPolicyRequest",
    response="AnalyzeIamPolicyResponse",
)
def analyze_iam_policy(call: Call, request: Json) -> Json:
    """AnalyzeIamPolicy: for a principal, a resource, roles and permissions."""
    return analysis.analyzed(call, request)


def _mask(call: Call, mask: str) -> selector.Tree:
    """The fields to show; the large ones only when asked for. Raises INVALID_ARGUMENT for an unknown one."""
    shape = shape_of(_RESULT)
    paths = mask_paths(mask)
    if "*" in paths:
        paths = [field.name for field in shape.own()]
    elif not paths:
        paths = [field.name for field in shape.own() if field.name not in _ON_REQUEST]
    if not _shows_resources(call):
        paths = [path for path in paths if path.partition(".")[0] != "versionedResources"]
    tree: selector.Tree = {}
    for path in paths:
        first, _, rest = path.partition(".")
        if first not in shape.fields:
            raise invalid(f"Invalid read mask: there is no field '{path[:80]}'.", "read_mask")
        branch = tree.setdefault(first, {})
        if rest:
            branch.setdefault(rest.partition(".")[0], {})
    return tree


def _shows_resources(call: Call) -> bool:
    """Whether `versionedResources` holds the resources, keys with their restrictions: commitgcp/gcp-apikeys-inspector, a
    public program, relies on it. A seed may turn it off, to try what becomes of those who do."""
    return call.world.setting("asset-versioned-resources") in (None, "1")


def _every(call: Call, scope: Scope, types: tuple[str, ...], start: str) -> Iterator[Found]:
    """Everything of these types from a cursor on: `TYPE-NUMBER CURSOR`."""
    number, _, after = start.partition(" ")
    first = int(number or 0)
    for index in range(first, len(types)):
        for cursor, result in inventory.TYPES[types[index]].read(call.world, scope, after if index == first else "", call.now):
            yield f"{index} {cursor}", types[index], result


def _page(
    call: Call, scope: Scope, types: tuple[str, ...], test: Test | None, size: int, start: str
) -> tuple[list[Found], str]:
    found: list[Found] = []
    for looked_at, (cursor, asset_type, result) in enumerate(_every(call, scope, types, start), 1):
        if test is None or test(result):
            if len(found) == size:
                return found, found[-1][1]
            found.append((asset_type, cursor, result))
        if looked_at == _LOOKED_AT:
            return found, cursor
    return found, ""


def _ordered_page(
    call: Call,
    scope: Scope,
    types: tuple[str, ...],
    test: Test | None,
    order: list[tuple[str, bool]],
    size: int,
    start: str,
) -> tuple[list[Found], str]:
    """Everything is put in order once, for the first page; the following ones go on from there."""
    kept = _orderings.setdefault(call.world, OrderedDict())
    name, _, offset = start.partition(" ")
    if name not in kept:
        rows = [
            (asset_type, cursor.partition(" ")[2], {field: result.get(field, "") for field, _ in order})
            for cursor, asset_type, result in _every(call, scope, types, "")
            if test is None or test(result)
        ]
        for field, descending in reversed(order):
            rows.sort(key=lambda row: row[2][field], reverse=descending)
        name = secrets.token_hex(8)
        kept[name] = [(asset_type, cursor) for asset_type, cursor, _ in rows]
        if len(kept) > _ORDERINGS_KEPT:
            kept.popitem(last=False)
    at, ordering = int(offset or 0), kept[name]
    results = [
        (kind, cursor, inventory.TYPES[kind].one(call.world, cursor, call.now)) for kind, cursor in ordering[at : at + size]
    ]
    found = [(kind, cursor, result) for kind, cursor, result in results if result is not None]
    return found, f"{name} {at + size}" if at + size < len(ordering) else ""
