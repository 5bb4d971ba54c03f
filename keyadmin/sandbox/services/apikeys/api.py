"""API Keys API v2: the rules of google.api.apikeys.v2.ApiKeys.

Shapes, names, times and operations follow recorded traffic (2024 to 2026) and the discovery document, revision 20260818.
"""

from __future__ import annotations

import uuid
from typing import Any

from keyadmin.sandbox.api import OPERATION, Api, Call, Encoded
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import (
    Code,
    RpcError,
    already_exists,
    error_info,
    etag_differs,
    failed_precondition,
    invalid,
    not_active,
    not_found,
    permission_denied,
)
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.messages.varint import varint
from keyadmin.sandbox.services.apikeys import audit
from keyadmin.sandbox.services.apikeys import changes as key_changes
from keyadmin.sandbox.services.apikeys import checks as key_checks
from keyadmin.sandbox.services.apikeys import rows as key_rows
from keyadmin.sandbox.services.apikeys import shapes as key_shapes
from keyadmin.sandbox.services.apikeys import usage as key_usage
from keyadmin.sandbox.services.apikeys.rows import KEY_TYPE, KeyRow
from keyadmin.sandbox.services.iam import rows as service_accounts
from keyadmin.sandbox.services.orgpolicy import enforcement
from keyadmin.sandbox.services.orgpolicy.fields import KEY

Json = dict[str, Any]

api = Api("google.api.apikeys.v2.ApiKeys", "apikeys.googleapis.com", "API Keys API", "google.api.apikeys.v2")

MOST_KEYS = 300  # a project (facts 3)
GEMINI = "generativelanguage.googleapis.com"
_BINDING_PERMISSION = "iam.serviceAccountApiKeyBindings.create"
_USAGE_CHECK = {"checkExistingUsage": "enum:CHECK_EXISTING_USAGE_UNSPECIFIED,SKIP,CHECK"}
_AUTH_KEY = {"key": {"serviceAccountEmail": "string"}}


def _parent(call: Call, parent: str, permission: str) -> str:
    """The project (canonical name) of `projects/P/locations/global`, if the caller holds the permission there."""
    parts = parent.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "locations":
        raise invalid(f"Invalid resource name '{parent[:120]}': expected projects/*/locations/global.", "parent")
    node = call.project(parts[1], permission, shown=parent)
    if parts[3] != "global":
        raise invalid(f"Invalid location '{parts[3][:80]}': the only supported location is 'global'.", "parent")
    return node.name


def _key(call: Call, name: str, permission: str) -> KeyRow:
    """The key named, if the caller holds the permission on its project. Raises NOT_FOUND in the recorded words."""
    parent, _, tail = name.partition("/keys/")
    if not tail or "/" in tail:
        raise invalid(f"Invalid resource name '{name[:160]}': expected projects/*/locations/global/keys/*.", "name")
    project = _parent(call, parent, permission)
    key_rows.purge(call.store, call.now)
    row = key_rows.get(call.store, project, tail)
    if row is None:
        raise not_found(f'key "{name}" not found')
    return row


def _operation(call: Call, request: Json, kind: str, row: KeyRow, response: Json) -> Json:
    """`operations/akmf.p7-NUMBER-UUID`: p7 creates, p10 updates, p12 deletes (recorded). The change is logged."""
    name = f"operations/akmf.{kind}-{row.project.split('/')[1]}-{uuid.uuid4()}"
    audit.record(call, row, name, request)
    return call.operation(name, response={"@type": KEY_TYPE} | response)


def _with_string(row: KeyRow) -> Json:
    """The key as create and delete operations answer it: with its string behind the display name (recorded)."""
    out: Json = {}
    for name, value in row.doc.items():
        if name == "createTime":
            out["keyString"] = row.key_string
        out[name] = value
    return out


def _check_etag(row: KeyRow, etag: str) -> None:
    if etag and etag != row.doc["etag"]:
        raise etag_differs("key")


def _check_usage(call: Call, row: KeyRow, request: Json) -> None:
    if request.get("checkExistingUsage") != "CHECK":
        return
    last = key_usage.last_used(call.store, row.uid)
    if last is not None and last > call.now - key_usage.RECENT:
        # unsourced: the wording; the code and the seven days are documented
        raise failed_precondition(
            f"Key {row.name} has been used in the last 7 days. Set checkExistingUsage to SKIP to go on anyway.",
            error_info("KEY_HAS_RECENT_USAGE", api.host, key=row.name, lastUsed=rfc3339(last)),
        )


@api.method(
    "POST /v2/{parent=projects/*/locations/*}/keys",
    body="key",
    request="CreateKeyRequest",
    written=key_shapes.CREATE,
    response=OPERATION,
    rest_only=_AUTH_KEY,
)
def create_key(call: Call, request: Json) -> Json:
    """CreateKey: the key exists when the call answers; its operation carries the key string."""
    project = _parent(call, request.get("parent", ""), "apikeys.keys.create")
    state = call.world.hierarchy.get(project).state  # type: ignore[union-attr]
    if state != "ACTIVE":
        raise not_active(api.host, project, state)
    key_rows.purge(call.store, call.now)
    data = request.get("key", {})
    uid = str(uuid.uuid4())
    key_id = key_checks.key_id(request["keyId"]) if request.get("keyId") else uid
    restrictions = key_checks.restrictions(data.get("restrictions", {}))
    display_name = key_checks.display_name(data.get("displayName", ""))
    annotations = key_checks.checked_annotations(data.get("annotations", {}))
    account = data.get("serviceAccountEmail")
    if account:
        _check_binding(call, project, account, restrictions)
    taken, count = key_rows.room(call.store, project, key_id)
    if taken:
        name = f"{project}/locations/global/keys/{key_id}"
        raise already_exists(f'key "{name}" already exists')
    if count >= MOST_KEYS:
        raise RpcError(
            Code.RESOURCE_EXHAUSTED,
            f"The limit of {MOST_KEYS} API keys of project {project.split('/')[1]} is reached.",
            error_info("RESOURCE_QUOTA_EXCEEDED", api.host, consumer=project, quota_limit_value=str(MOST_KEYS)),
        )
    resource = {"displayName": display_name, "serviceAccountEmail": account or "", "restrictions": restrictions}
    enforcement.check(call, project, f"{project}/locations/global/keys/{key_id}", KEY, "CREATE", resource)
    row = new_row(
        project,
        key_id,
        uid,
        call.now,
        display_name=display_name,
        restrictions=restrictions,
        annotations=annotations,
        account=account,
    )
    key_rows.put(call.store, [row])
    return _operation(call, request, "p7", row, _with_string(row))


def _check_binding(call: Call, project: str, account: str, restrictions: Json) -> None:
    """An auth key needs its service account, one more permission, and the organisation policy's leave (facts 2)."""
    call.require(_BINDING_PERMISSION, project)
    if not service_accounts.seen(call, account):
        raise not_found(f"Service account {account} does not exist.")
    enforcement.check_binding(call, project, {"restrictions": restrictions})


def new_row(
    project: str,
    key_id: str,
    uid: str,
    now: int,
    *,
    display_name: str,
    restrictions: Json,
    annotations: Json,
    account: str | None,
) -> KeyRow:
    """A fresh key; fields in the recorded order, absent where empty. `updateTime` lies about 50 ms behind (recorded)."""
    doc: Json = {"name": f"{project}/locations/global/keys/{key_id}"}
    if display_name:
        doc["displayName"] = display_name
    doc |= {"createTime": rfc3339(now), "uid": uid, "updateTime": rfc3339(now + 48_125)}
    if annotations:
        doc["annotations"] = annotations
    if restrictions:
        doc["restrictions"] = restrictions
    doc["etag"] = key_rows.new_etag()
    if account:
        doc["serviceAccountEmail"] = account
    return KeyRow(project, key_id, uid, key_rows.new_key_string(auth=bool(account)), now, now, None, None, doc)


@api.method(
    "GET /v2/{parent=projects/*/locations/*}/keys",
    request="ListKeysRequest",
    written=key_shapes.LIST,
    response="ListKeysResponse",
)
def list_keys(call: Call, request: Json) -> Encoded:
    """ListKeys: without key strings; deleted keys of the last 30 days on request."""
    project = _parent(call, request.get("parent", ""), "apikeys.keys.list")
    # unsourced: the page size by default and at most
    size = paging.page_size(request, default=MOST_KEYS, most=MOST_KEYS)
    created, _, key_id = (paging.read_token("ListKeys", request) if "pageToken" in request else "").partition(":")
    after = (int(created), key_id) if created else None
    deleted = request.get("showDeleted", False)
    if deleted:
        key_rows.purge(call.store, call.now)
    rows = key_rows.page(call.store, project, after=after, size=size + 1, deleted=deleted)
    token = ""
    if len(rows) > size:
        rows = rows[:size]
        token = paging.make_token("ListKeys", request, f"{rows[-1][2]}:{rows[-1][3]}")
    return Encoded(lambda: _list_text(rows, token), lambda: _list_message(rows, token))


def _list_text(rows: list[key_rows.Listed], token: str) -> bytes:
    tail = f',\n  "nextPageToken": "{token}"' if token else ""
    if not rows:
        return ('{\n  "keys": []' + tail + "\n}\n").encode()  # an empty list is there (recorded)
    return ('{\n  "keys": [\n    ' + ",\n    ".join([row[0] for row in rows]) + "\n  ]" + tail + "\n}\n").encode()


def _list_message(rows: list[key_rows.Listed], token: str) -> bytes:
    tail = b"\x12" + varint(len(token)) + token.encode() if token else b""  # ListKeysResponse.next_page_token = 2
    return b"".join([row[1] for row in rows]) + tail


@api.method(
    "GET /v2/{name=projects/*/locations/*/keys/*}",
    request="GetKeyRequest",
    response="Key",
    written=key_shapes.GET,
)
def get_key(call: Call, request: Json) -> Json:
    """GetKey: deleted keys too, until they are purged."""
    return _key(call, request.get("name", ""), "apikeys.keys.get").doc


@api.method(
    "GET /v2/{name=projects/*/locations/*/keys/*}/keyString",
    request="GetKeyStringRequest",
    written=key_shapes.GET_STRING,
    response="GetKeyStringResponse",
)
def get_key_string(call: Call, request: Json) -> Json:
    """GetKeyString."""
    return {"keyString": _key(call, request.get("name", ""), "apikeys.keys.getKeyString").key_string}


@api.method(
    "PATCH /v2/{key.name=projects/*/locations/*/keys/*}",
    body="key",
    request="UpdateKeyRequest",
    written=key_shapes.UPDATE,
    response=OPERATION,
    rest_only=_USAGE_CHECK | _AUTH_KEY,
)
def update_key(call: Call, request: Json) -> Json:
    """UpdateKey: display name, restrictions and annotations, by mask (both spellings, sub-paths) or by what is set."""
    data = request.get("key", {})
    row = _key(call, data.get("name", ""), "apikeys.keys.update")
    if row.deleted is not None:
        raise failed_precondition(f"Key {row.name} is deleted.")  # unsourced: code and wording
    paths = key_changes.paths(request.get("updateMask", ""), data)
    _check_etag(row, data.get("etag", ""))
    _check_usage(call, row, request)
    changed = key_changes.changed(row.doc, data, paths)
    enforcement.check(call, row.project, row.name, KEY, "UPDATE", changed)
    doc: Json = {"name": row.name}
    for name in (
        "displayName",
        "createTime",
        "uid",
        "updateTime",
        "annotations",
        "restrictions",
        "etag",
        "serviceAccountEmail",
    ):
        if name in changed:
            doc[name] = changed[name]
    doc |= {"updateTime": rfc3339(call.now), "etag": key_rows.new_etag()}
    row.doc = doc
    key_rows.put(call.store, [row])
    return _operation(call, request, "p10", row, doc)


@api.method(
    "DELETE /v2/{name=projects/*/locations/*/keys/*}",
    request="DeleteKeyRequest",
    written=key_shapes.DELETE,
    response=OPERATION,
    rest_only=_USAGE_CHECK,
)
def delete_key(call: Call, request: Json) -> Json:
    """DeleteKey: recoverable for 30 days; the etag stays (recorded)."""
    row = _key(call, request.get("name", ""), "apikeys.keys.delete")
    if row.deleted is not None:
        raise failed_precondition(f"Key {row.name} is already deleted.")  # unsourced: code and wording
    _check_etag(row, request.get("etag", ""))
    _check_usage(call, row, request)
    row.deleted = row.changed = call.now
    doc: Json = {}
    for name, value in row.doc.items():
        doc[name] = value
        if name == "updateTime":
            doc["updateTime"] = rfc3339(call.now + 44_756)  # a little behind deleteTime (recorded)
            doc["deleteTime"] = rfc3339(call.now)
    row.doc = doc
    key_rows.put(call.store, [row])
    return _operation(call, request, "p12", row, _with_string(row))


@api.method(
    "POST /v2/{name=projects/*/locations/*/keys/*}:undelete",
    body="*",
    request="UndeleteKeyRequest",
    written=key_shapes.UNDELETE,
    response=OPERATION,
)
def undelete_key(call: Call, request: Json) -> Json:
    """UndeleteKey: within 30 days of the deletion."""
    row = _key(call, request.get("name", ""), "apikeys.keys.undelete")
    if row.deleted is None:
        raise failed_precondition(f"Key {row.name} is not deleted.")  # unsourced: code and wording
    row.deleted = None
    row.changed = call.now
    row.doc = {name: value for name, value in row.doc.items() if name != "deleteTime"}
    row.doc |= {"updateTime": rfc3339(call.now), "etag": key_rows.new_etag()}
    key_rows.put(call.store, [row])
    return _operation(call, request, "p13", row, row.doc)  # unsourced: the number of this kind of operation


@api.method(
    "GET /v2/keys:lookupKey",
    request="LookupKeyRequest",
    response="LookupKeyResponse",
    written=key_shapes.LOOKUP,
)
def lookup_key(call: Call, request: Json) -> Json:
    """LookupKey: the project of a key string and, unless it is purged, the key's name."""
    key_string = request.get("keyString", "")
    if not key_string:
        raise invalid("The key string is missing.", "key_string")
    key_rows.purge(call.store, call.now)
    row = key_rows.by_string(call.store, key_string)
    gone = None if row else call.store.one("SELECT project FROM purged_keys WHERE key_string = ?", key_string)
    project = row.project if row else gone[0] if gone else None
    if project is None or not call.holds("apikeys.keys.lookup", project):
        # unsourced: an unknown string and one without access are told in the same words, as projects are
        raise permission_denied("apikeys.keys.lookup", api.host, "keys")
    return {"parent": f"{project}/locations/global"} | ({"name": row.name} if row else {})
