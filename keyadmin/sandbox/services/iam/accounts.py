"""IAM API v1: the rules about service accounts."""

from __future__ import annotations

import re
from typing import Any

from keyadmin.sandbox.api import EMPTY, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import (
    Code,
    RpcError,
    already_exists,
    error_info,
    failed_precondition,
    invalid,
    not_active,
    not_found,
)
from keyadmin.sandbox.services.iam import rows as service_accounts
from keyadmin.sandbox.services.iam.api import api, denied
from keyadmin.sandbox.services.iam.rows import Account
from keyadmin.sandbox.state.hierarchy import Node, account_email
from keyadmin.sandbox.state.org_policies import ACCOUNT_CREATION

Json = dict[str, Any]

MOST_ACCOUNTS = 100  # a project (https://cloud.google.com/iam/quotas)
_MOST_BYTES = {"displayName": 100, "description": 256}  # documented
_NAME = "/v1/{name=projects/*/serviceAccounts/*}"


def account_of(call: Call, name: str, permission: str) -> tuple[Node, Account]:
    """The account of `projects/P/serviceAccounts/A` and its project, if the caller holds the permission on it.

    P is an id, a number or `-`, A an address or a unique id. A missing account is 404 for those who may look in the project
    that they name, else 403 (documented).
    """
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "serviceAccounts" or not parts[1] or not parts[3]:
        raise invalid(f"Invalid resource name '{name[:160]}': expected projects/*/serviceAccounts/*.", "name")
    account = service_accounts.find(call.store, parts[3])
    if parts[1] == "-":
        node = call.world.hierarchy.get(account.project) if account else None
    else:
        node = call.world.hierarchy.project(parts[1])
    if node is None:
        raise denied(permission)
    if account is None or account.project != node.name or not service_accounts.visible(call, account):
        if parts[1] == "-" or not call.holds(permission, node.name):
            raise denied(permission)
        gone = service_accounts.deleted_address(call.store, node.name, parts[3], call.now)
        raise not_found(f"Account deleted: {gone}" if gone else "Unknown service account")  # recorded, both
    if not call.holds(permission, account.resource, node.name):
        raise denied(permission)
    return node, account


def _project(call: Call, name: str, permission: str) -> Node:
    """The project of `projects/P`, if the caller holds the permission there."""
    kind, _, reference = name.partition("/")
    if kind != "projects" or not reference or "/" in reference:
        raise invalid(f"Invalid resource name '{name[:160]}': expected projects/*.", "name")
    node = call.world.hierarchy.project(reference)
    if node is None or not call.holds(permission, node.name):
        raise denied(permission)
    return node


def _answer(node: Node, account: Account) -> Json:
    return account.answer(node.project_id or node.number)


def _check_text(data: Json) -> None:
    for field, most in _MOST_BYTES.items():
        if len(data.get(field, "").encode()) > most:
            raise invalid(f"The {field} of a service account is at most {most} bytes long.", field)  # unsourced: the wording


def _check_id(account_id: str) -> None:
    if not 6 <= len(account_id) <= 30:
        raise invalid(f'The account ID "{account_id[:80]}" does not have a length between 6 and 30.')  # recorded
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])", account_id):
        # unsourced: the wording; the expression is documented
        raise invalid(f'The account ID "{account_id}" does not match [a-z]([-a-z0-9]*[a-z0-9]).', "account_id")


def _check_policy(call: Call, node: Node) -> None:
    """Organisations may forbid new service accounts (documented, with this answer for the older constraint)."""
    for constraint in ACCOUNT_CREATION:
        if call.world.org_policies.enforced(call.world.hierarchy.chain(node.name), constraint):
            message = "Service account creation is not allowed on this project."
            raise failed_precondition(
                message,
                {
                    "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
                    "violations": [
                        {
                            "type": f"constraints/{constraint}",
                            "subject": f"projects/{node.project_id}/serviceAccounts/?configvalue=",
                            "description": message,
                        }
                    ],
                },
            )


@api.method(
    "POST /v1/{name=projects/*}/serviceAccounts", body="*", request="CreateServiceAccountRequest", response="ServiceAccount"
)
def create_service_account(call: Call, request: Json) -> Json:
    """CreateServiceAccount: the id of a deleted account is free at once."""
    node = _project(call, request.get("name", ""), "iam.serviceAccounts.create")
    account_id, data = request.get("accountId", ""), request.get("serviceAccount", {})
    _check_id(account_id)
    _check_text(data)
    if node.state != "ACTIVE":
        raise not_active(api.host, node.name, node.state)
    _check_policy(call, node)
    doc = {field: data[field] for field in _MOST_BYTES if data.get(field)}
    email = account_email(account_id, node.project_id or "")
    if service_accounts.find(call.store, email) is not None:
        name = f"projects/{node.project_id}/serviceAccounts/{email}"
        raise already_exists(
            f"Service account {account_id} already exists within project projects/{node.project_id}.",
            {"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceName": name},
        )
    if service_accounts.count(call.store, node.name) >= MOST_ACCOUNTS:
        raise RpcError(
            Code.RESOURCE_EXHAUSTED,
            "Maximum number of service accounts on project reached.",
            error_info("RATE_LIMIT_EXCEEDED", api.host, consumer=node.name, quota_limit_value=str(MOST_ACCOUNTS)),
        )
    account = Account(email, service_accounts.new_unique_id(), node.name, call.now, None, doc)
    service_accounts.insert(call.store, account)
    return _answer(node, account)


@api.method(f"GET {_NAME}", request="GetServiceAccountRequest", response="ServiceAccount")
def get_service_account(call: Call, request: Json) -> Json:
    """GetServiceAccount."""
    return _answer(*account_of(call, request.get("name", ""), "iam.serviceAccounts.get"))


@api.method(
    "GET /v1/{name=projects/*}/serviceAccounts", request="ListServiceAccountsRequest", response="ListServiceAccountsResponse"
)
def list_service_accounts(call: Call, request: Json) -> Json:
    """ListServiceAccounts: 20 a page, at most 100 (documented). The order is by address here."""
    node = _project(call, request.get("name", ""), "iam.serviceAccounts.list")
    size = paging.page_size(request, default=20, most=100)
    after = paging.read_token("ListServiceAccounts", request)
    known_until = call.now - call.world.faults.spread("serviceAccount")
    accounts = service_accounts.page(call.store, node.name, after=after, size=size + 1, created_until=known_until)
    answer: Json = {"accounts": [_answer(node, account) for account in accounts[:size]]} if accounts else {}
    if len(accounts) > size:
        answer["nextPageToken"] = paging.make_token("ListServiceAccounts", request, accounts[size - 1].email)
    return answer


def _change(call: Call, name: str, data: Json, fields: list[str]) -> Json:
    node, account = account_of(call, name, "iam.serviceAccounts.update")
    _check_text(data)
    for field in fields:
        account.doc[field] = data.get(field, "")
    service_accounts.save(call.store, account)
    return _answer(node, account)


@api.method(f"PUT {_NAME}", body="*", request="ServiceAccount", response="ServiceAccount")
def update_service_account(call: Call, request: Json) -> Json:
    """UpdateServiceAccount: the display name alone (documented)."""
    return _change(call, request.get("name", ""), request, ["displayName"])


@api.method(
    "PATCH /v1/{service_account.name=projects/*/serviceAccounts/*}",
    body="*",
    request="PatchServiceAccountRequest",
    response="ServiceAccount",
)
def patch_service_account(call: Call, request: Json) -> Json:
    """PatchServiceAccount: display name and description, as the mask says; without one it is refused (documented)."""
    data = request.get("serviceAccount", {})
    paths = mask_paths(request.get("updateMask", ""))
    for path in paths:
        if path not in _MOST_BYTES:
            raise invalid(f"Invalid update mask: field '{path}' cannot be updated.", "update_mask")
    if not paths:
        raise invalid("The update mask is empty.", "update_mask")  # unsourced: the wording
    changed = _change(call, data.get("name", ""), data, paths)
    return {field: changed[field] for field in ("name", *paths) if field in changed}  # nothing else is answered (recorded)


@api.method(f"DELETE {_NAME}", request="DeleteServiceAccountRequest", response=EMPTY)
def delete_service_account(call: Call, request: Json) -> Json:
    """DeleteServiceAccount: recoverable by unique id for 30 days; API keys bound to it stop working."""
    _, account = account_of(call, request.get("name", ""), "iam.serviceAccounts.delete")
    account.deleted = call.now
    service_accounts.save(call.store, account)
    return {}


@api.method(
    f"POST {_NAME}:undelete", body="*", request="UndeleteServiceAccountRequest", response="UndeleteServiceAccountResponse"
)
def undelete_service_account(call: Call, request: Json) -> Json:
    """UndeleteServiceAccount: by unique id, unless the address was taken again."""
    parts = request.get("name", "").split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "serviceAccounts":
        raise invalid("Invalid resource name: expected projects/*/serviceAccounts/*.", "name")
    account = service_accounts.find_deleted(call.store, parts[3], call.now)
    reference = account.project if account and parts[1] == "-" else parts[1]
    node = call.world.hierarchy.project(reference)
    if node is None or not call.holds("iam.serviceAccounts.undelete", node.name):
        raise denied("iam.serviceAccounts.undelete")
    if account is None or account.project != node.name:
        raise not_found("Unknown service account")
    if service_accounts.find(call.store, account.email) is not None:
        # unsourced: code and wording; that it cannot be undone then is documented
        raise failed_precondition(f"There is another service account with the address {account.email}.")
    account.deleted = None
    service_accounts.save(call.store, account)
    return {"restoredAccount": _answer(node, account)}


@api.method(f"POST {_NAME}:enable", body="*", request="EnableServiceAccountRequest", response=EMPTY)
def enable_service_account(call: Call, request: Json) -> Json:
    """EnableServiceAccount; no change where it is enabled."""
    return _switch(call, request, "iam.serviceAccounts.enable", disabled=False)


@api.method(f"POST {_NAME}:disable", body="*", request="DisableServiceAccountRequest", response=EMPTY)
def disable_service_account(call: Call, request: Json) -> Json:
    """DisableServiceAccount: API keys bound to it stop working; no change where it is disabled."""
    return _switch(call, request, "iam.serviceAccounts.disable", disabled=True)


def _switch(call: Call, request: Json, permission: str, *, disabled: bool) -> Json:
    _, account = account_of(call, request.get("name", ""), permission)
    account.doc["disabled"] = disabled
    service_accounts.save(call.store, account)
    return {}
