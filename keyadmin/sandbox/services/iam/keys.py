"""IAM API v1: keys of service accounts. They are RSA keys that nothing takes: the sandbox has no token endpoint."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from keyadmin.sandbox.api import EMPTY, Call
from keyadmin.sandbox.messages.loading import load
from keyadmin.sandbox.messages.status import Code, RpcError, failed_precondition, invalid, not_found
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.iam.accounts import account_of
from keyadmin.sandbox.services.iam.api import api
from keyadmin.sandbox.services.iam.rows import Account
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.state.org_policies import ACCOUNT_KEYS

Json = dict[str, Any]

TABLES = """
CREATE TABLE account_keys (
  account TEXT NOT NULL,            -- the account's unique id
  key_id TEXT NOT NULL,
  project TEXT NOT NULL,            -- projects/NUMBER
  doc TEXT NOT NULL,                -- the REST key without name and private key, which is not kept
  PRIMARY KEY (account, key_id)
) WITHOUT ROWID;
"""

MOST = 10  # of an account (https://cloud.google.com/iam/quotas)
_FOREVER = "9999-12-31T23:59:59Z"
_OF_ACCOUNT = "/v1/{name=projects/*/serviceAccounts/*}/keys"
_NAMED = "/v1/{name=projects/*/serviceAccounts/*/keys/*}"
_FILE = "TYPE_GOOGLE_CREDENTIALS_FILE"


def _name(node: Node, account: Account, key_id: str) -> str:
    return f"projects/{node.project_id or node.number}/serviceAccounts/{account.email}/keys/{key_id}"


def _found(call: Call, name: str, permission: str) -> tuple[Node, Account, str, Json]:
    parent, _, key_id = name.rpartition("/keys/")
    node, account = account_of(call, parent, permission)
    row = call.store.one("SELECT doc FROM account_keys WHERE account = ? AND key_id = ?", account.unique_id, key_id)
    if row is None:
        raise not_found(f"Service account key {key_id[:80]} does not exist.")  # unsourced: the wording
    return node, account, key_id, json.loads(row[0])


def _check_policy(call: Call, node: Node) -> None:
    """Organisations may forbid keys (documented, with this violation for the older constraint)."""
    chain = call.world.hierarchy.chain(node.name)
    for constraint in ACCOUNT_KEYS:
        if call.world.org_policies.enforced(chain, constraint):
            message = "Key creation is not allowed on this service account."
            violation = {
                "type": f"constraints/{constraint}",
                "subject": f"projects/{node.project_id}/serviceAccounts/?configvalue=",
                "description": message,
            }
            raise failed_precondition(
                message, {"@type": "type.googleapis.com/google.rpc.PreconditionFailure", "violations": [violation]}
            )


def _private_key(node: Node, account: Account, key_id: str) -> str:
    """A credentials file, base64; made anew and kept nowhere, as Google keeps none."""
    rsa = load("cryptography.hazmat.primitives.asymmetric.rsa")
    forms = load("cryptography.hazmat.primitives.serialization")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()).decode()
    file = {
        "type": "service_account",
        "project_id": node.project_id,
        "private_key_id": key_id,
        "private_key": pem,
        "client_email": account.email,
        "client_id": account.unique_id,
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "sandbox.invalid",
    }
    return base64.b64encode(json.dumps(file, indent=2).encode()).decode()


@api.method(f"POST {_OF_ACCOUNT}", body="*", request="CreateServiceAccountKeyRequest", response="ServiceAccountKey")
def create_service_account_key(call: Call, request: Json) -> Json:
    """CreateServiceAccountKey: the private key stands in this answer and nowhere else."""
    node, account = account_of(call, request.get("name", ""), "iam.serviceAccountKeys.create")
    kind = request.get("privateKeyType", _FILE)
    if kind not in (_FILE, "TYPE_UNSPECIFIED"):
        raise invalid("The sandbox makes keys of TYPE_GOOGLE_CREDENTIALS_FILE alone.", "private_key_type")
    if request.get("keyAlgorithm", "KEY_ALG_RSA_2048") not in ("KEY_ALG_RSA_2048", "KEY_ALG_UNSPECIFIED"):
        raise invalid("The sandbox makes keys of KEY_ALG_RSA_2048 alone.", "key_algorithm")
    _check_policy(call, node)
    count = call.store.one("SELECT count(*) FROM account_keys WHERE account = ?", account.unique_id)[0]
    if count >= MOST:
        raise RpcError(Code.FAILED_PRECONDITION, "Precondition check failed.")  # reported of the eleventh key
    key_id = secrets.token_hex(20)
    doc = {
        "validAfterTime": f"{rfc3339(call.now)[:19]}Z",
        "validBeforeTime": _FOREVER,
        "keyAlgorithm": "KEY_ALG_RSA_2048",
        "keyOrigin": "GOOGLE_PROVIDED",
        "keyType": "USER_MANAGED",
    }
    call.store.run("INSERT INTO account_keys VALUES (?, ?, ?, ?)", account.unique_id, key_id, account.project, json.dumps(doc))
    private = {"privateKeyType": _FILE, "privateKeyData": _private_key(node, account, key_id)}
    return {"name": _name(node, account, key_id)} | private | doc


@api.method(f"GET {_OF_ACCOUNT}", request="ListServiceAccountKeysRequest", response="ListServiceAccountKeysResponse")
def list_service_account_keys(call: Call, request: Json) -> Json:
    """ListServiceAccountKeys: those of users; the keys that Google manages itself are not here."""
    node, account = account_of(call, request.get("name", ""), "iam.serviceAccountKeys.list")
    kinds = request.get("keyTypes", [])
    rows = call.store.all("SELECT key_id, doc FROM account_keys WHERE account = ? ORDER BY key_id", account.unique_id)
    found = [{"name": _name(node, account, row[0])} | json.loads(row[1]) for row in rows]
    found = [doc for doc in found if not kinds or doc["keyType"] in kinds]
    return {"keys": found} if found else {}


@api.method(f"GET {_NAMED}", request="GetServiceAccountKeyRequest", response="ServiceAccountKey")
def get_service_account_key(call: Call, request: Json) -> Json:
    """GetServiceAccountKey: without key material."""
    node, account, key_id, doc = _found(call, request.get("name", ""), "iam.serviceAccountKeys.get")
    return {"name": _name(node, account, key_id)} | doc


@api.method(f"DELETE {_NAMED}", request="DeleteServiceAccountKeyRequest", response=EMPTY)
def delete_service_account_key(call: Call, request: Json) -> Json:
    """DeleteServiceAccountKey."""
    _, account, key_id, _ = _found(call, request.get("name", ""), "iam.serviceAccountKeys.delete")
    call.store.run("DELETE FROM account_keys WHERE account = ? AND key_id = ?", account.unique_id, key_id)
    return {}


def _switched(call: Call, request: Json, permission: str, *, disabled: bool) -> Json:
    _, account, key_id, doc = _found(call, request.get("name", ""), permission)
    doc.pop("disabled", None)
    if disabled:
        doc["disabled"] = True
    call.store.run(
        "UPDATE account_keys SET doc = ? WHERE account = ? AND key_id = ?", json.dumps(doc), account.unique_id, key_id
    )
    return {}


@api.method(f"POST {_NAMED}:disable", body="*", request="DisableServiceAccountKeyRequest", response=EMPTY)
def disable_service_account_key(call: Call, request: Json) -> Json:
    """DisableServiceAccountKey."""
    return _switched(call, request, "iam.serviceAccountKeys.disable", disabled=True)


@api.method(f"POST {_NAMED}:enable", body="*", request="EnableServiceAccountKeyRequest", response=EMPTY)
def enable_service_account_key(call: Call, request: Json) -> Json:
    """EnableServiceAccountKey."""
    return _switched(call, request, "iam.serviceAccountKeys.enable", disabled=False)
