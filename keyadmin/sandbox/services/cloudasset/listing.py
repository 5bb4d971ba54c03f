"""ListAssets: everything of some kinds, page by page, with its resource or its allow policy.

Shapes: proto of google.cloud.asset.v1 and https://cloud.google.com/asset-inventory/docs/listing-assets; names of projects carry
the number here, the id in searches (answers pasted in public repositories). What lies in between two moments is not kept: a
`readTime` takes away what was made later, and shows the rest as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyadmin.sandbox import inventory
from keyadmin.sandbox.api import Call, Encoded
from keyadmin.sandbox.inventory import NODE_TYPES, RESOURCES, Scope
from keyadmin.sandbox.messages import paging, wire
from keyadmin.sandbox.messages.pretty import pretty
from keyadmin.sandbox.messages.status import Code, RpcError, invalid
from keyadmin.sandbox.messages.times import parse_rfc3339, rfc3339
from keyadmin.sandbox.services.cloudasset import access, policies
from keyadmin.sandbox.services.cloudasset import query as asset_query

Json = dict[str, Any]

DEFAULT, MOST = 100, 1000  # a page (proto)
OLDEST = 35 * 24 * 3600 * 1_000_000  # microseconds that a readTime may lie back (proto)
_RESPONSE = "google.cloud.asset.v1.ListAssetsResponse"
_LIST = {  # one permission a kind (predefined roles, August 2026)
    NODE_TYPES["projects"]: "listCloudresourcemanagerProjects",
    NODE_TYPES["folders"]: "listCloudresourcemanagerFolders",
    NODE_TYPES["organizations"]: "listCloudresourcemanagerOrganizations",
    "apikeys.googleapis.com/Key": "listApikeysKeys",
    "serviceusage.googleapis.com/Service": "listServiceusageServices",
}


def listed(call: Call, request: Json) -> Json | Encoded:
    """A page of assets."""
    wanted = request.get("contentType", "CONTENT_TYPE_UNSPECIFIED")
    if wanted not in ("CONTENT_TYPE_UNSPECIFIED", "RESOURCE", "IAM_POLICY"):
        raise RpcError(
            Code.UNIMPLEMENTED, f"The sandbox lists assets without a content type, with RESOURCE or IAM_POLICY, not {wanted}."
        )
    policy = wanted == "IAM_POLICY"
    known = policies.POLICY_TYPES if policy else tuple(inventory.TYPES)
    types = asset_query.asset_types(request.get("assetTypes", []), known)
    each = [_LIST.get(one, "listResource") for one in types] if request.get("assetTypes") and not policy else []
    scope = access.listed(call, request.get("parent", ""), "listIamPolicy" if policy else "listResource", each)
    at = _read_time(call, request)
    size = request.get("pageSize", 0)
    if size < 0:
        raise invalid("The page size must not be negative.", "page_size")
    size = min(size, MOST) or DEFAULT
    after = paging.read_token("ListAssets", request)
    found = _policies(call, scope, types, after) if policy else _resources(call, scope, types, after, at)
    assets: list[Json] = []
    last, more = "", False
    for cursor, asset in found:
        if len(assets) == size:
            more = True
            break
        if wanted == "CONTENT_TYPE_UNSPECIFIED":
            asset.pop("resource", None)
        assets.append(asset)
        last = cursor
    answer: Json = {"readTime": rfc3339(at)} | ({"assets": assets} if assets else {})
    if more:
        answer["nextPageToken"] = paging.make_token("ListAssets", request, last)
    if policy:
        return answer
    return Encoded(lambda: f"{pretty(answer)}\n".encode(), lambda: wire.encode(_RESPONSE, answer), answer)


def _read_time(call: Call, request: Json) -> int:
    """The moment to be shown; now less the lag unless told. Raises INVALID_ARGUMENT."""
    if "readTime" not in request:
        return call.now - inventory.lag(call.world)
    at = parse_rfc3339(request["readTime"])
    if not call.now - OLDEST <= at <= call.now:
        # unsourced: the wording
        raise invalid("The read time must lie within the last 35 days, and not in the future.", "read_time")
    return at


def _resources(call: Call, scope: Scope, types: tuple[str, ...], after: str, at: int) -> Iterator[tuple[str, Json]]:
    number, _, rest = after.partition(" ")
    first = int(number or 0)
    for index in range(first, len(types)):
        known = inventory.TYPES[types[index]]
        for cursor, found in known.read(call.world, scope, rest if index == first else "", call.now):
            if "createTime" not in found or parse_rfc3339(found["createTime"]) <= at:
                yield f"{index} {cursor}", _asset(call, found)


def _asset(call: Call, found: Json) -> Json:
    """A search result as an asset: the same resource in another frame."""
    host, _, rest = found["name"].removeprefix("//").partition("/")
    (version,) = found["versionedResources"]
    data = version["resource"]
    name = f"//{RESOURCES}/{data['name']}" if host == RESOURCES else f"//{host}/{rest}"
    kind = found["assetType"].rpartition("/")[2]
    resource: Json = {
        "version": version["version"],
        "discoveryDocumentUri": f"https://{host}/$discovery/rest?version={version['version']}",
        "discoveryName": kind,
    }
    above = _above(call, found, host, data)
    if above:
        resource["parent"] = f"//{RESOURCES}/{above}"
    resource |= {"data": data, "location": found.get("location", "")}
    ancestors = [found[one] for one in ("project",) if one in found] + found.get("folders", [])
    ancestors += [found["organization"]] if "organization" in found else []
    asset: Json = {"name": name, "assetType": found["assetType"], "resource": resource, "ancestors": ancestors}
    if updated := found.get("updateTime", found.get("createTime")):
        asset["updateTime"] = updated
    return asset


def _above(call: Call, found: Json, host: str, data: Json) -> str:
    if host != RESOURCES:
        return str(found.get("project", ""))
    node = call.world.hierarchy.get(data["name"])
    return node.parent or "" if node else ""


def _policies(call: Call, scope: Scope, types: tuple[str, ...], after: str) -> Iterator[tuple[str, Json]]:
    """Assets that have an allow policy of their own."""
    for resource, policy in policies.attached(call.world, scope):
        if resource <= after or (named := policies.described(call.world, resource)) is None or named[1] not in types:
            continue
        home = policies.home(call.world, resource)
        ancestors = [home[one] for one in ("project",) if one in home] + home.get("folders", [])
        ancestors += [home["organization"]] if "organization" in home else []
        shown = {"name": named[0], "assetType": named[1], "iamPolicy": policies.shown(policy), "ancestors": ancestors}
        yield resource, shown
