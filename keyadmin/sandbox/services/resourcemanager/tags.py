"""Resource Manager API v3: tag keys, tag values and tag bindings on organisations, folders and projects.

As far as gcloud and `resource.matchTag` need them; tag holds and IAM policies of tags answer 501. Shapes follow recorded
traffic (2024 and 2025).
"""

from __future__ import annotations

import json
import random
import re
from typing import Any
from urllib.parse import quote, unquote

from keyadmin.sandbox.api import OPERATION, Api, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import already_exists, etag_differs, failed_precondition, invalid
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.resourcemanager import nodes
from keyadmin.sandbox.state import tags
from keyadmin.sandbox.state.allow_policy import new_etag
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

_TYPES = "google.cloud.resourcemanager.v3"
keys_api = Api("google.cloud.resourcemanager.v3.TagKeys", nodes.HOST, nodes.TITLE, _TYPES)
values_api = Api("google.cloud.resourcemanager.v3.TagValues", nodes.HOST, nodes.TITLE, _TYPES)
bindings_api = Api("google.cloud.resourcemanager.v3.TagBindings", nodes.HOST, nodes.TITLE, _TYPES)
APIS = (keys_api, values_api, bindings_api)

MOST = 1000  # keys of a parent, values of a key, in all states (https://cloud.google.com/resource-manager/docs/limits)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,254}[A-Za-z0-9])?")
_RESOURCE = re.compile(r"//cloudresourcemanager\.googleapis\.com/((?:projects|folders|organizations)/[^/]+)")


def _key_doc(call: Call, row: Any) -> Json:
    """id, parent, short_name, doc of a tag key as v3 shows it."""
    tag_id, parent, short_name, text = row
    doc: Json = json.loads(text)
    out: Json = {"name": tag_id, "parent": parent, "shortName": short_name}
    out["namespacedName"] = f"{tags.namespace(call.store, parent)}/{short_name}"
    return out | doc


def _value_doc(call: Call, row: Any) -> Json:
    tag_id, key_id, short_name, text = row
    key = _key_row(call, "id", key_id)
    out: Json = {"name": tag_id, "parent": key_id, "shortName": short_name}
    out["namespacedName"] = f"{tags.namespace(call.store, key[1])}/{key[2]}/{short_name}"
    doc: Json = json.loads(text)
    return out | doc


def _key_row(call: Call, column: str, value: str) -> Any:
    return call.store.one(f"SELECT id, parent, short_name, doc FROM tag_keys WHERE {column} = ?", value)  # noqa: S608


def _key(call: Call, name: str, permission: str) -> Any:
    """The row of a tag key, if the caller holds the permission on its parent; a missing one is told in the same words."""
    row = _key_row(call, "id", name)
    if row is None or not call.holds(permission, row[1]):
        raise nodes.denied(permission, name)
    return row


def _value(call: Call, name: str, permission: str) -> tuple[Any, Any]:
    """The rows of a tag value and of its key."""
    row = call.store.one("SELECT id, key, short_name, doc FROM tag_values WHERE id = ?", name)
    if row is None:
        raise nodes.denied(permission, name)
    key = _key_row(call, "id", row[1])
    if not call.holds(permission, key[1]):
        raise nodes.denied(permission, name)
    return row, key


def _new_doc(call: Call, data: Json, old: Json | None = None) -> Json:
    out: Json = {}
    if description := data.get("description", (old or {}).get("description", "")):
        if len(description) > 256:
            raise invalid("A description has at most 256 characters.", "description")
        out["description"] = description
    out["createTime"] = old["createTime"] if old else rfc3339(call.now)
    return out | {"updateTime": rfc3339(call.now), "etag": new_etag(call.now, old["etag"] if old else "")}


def _short_name(data: Json) -> str:
    name: str = data.get("shortName", "")
    if not _NAME.fullmatch(name):
        # unsourced: the wording; the rule is documented
        raise invalid("The short name must have 1 to 256 letters, digits, hyphens, underscores and dots.", "short_name")
    return name


def _operation(call: Call, prefix: str, kind: str, verb: str, doc: Json) -> Json:
    metadata = {"@type": f"{nodes.V3}.{verb}{kind}Metadata"} if verb else None
    return nodes.operation(call, prefix, response={"@type": f"{nodes.V3}.{kind}"} | doc, metadata=metadata)


def _number() -> str:
    return str(random.randint(10**11, 10**12 - 1))  # noqa: S311 - not a secret


@keys_api.method("POST /v3/tagKeys", body="tagKey", request="CreateTagKeyRequest", response=OPERATION)
def create_tag_key(call: Call, request: Json) -> Json:
    """CreateTagKey: of an organisation or a project."""
    data = request.get("tagKey", {})
    parent = data.get("parent", "")
    node = call.world.hierarchy.get(parent)
    if node is None or node.kind == "folders" or not call.holds("resourcemanager.tagKeys.create", node.name):
        raise nodes.denied("resourcemanager.tagKeys.create", parent)
    name = _short_name(data)
    if call.store.one("SELECT 1 FROM tag_keys WHERE parent = ? AND short_name = ?", node.name, name):
        raise already_exists("Requested entity already exists")
    if call.store.one("SELECT count(*) FROM tag_keys WHERE parent = ?", node.name)[0] >= MOST:
        raise failed_precondition(f"{parent} has {MOST} tag keys, which is the limit.")  # unsourced: code and wording
    row = (f"tagKeys/{_number()}", node.name, name, json.dumps(_new_doc(call, data)))
    call.store.run("INSERT INTO tag_keys VALUES (?, ?, ?, ?)", *row)
    return _operation(call, "ctk", "TagKey", "Create", _key_doc(call, row))


@keys_api.method("GET /v3/tagKeys", request="ListTagKeysRequest", response="ListTagKeysResponse")
def list_tag_keys(call: Call, request: Json) -> Json:
    """ListTagKeys: of an organisation or a project; 100 a page, at most 300."""
    parent = request.get("parent", "")
    node = call.world.hierarchy.get(parent)
    if node is None or not call.holds("resourcemanager.tagKeys.list", node.name):
        raise nodes.denied("resourcemanager.tagKeys.list", parent)
    rows = call.store.all("SELECT id, parent, short_name, doc FROM tag_keys WHERE parent = ? ORDER BY short_name", node.name)
    return _page(request, "ListTagKeys", "tagKeys", [_key_doc(call, row) for row in rows])


def _page(request: Json, method: str, field: str, docs: list[Json]) -> Json:
    size, after = paging.page_size(request, default=100, most=300), paging.read_token(method, request)
    by_name = {str(doc.get("shortName", doc["name"])): doc for doc in docs}
    names = [name for name in by_name if name > after]
    answer: Json = {field: [by_name[name] for name in names[:size]]} if names else {}
    if len(names) > size:
        answer["nextPageToken"] = paging.make_token(method, request, names[size - 1])
    return answer


@keys_api.method("GET /v3/{name=tagKeys/*}", request="GetTagKeyRequest", response="TagKey")
def get_tag_key(call: Call, request: Json) -> Json:
    """GetTagKey."""
    return _key_doc(call, _key(call, request.get("name", ""), "resourcemanager.tagKeys.get"))


@keys_api.method("GET /v3/tagKeys/namespaced", request="GetNamespacedTagKeyRequest", response="TagKey")
def get_namespaced_tag_key(call: Call, request: Json) -> Json:
    """GetNamespacedTagKey: `1000/env` or `my-project/env`."""
    return _key_doc(call, _namespaced_key(call, request.get("name", ""), "resourcemanager.tagKeys.get"))


def _namespaced_key(call: Call, name: str, permission: str) -> Any:
    space, _, short_name = name.partition("/")
    node = call.world.hierarchy.get(f"organizations/{space}") or call.world.hierarchy.project(space)
    row = None
    if node is not None:
        row = call.store.one(
            "SELECT id, parent, short_name, doc FROM tag_keys WHERE parent = ? AND short_name = ?", node.name, short_name
        )
    if row is None or not call.holds(permission, row[1]):
        raise nodes.denied(permission, f"tagKeys/{name}")
    return row


def _update(call: Call, request: Json, row: Any, data: Json, table: str) -> Json:
    old = json.loads(row[3])
    if data.get("etag") and data["etag"] != old["etag"]:
        raise etag_differs("tag")
    paths = mask_paths(request.get("updateMask", "")) or ["description"]
    if set(paths) - {"description", "*", "etag"}:
        raise invalid("Invalid update mask: only 'description' can be updated.", "update_mask")
    doc = _new_doc(call, {"description": data.get("description", "")}, old)
    if not request.get("validateOnly"):
        call.store.run(f"UPDATE {table} SET doc = ? WHERE id = ?", json.dumps(doc), row[0])  # noqa: S608
    return doc


@keys_api.method("PATCH /v3/{tag_key.name=tagKeys/*}", body="tagKey", request="UpdateTagKeyRequest", response=OPERATION)
def update_tag_key(call: Call, request: Json) -> Json:
    """UpdateTagKey: the description."""
    data = request.get("tagKey", {})
    row = _key(call, data.get("name", ""), "resourcemanager.tagKeys.update")
    doc = _update(call, request, row, data, "tag_keys")
    return _operation(call, "utk", "TagKey", "", _key_doc(call, (*row[:3], json.dumps(doc))))


@keys_api.method("DELETE /v3/{name=tagKeys/*}", request="DeleteTagKeyRequest", response=OPERATION)
def delete_tag_key(call: Call, request: Json) -> Json:
    """DeleteTagKey: not while it has values."""
    row = _key(call, request.get("name", ""), "resourcemanager.tagKeys.delete")
    if call.store.one("SELECT 1 FROM tag_values WHERE key = ?", row[0]):
        raise failed_precondition("Cannot delete tag key still having tag values.")  # unsourced: the wording
    call.store.run("DELETE FROM tag_keys WHERE id = ?", row[0])
    return _operation(call, "dtk", "TagKey", "Delete", _key_doc(call, row))


@values_api.method("POST /v3/tagValues", body="tagValue", request="CreateTagValueRequest", response=OPERATION)
def create_tag_value(call: Call, request: Json) -> Json:
    """CreateTagValue."""
    data = request.get("tagValue", {})
    key = _key(call, data.get("parent", ""), "resourcemanager.tagValues.create")
    name = _short_name(data)
    if call.store.one("SELECT 1 FROM tag_values WHERE key = ? AND short_name = ?", key[0], name):
        raise already_exists("Requested entity already exists")
    row = (f"tagValues/{_number()}", key[0], name, json.dumps(_new_doc(call, data)))
    call.store.run("INSERT INTO tag_values VALUES (?, ?, ?, ?)", *row)
    return _operation(call, "ctv", "TagValue", "Create", _value_doc(call, row))


@values_api.method("GET /v3/tagValues", request="ListTagValuesRequest", response="ListTagValuesResponse")
def list_tag_values(call: Call, request: Json) -> Json:
    """ListTagValues: of a key; 100 a page, at most 300."""
    key = _key(call, request.get("parent", ""), "resourcemanager.tagValues.list")
    rows = call.store.all("SELECT id, key, short_name, doc FROM tag_values WHERE key = ? ORDER BY short_name", key[0])
    return _page(request, "ListTagValues", "tagValues", [_value_doc(call, row) for row in rows])


@values_api.method("GET /v3/{name=tagValues/*}", request="GetTagValueRequest", response="TagValue")
def get_tag_value(call: Call, request: Json) -> Json:
    """GetTagValue."""
    return _value_doc(call, _value(call, request.get("name", ""), "resourcemanager.tagValues.get")[0])


@values_api.method("GET /v3/tagValues/namespaced", request="GetNamespacedTagValueRequest", response="TagValue")
def get_namespaced_tag_value(call: Call, request: Json) -> Json:
    """GetNamespacedTagValue: `1000/env/prod`."""
    return _value_doc(call, _namespaced_value(call, request.get("name", "")))


def _namespaced_value(call: Call, name: str) -> Any:
    head, _, short_name = name.rpartition("/")
    key = _namespaced_key(call, head, "resourcemanager.tagValues.get")
    row = call.store.one("SELECT id, key, short_name, doc FROM tag_values WHERE key = ? AND short_name = ?", key[0], short_name)
    if row is None:
        raise nodes.denied("resourcemanager.tagValues.get", f"tagValues/{name}")
    return row


@values_api.method(
    "PATCH /v3/{tag_value.name=tagValues/*}", body="tagValue", request="UpdateTagValueRequest", response=OPERATION
)
def update_tag_value(call: Call, request: Json) -> Json:
    """UpdateTagValue: the description."""
    data = request.get("tagValue", {})
    row, _ = _value(call, data.get("name", ""), "resourcemanager.tagValues.update")
    doc = _update(call, request, row, data, "tag_values")
    return _operation(call, "utv", "TagValue", "", _value_doc(call, (*row[:3], json.dumps(doc))))


@values_api.method("DELETE /v3/{name=tagValues/*}", request="DeleteTagValueRequest", response=OPERATION)
def delete_tag_value(call: Call, request: Json) -> Json:
    """DeleteTagValue: not while it is bound."""
    row, _ = _value(call, request.get("name", ""), "resourcemanager.tagValues.delete")
    if call.store.one("SELECT 1 FROM tag_bindings WHERE value = ?", row[0]):
        raise failed_precondition(
            "Cannot delete tag value because it is still attached to resources."
        )  # unsourced: the wording
    shown = _value_doc(call, row)
    call.store.run("DELETE FROM tag_values WHERE id = ?", row[0])
    return _operation(call, "dtv", "TagValue", "Delete", shown)


def _tagged(call: Call, parent: str, permission: str) -> Node:
    """The project, folder or organisation of a full resource name, if the caller may do this with its tags."""
    found = _RESOURCE.fullmatch(parent)
    node = call.world.hierarchy.get(found[1]) if found else None
    if node is None or not call.holds(permission, node.name):
        raise nodes.denied(permission, parent)
    return node


def _binding(node: Node, value: str) -> Json:
    full = f"//{nodes.HOST}/{node.name}"
    return {"name": f"tagBindings/{quote(full, safe='')}/{value}", "parent": full, "tagValue": value}


@bindings_api.method("POST /v3/tagBindings", body="tagBinding", request="CreateTagBindingRequest", response=OPERATION)
def create_tag_binding(call: Call, request: Json) -> Json:
    """CreateTagBinding: one value of a key on a resource; the caller needs tagUser on both."""
    data = request.get("tagBinding", {})
    node = _tagged(call, data.get("parent", ""), "resourcemanager.hierarchyNodes.createTagBinding")
    named = data.get("tagValueNamespacedName", "")
    value_id = _namespaced_value(call, named)[0] if named else data.get("tagValue", "")
    row, key = _value(call, value_id, "resourcemanager.tagValueBindings.create")
    if key[1] not in call.world.hierarchy.chain(node.name):
        raise failed_precondition(f"The tag value {value_id} does not belong to an ancestor of the resource.")  # unsourced
    for (bound,) in call.store.all("SELECT value FROM tag_bindings WHERE resource = ?", node.name):
        if bound == value_id:
            raise already_exists("Requested entity already exists")
        if call.store.one("SELECT key FROM tag_values WHERE id = ?", bound)[0] == key[0]:
            raise failed_precondition("A tag value of the same tag key is already attached to the resource.")  # unsourced
    call.store.run("INSERT INTO tag_bindings VALUES (?, ?)", node.name, value_id)
    call.store.generation += 1
    named = _value_doc(call, row)["namespacedName"]
    return _operation(call, "ctb", "TagBinding", "", _binding(node, value_id) | {"tagValueNamespacedName": named})


@bindings_api.method("GET /v3/tagBindings", request="ListTagBindingsRequest", response="ListTagBindingsResponse")
def list_tag_bindings(call: Call, request: Json) -> Json:
    """ListTagBindings: those of the resource itself."""
    node = _tagged(call, request.get("parent", ""), "resourcemanager.hierarchyNodes.listTagBindings")
    rows = call.store.all("SELECT value FROM tag_bindings WHERE resource = ? ORDER BY value", node.name)
    return _page(request, "ListTagBindings", "tagBindings", [_binding(node, row[0]) for row in rows])


@bindings_api.method("DELETE /v3/{name=tagBindings/**}", request="DeleteTagBindingRequest", response=OPERATION)
def delete_tag_binding(call: Call, request: Json) -> Json:
    """DeleteTagBinding."""
    found = re.fullmatch(r"tagBindings/(.+)/(tagValues/[0-9]+)", request.get("name", ""))
    if not found:
        raise invalid("Invalid name: expected tagBindings/RESOURCE/tagValues/ID.", "name")
    node = _tagged(call, unquote(unquote(found[1])), "resourcemanager.hierarchyNodes.deleteTagBinding")
    _value(call, found[2], "resourcemanager.tagValueBindings.delete")
    if not call.store.run("DELETE FROM tag_bindings WHERE resource = ? AND value = ?", node.name, found[2]):
        raise nodes.denied("resourcemanager.hierarchyNodes.deleteTagBinding", request["name"])
    call.store.generation += 1
    return nodes.operation(call, "dtb")


@bindings_api.method("GET /v3/effectiveTags", request="ListEffectiveTagsRequest", response="ListEffectiveTagsResponse")
def list_effective_tags(call: Call, request: Json) -> Json:
    """ListEffectiveTags: own ones and those inherited."""
    node = _tagged(call, request.get("parent", ""), "resourcemanager.hierarchyNodes.listEffectiveTags")
    chain = call.world.hierarchy.chain(node.name)
    own = {row[0] for row in call.store.all("SELECT value FROM tag_bindings WHERE resource = ?", node.name)}
    docs = []
    for key_id, value_id in tags.effective(call.store, chain).items():
        if key_id.startswith("tagKeys/"):
            key = _key_row(call, "id", key_id)
            value = call.store.one("SELECT id, key, short_name, doc FROM tag_values WHERE id = ?", value_id)
            doc: Json = {"tagValue": value_id, "namespacedTagValue": _value_doc(call, value)["namespacedName"]}
            doc |= {"tagKey": key_id, "namespacedTagKey": _key_doc(call, key)["namespacedName"], "tagKeyParentName": key[1]}
            docs.append(doc | ({} if value_id in own else {"inherited": True}))
    return {"effectiveTags": docs} if docs else {}
