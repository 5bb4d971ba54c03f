"""IAM API v1: predefined roles to look at, custom roles to keep."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from keyadmin.data import predefined_role, predefined_role_names
from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import Code, RpcError, already_exists, error_info, failed_precondition, invalid, not_found
from keyadmin.sandbox.services.iam.api import api, same_etag
from keyadmin.sandbox.state import allow_policy
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.state.permissions import valid_on

Json = dict[str, Any]

DAY = 86_400_000_000  # microseconds
RECOVERABLE = 7 * DAY  # after its deletion (documented)
KEPT = 37 * DAY  # how long a deleted role occupies its id (documented)
_FIELDS = ("title", "description", "includedPermissions", "stage")
_OF_PARENT = ("/v1/{parent=projects/*}/roles", "/v1/{parent=organizations/*}/roles")
_NAMED = ("/v1/{name=projects/*/roles/*}", "/v1/{name=organizations/*/roles/*}")


def _denied(what: str, permission: str, resource: str) -> RpcError:
    return RpcError(
        Code.PERMISSION_DENIED,
        f"You don't have permission to {what} {resource}.",
        error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission, resource=resource),
    )


def _holder(call: Call, parent: str) -> Node | None:
    """The project or organisation of a name; None if there is none."""
    if not re.fullmatch(r"(projects|organizations)/[^/]+", parent):
        raise invalid(f"Invalid resource name '{parent[:160]}': expected projects/* or organizations/*.", "parent")
    return call.world.hierarchy.get(parent)


def _canonical(node: Node) -> str:
    """Names of roles carry the project's id, not its number."""
    return f"projects/{node.project_id}" if node.is_project else node.name


def _custom(call: Call, name: str, what: str, permission: str) -> Json:
    """A custom role's document, if the caller may do this with it. Raises NOT_FOUND in Google's words."""
    parent, _, role_id = name.partition("/roles/")
    node = _holder(call, parent)
    if node is None or not call.holds(permission, node.name):
        raise _denied(what, permission, name)
    doc = call.world.policies.role(f"{_canonical(node)}/roles/{role_id}")
    if doc is None or _gone(doc, call.now, RECOVERABLE):
        raise not_found(f"The role named {name} was not found.")
    return doc


def _gone(doc: Json, now: int, after: int) -> bool:
    return bool(doc.get("deleted")) and doc.get("deletedAt", 0) + after <= now


def _answer(doc: Json, *, full: bool = True) -> Json:
    """The REST Role; permissions are left out of lists unless asked for."""
    hidden = {"deletedAt"} if full else {"deletedAt", "includedPermissions"}
    return {name: value for name, value in doc.items() if name not in hidden and value not in ("", [])}


def _document(name: str, data: Json, etag: str) -> Json:
    """A custom role in the order of the answers. Stage ALPHA is the default and not shown (documented)."""
    doc: Json = {"name": name}
    for field in _FIELDS:
        if data.get(field):
            doc[field] = data[field]
    if "includedPermissions" in doc:
        doc["includedPermissions"] = sorted(set(doc["includedPermissions"]))
    doc["etag"] = etag
    return doc


def _check(data: Json, kind: str) -> None:
    if len(data.get("title", "").encode()) > 100:
        raise invalid("The title of a role is at most 100 bytes long.", "role.title")  # unsourced: the wording
    for permission in data.get("includedPermissions", ()):
        if not valid_on(kind, permission):
            raise invalid(f"Permission {permission[:120]} is not valid.")  # reported


def predefined(name: str, *, full: bool) -> Json:
    """A predefined role that exists; fields in the recorded order, absent where empty."""
    role = predefined_role(name)
    assert role is not None
    out: Json = {"name": name, "title": role.title}
    if role.description:
        out["description"] = role.description
    if full and role.permissions:
        out["includedPermissions"] = sorted(role.permissions)
    return out | {"stage": role.stage, "etag": "AA=="}


@api.method("GET /v1/roles", *(f"GET {path}" for path in _OF_PARENT), request="ListRolesRequest", response="ListRolesResponse")
def list_roles(call: Call, request: Json) -> Json:
    """ListRoles: the predefined ones, or the custom ones of a project or organisation; 300 a page, at most 1,000."""
    parent, full = request.get("parent", ""), request.get("view") == "FULL"
    if parent:
        node = _holder(call, parent)
        if node is None or not call.holds("iam.roles.list", node.name):
            raise _denied("list roles in", "iam.roles.list", parent)
        docs = custom_roles(call, node.name, full=full, deleted=request.get("showDeleted", False))
    else:
        docs = [{"name": name} for name in predefined_role_names()]
    return page_of(request, "ListRoles", docs, "roles", show=lambda doc: shown(doc, full=full))


def custom_roles(call: Call, holder: str, *, full: bool, deleted: bool = False) -> list[Json]:
    """The custom roles of a project or organisation (canonical name), sorted; with those that can be brought back if wanted."""
    node = call.world.hierarchy.get(holder)
    if node is None:
        return []
    prefix = f"{_canonical(node)}/roles/"
    rows = call.store.all("SELECT doc FROM roles WHERE name >= ? AND name < ? ORDER BY name", prefix, f"{prefix}\x7f")
    docs = [json.loads(row[0]) for row in rows]
    return [
        _answer(doc, full=full) for doc in docs if not doc.get("deleted") or (deleted and not _gone(doc, call.now, RECOVERABLE))
    ]


def shown(doc: Json, *, full: bool) -> Json:
    """A role of a list: of predefined ones the list holds the name alone, as there are thousands."""
    return predefined(doc["name"], full=full) if doc["name"].startswith("roles/") else doc


def page_of(
    request: Json, method: str, docs: list[Json], field: str, default: int = 300, show: Callable[[Json], Json] = lambda doc: doc
) -> Json:
    """One page of documents that are sorted by name; `show` makes those of the page."""
    size = paging.page_size(request, default=default, most=1000)
    if after := paging.read_token(method, request):
        docs = [doc for doc in docs if doc["name"] > after]
    answer: Json = {field: [show(doc) for doc in docs[:size]]} if docs else {}
    if len(docs) > size:
        answer["nextPageToken"] = paging.make_token(method, request, docs[size - 1]["name"])
    return answer


@api.method("GET /v1/{name=roles/*}", *(f"GET {path}" for path in _NAMED), request="GetRoleRequest", response="Role")
def get_role(call: Call, request: Json) -> Json:
    """GetRole: predefined ones for everybody."""
    name = request.get("name", "")
    if name.startswith("roles/"):
        if predefined_role(name) is None:
            raise not_found(f"The role named {name} was not found.")
        return predefined(name, full=True)
    return _answer(_custom(call, name, "get the role at", "iam.roles.get"))


@api.method(*(f"POST {path}" for path in _OF_PARENT), body="*", request="CreateRoleRequest", response="Role")
def create_role(call: Call, request: Json) -> Json:
    """CreateRole: a deleted role occupies its id for 37 days."""
    parent, role_id, data = request.get("parent", ""), request.get("roleId", ""), request.get("role", {})
    node = _holder(call, parent)
    if node is None or not call.holds("iam.roles.create", node.name):
        raise _denied("create a role in", "iam.roles.create", parent)
    if not re.fullmatch(r"[A-Za-z0-9_.]{3,64}", role_id):
        # unsourced: the wording; the rule is documented
        raise invalid(f"The role ID '{role_id[:80]}' does not match [a-zA-Z0-9_.]{{3,64}}.", "role_id")
    if data.get("name"):
        raise invalid("The role name must not be set.", "role.name")  # unsourced: the wording; the rule is documented
    _check(data, node.kind)
    name = f"{_canonical(node)}/roles/{role_id}"
    old = call.world.policies.role(name)
    if old is not None and not old.get("deleted"):
        raise already_exists(f"A role named {role_id} in {_canonical(node)} already exists.")
    if old is not None and not _gone(old, call.now, KEPT):
        raise failed_precondition(f"You can't create a role_id ({role_id}) which has been marked for deletion.")  # reported
    doc = _document(name, data, allow_policy.new_etag(call.now))
    call.world.policies.put_role(name, doc)
    return _answer(doc)


@api.method(*(f"PATCH {path}" for path in _NAMED), body="role", request="UpdateRoleRequest", response="Role")
def update_role(call: Call, request: Json) -> Json:
    """UpdateRole: title, description, permissions and stage, by mask or by what is set."""
    name, data = request.get("name", ""), request.get("role", {})
    old = _custom(call, name, "update the role at", "iam.roles.update")
    if old.get("deleted"):
        # unsourced: code and wording
        raise failed_precondition(f"You can't update role_id ({name.rpartition('/')[2]}) which has been marked for deletion.")
    _check_etag(data.get("etag", ""), old)
    paths = mask_paths(request.get("updateMask", "")) or [field for field in _FIELDS if field in data]
    for path in paths:
        if path not in (*_FIELDS, "name", "etag"):
            raise invalid(f"Invalid update mask: field '{path}' cannot be updated.", "update_mask")
    new = {field: (data.get(field) if field in paths else old.get(field)) for field in _FIELDS}
    _check({"title": new["title"] or "", "includedPermissions": new["includedPermissions"] or []}, old["name"].split("/")[0])
    doc = _document(old["name"], new, allow_policy.new_etag(call.now, old.get("etag", "")))
    call.world.policies.put_role(doc["name"], doc)
    return _answer(doc)


def _check_etag(given: str, doc: Json) -> None:
    if given and not same_etag(given, doc.get("etag", "")):
        # unsourced: the wording; that it is a 409 is in gcloud's source
        raise RpcError(Code.ABORTED, "There were concurrent role changes. Please retry the whole read-modify-write.")


@api.method(*(f"DELETE {path}" for path in _NAMED), request="DeleteRoleRequest", response="Role")
def delete_role(call: Call, request: Json) -> Json:
    """DeleteRole: it grants nothing from now on; recoverable for seven days."""
    return _mark(call, request, "delete", deleted=True)


@api.method(*(f"POST {path}:undelete" for path in _NAMED), body="*", request="UndeleteRoleRequest", response="Role")
def undelete_role(call: Call, request: Json) -> Json:
    """UndeleteRole."""
    return _mark(call, request, "undelete", deleted=False)


def _mark(call: Call, request: Json, verb: str, *, deleted: bool) -> Json:
    name = request.get("name", "")
    old = _custom(call, name, f"{verb} the role at", f"iam.roles.{verb}")
    _check_etag(request.get("etag", ""), old)
    if bool(old.get("deleted")) == deleted:
        # unsourced: code and wording
        state = "which has been marked for deletion" if deleted else "which is not deleted"
        raise failed_precondition(f"You can't {verb} role_id ({name.rpartition('/')[2]}) {state}.")
    doc = _document(old["name"], old, allow_policy.new_etag(call.now, old.get("etag", "")))
    if deleted:
        doc |= {"deleted": True, "deletedAt": call.now}
    call.world.policies.put_role(doc["name"], doc)
    return _answer(doc)
