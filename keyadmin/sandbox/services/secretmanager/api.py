"""Secret Manager v1: the rules of google.cloud.secretmanager.v1.SecretManagerService, for global secrets.

Shapes follow the discovery document, revision 20261021; error texts are those of public issue threads where one shows them.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from keyadmin.sandbox.api import EMPTY, Api, Call
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import already_exists, failed_precondition, invalid
from keyadmin.sandbox.messages.times import parse_rfc3339, plain_utc, rfc3339, rfc3339_nanos
from keyadmin.sandbox.services.secretmanager import access as secret_access
from keyadmin.sandbox.services.secretmanager import lists as secret_lists
from keyadmin.sandbox.services.secretmanager import rows as secret_rows
from keyadmin.sandbox.services.secretmanager.access import SECRET, VERSION
from keyadmin.sandbox.services.secretmanager.locations import REGIONS, both, location, regional
from keyadmin.sandbox.services.secretmanager.rows import SecretRow
from keyadmin.sandbox.world import World

Json = dict[str, Any]

api = Api(
    "google.cloud.secretmanager.v1.SecretManagerService",
    secret_access.HOST,
    "Secret Manager API",
    "google.cloud.secretmanager.v1",
)

MOST_BYTES = 64 * 1024  # of a payload (discovery document)
_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
# Fields in the order in which a secret is answered; all but the first two can be updated.
_FIELDS = (
    *("replication", "secretType", "labels", "topics", "expireTime", "rotation", "versionAliases", "annotations"),
    *("versionDestroyTtl", "customerManagedEncryption"),
)
_MUTABLE = (*_FIELDS[2:], "ttl")
_POLICY = "google.iam.v1.Policy"
_IAM = "google.iam.v1"


def put_secret(world: World, project: str, secret: str, values: list[str]) -> None:
    """Make a secret with versions, within the caller's transaction; of one that is there, add the values it lacks."""
    now = world.clock.now()
    row = secret_rows.get(world.store, project, secret)
    if row is None:
        row = SecretRow(project, secret, now, None, 0, {})
        row.doc = _document(row, {"replication": {"automatic": {}}}, now)
        secret_rows.put(world.store, row)
    known = {found.checksum for found in secret_rows.versions(world.store, row)}
    for value in values:
        data = value.encode()
        if secret_rows.crc32c(data) not in known:
            secret_rows.add_version(world.store, row, data, now, checked=False)


def _document(row: SecretRow, data: Json, now: int) -> Json:
    """The Secret as answered; a TTL becomes the time at which it ends."""
    doc: Json = {"name": row.name, "createTime": rfc3339(row.created), "etag": secret_rows.etag(now)}
    row.expires = None
    if "ttl" in data:
        row.expires = now + _seconds(data["ttl"], "secret.ttl")
    elif "expireTime" in data:
        row.expires = parse_rfc3339(data["expireTime"])
    if row.expires is not None and row.expires <= now:
        raise invalid("The expiration time must be in the future.", "secret.expire_time")
    for name in _FIELDS:
        if name == "expireTime" and row.expires is not None:
            doc[name] = rfc3339_nanos(row.expires) if "ttl" in data else plain_utc(data[name])
        elif data.get(name) not in (None, {}, []):
            doc[name] = data[name]
    return doc


def _seconds(text: str, field: str) -> int:
    """A protobuf duration (`3600s`) in microseconds. Raises INVALID_ARGUMENT."""
    found = re.fullmatch(r"(\d{1,11})(\.\d{1,9})?s", text)
    if not found:
        raise invalid(f"Invalid duration '{text[:40]}'.", field)
    return int(float(text[:-1]) * 1_000_000)


def _check(data: Json) -> None:
    """Refuse a secret that cannot be kept."""
    if "ttl" in data and "expireTime" in data:
        raise invalid("Only one of ttl and expire_time can be set.", "secret.expiration")
    if "versionDestroyTtl" in data and _seconds(data["versionDestroyTtl"], "secret.version_destroy_ttl") < 86_400_000_000:
        raise invalid("version_destroy_ttl must be at least 24 hours.", "secret.version_destroy_ttl")
    for alias in data.get("versionAliases", {}):
        if not _ALIAS.fullmatch(alias) or alias in ("latest", "NEW"):
            raise invalid(f"Invalid version alias '{alias[:80]}'.", "secret.version_aliases")


@api.method(*both("POST /v1/{parent=projects/*}/secrets"), body="secret", request="CreateSecretRequest", response="Secret")
def create_secret(call: Call, request: Json) -> Json:
    """CreateSecret: an empty one."""
    project = secret_access.project(call, request.get("parent", ""), "secretmanager.secrets.create")
    secret_id = request.get("secretId", "")
    if not _SECRET_ID.fullmatch(secret_id):
        # unsourced: the wording
        raise invalid(f"Secret ID [{secret_id[:80]}] must match [a-zA-Z0-9_-]{{1,255}}.", "secret_id")
    data = request.get("secret", {})
    replication = data.get("replication", {})
    if regional(project):
        if replication:
            raise invalid("A regional secret has no replication policy.", "secret.replication")  # unsourced: the wording
    elif not replication or ("userManaged" in replication and not replication["userManaged"].get("replicas")):
        raise invalid("The replication policy of the secret is missing.", "secret.replication")  # unsourced: the wording
    _check(data)
    row = SecretRow(project, secret_id, call.now, None, 0, {})
    if secret_rows.get(call.store, project, secret_id) is not None:
        raise already_exists(f"Secret [{row.name}] already exists.")
    row.doc = _document(row, data, call.now)
    secret_rows.put(call.store, row)
    return row.doc


@api.method(*both(f"GET /v1/{{name={SECRET}}}"), request="GetSecretRequest", response="Secret")
def get_secret(call: Call, request: Json) -> Json:
    """GetSecret: what is known of it, never its value."""
    return secret_access.secret(call, request.get("name", ""), "secretmanager.secrets.get").doc


@api.method(*both("GET /v1/{parent=projects/*}/secrets"), request="ListSecretsRequest", response="ListSecretsResponse")
def list_secrets(call: Call, request: Json) -> Json:
    """ListSecrets: the newest first."""
    project = secret_access.project(call, request.get("parent", ""), "secretmanager.secrets.list")
    rows = secret_rows.of_project(call.store, project)
    return secret_lists.page("secrets", "ListSecrets", request, [row.doc for row in rows])


@api.method(*both(f"PATCH /v1/{{secret.name={SECRET}}}"), body="secret", request="UpdateSecretRequest", response="Secret")
def update_secret(call: Call, request: Json) -> Json:
    """UpdateSecret: the fields of the mask; one that is absent is cleared."""
    data = request.get("secret", {})
    row = secret_access.secret(call, data.get("name", ""), "secretmanager.secrets.update", "secret.name")
    secret_access.check_etag(row.doc, data.get("etag", ""), "secret")
    paths = mask_paths(request.get("updateMask", ""))
    if not paths:
        raise invalid("The update mask is missing.", "update_mask")
    new = {name: value for name, value in row.doc.items() if name in _FIELDS}
    for path in paths:
        field, _, inner = path.partition(".")
        if field not in _MUTABLE or (inner and field not in ("rotation", "labels", "annotations", "versionAliases")):
            raise invalid(f"The field '{path[:80]}' cannot be updated.", "update_mask")
        if field in ("ttl", "expireTime"):
            new.pop("expireTime", None)
        if inner:
            new[field] = _with_member(new.get(field, {}), inner, data.get(field, {}))
        elif field in data:
            new[field] = data[field]
        else:
            new.pop(field, None)
    _check(new)
    for alias, version in new.get("versionAliases", {}).items():
        if secret_rows.version(call.store, row, int(version)) is None:
            raise invalid(f"The version alias '{alias}' names no version: {version}.", "secret.version_aliases")
    if "versionAliases" in new:
        new["versionAliases"] = {alias: str(version) for alias, version in new["versionAliases"].items()}
    row.doc = _document(row, new, call.now)
    secret_rows.put(call.store, row)
    return row.doc


def _with_member(old: Json, name: str, new: Json) -> Json:
    """A map or message with one member replaced, or taken out."""
    out = {key: value for key, value in old.items() if key != name}
    if name in new:
        out[name] = new[name]
    return out


@api.method(*both(f"DELETE /v1/{{name={SECRET}}}"), request="DeleteSecretRequest", response=EMPTY)
def delete_secret(call: Call, request: Json) -> Json:
    """DeleteSecret: with all versions, for good."""
    row = secret_access.secret(call, request.get("name", ""), "secretmanager.secrets.delete")
    secret_access.check_etag(row.doc, request.get("etag", ""), "secret")
    secret_rows.delete(call.store, row)
    return {}


@api.method(
    *both(f"POST /v1/{{parent={SECRET}}}:addVersion"), body="*", request="AddSecretVersionRequest", response="SecretVersion"
)
def add_secret_version(call: Call, request: Json) -> Json:
    """AddSecretVersion: the value and, if sent, its checksum are looked at; neither is ever logged."""
    row = secret_access.secret(call, request.get("parent", ""), "secretmanager.versions.add", "parent")
    payload = request.get("payload", {})
    text = payload.get("data", "").replace("-", "+").replace("_", "/")
    data = base64.b64decode(text + "=" * (-len(text) % 4))
    if not data:
        raise invalid("Secret Payload cannot be empty.", "payload.data")
    if len(data) > MOST_BYTES:
        raise invalid(f"The payload is too large: at most {MOST_BYTES} bytes are allowed.", "payload.data")
    checked = "dataCrc32c" in payload
    if checked and payload["dataCrc32c"] != secret_rows.crc32c(data):
        # unsourced: the wording
        raise invalid("The payload does not match its checksum data_crc32c.", "payload.data_crc32c")
    return secret_rows.add_version(call.store, row, data, call.now, checked=checked).doc


@api.method(
    *both(f"GET /v1/{{name={VERSION}}}:access"), request="AccessSecretVersionRequest", response="AccessSecretVersionResponse"
)
def access_secret_version(call: Call, request: Json) -> Json:
    """AccessSecretVersion: `latest` is the newest version, whatever its state (reported)."""
    row = secret_access.version(call, request.get("name", ""), "secretmanager.versions.access")
    if row.state != "ENABLED":
        raise failed_precondition(f"Secret Version [{row.name}] is in {row.state} state.")
    return {"name": row.name, "payload": secret_rows.payload(row)}


@api.method(*both(f"GET /v1/{{name={VERSION}}}"), request="GetSecretVersionRequest", response="SecretVersion")
def get_secret_version(call: Call, request: Json) -> Json:
    """GetSecretVersion: without the value."""
    return secret_access.version(call, request.get("name", ""), "secretmanager.versions.get").doc


@api.method(
    *both(f"GET /v1/{{parent={SECRET}}}/versions"), request="ListSecretVersionsRequest", response="ListSecretVersionsResponse"
)
def list_secret_versions(call: Call, request: Json) -> Json:
    """ListSecretVersions: the newest first, without values."""
    row = secret_access.secret(call, request.get("parent", ""), "secretmanager.versions.list", "parent")
    docs = [version.doc for version in secret_rows.versions(call.store, row)]
    return secret_lists.page("versions", "ListSecretVersions", request, docs)


def _set_state(call: Call, request: Json, permission: str, state: str) -> Json:
    row = secret_access.version(call, request.get("name", ""), permission)
    secret_access.check_etag(row.doc, request.get("etag", ""), "secret version")
    if row.state == "DESTROYED":
        # unsourced: the wording
        raise failed_precondition(f"Secret Version [{row.name}] is in DESTROYED state.")
    if row.state != state:
        row.state, row.destroy_at = state, None
        row.doc = {name: value for name, value in row.doc.items() if name != "scheduledDestroyTime"}
        row.doc |= {"state": state, "etag": secret_rows.etag(call.now)}
        secret_rows.put_version(call.store, row)
    return row.doc


@api.method(
    *both(f"POST /v1/{{name={VERSION}}}:enable"), body="*", request="EnableSecretVersionRequest", response="SecretVersion"
)
def enable_secret_version(call: Call, request: Json) -> Json:
    """EnableSecretVersion."""
    return _set_state(call, request, "secretmanager.versions.enable", "ENABLED")


@api.method(
    *both(f"POST /v1/{{name={VERSION}}}:disable"), body="*", request="DisableSecretVersionRequest", response="SecretVersion"
)
def disable_secret_version(call: Call, request: Json) -> Json:
    """DisableSecretVersion: its value cannot be read until it is enabled again."""
    return _set_state(call, request, "secretmanager.versions.disable", "DISABLED")


@api.method(
    *both(f"POST /v1/{{name={VERSION}}}:destroy"), body="*", request="DestroySecretVersionRequest", response="SecretVersion"
)
def destroy_secret_version(call: Call, request: Json) -> Json:
    """DestroySecretVersion: at once, or after the secret's `versionDestroyTtl`, disabled until then (discovery document)."""
    name = request.get("name", "")
    row = secret_access.version(call, name, "secretmanager.versions.destroy")
    secret_access.check_etag(row.doc, request.get("etag", ""), "secret version")
    if row.state == "DESTROYED":
        raise failed_precondition(f"Secret Version [{row.name}] is in DESTROYED state.")  # unsourced: the wording
    secret = secret_rows.get(call.store, row.project, row.secret_id)
    delay = secret.doc.get("versionDestroyTtl") if secret else None
    if delay:
        row.state, row.destroy_at = "DISABLED", call.now + _seconds(delay, "secret.version_destroy_ttl")
        row.doc |= {
            "state": "DISABLED",
            "etag": secret_rows.etag(call.now),
            "scheduledDestroyTime": rfc3339_nanos(row.destroy_at),
        }
    else:
        secret_rows.destroy(row, call.now)
    secret_rows.put_version(call.store, row)
    return row.doc


@api.method(*both(f"GET /v1/{{resource={SECRET}}}:getIamPolicy"), request=f"{_IAM}.GetIamPolicyRequest", response=_POLICY)
def get_iam_policy(call: Call, request: Json) -> Json:
    """GetIamPolicy of a secret."""
    return secret_access.get_policy(call, request)


@api.method(
    *both(f"POST /v1/{{resource={SECRET}}}:setIamPolicy"), body="*", request=f"{_IAM}.SetIamPolicyRequest", response=_POLICY
)
def set_iam_policy(call: Call, request: Json) -> Json:
    """SetIamPolicy of a secret."""
    return secret_access.set_policy(call, request)


@api.method(
    *both(f"POST /v1/{{resource={SECRET}}}:testIamPermissions"),
    body="*",
    request=f"{_IAM}.TestIamPermissionsRequest",
    response=f"{_IAM}.TestIamPermissionsResponse",
    writes=False,
)
def test_iam_permissions(call: Call, request: Json) -> Json:
    """TestIamPermissions on a secret."""
    return secret_access.test_permissions(call, request)


@api.method(
    "GET /v1/{name=projects/*}/locations",
    request={"name": "string", "filter": "string", "pageSize": "int32", "pageToken": "string"},
    response=None,
)
def list_locations(call: Call, request: Json) -> Json:
    """ListLocations of google.cloud.location.Locations: the regions (REST only)."""
    project = secret_access.project(call, request.get("name", ""), "secretmanager.locations.list")
    found = [location(project, region) for region in REGIONS]
    return secret_lists.page("locations", "ListLocations", request, found)


@api.method("GET /v1/{name=projects/*/locations/*}", request={"name": "string"}, response=None)
def get_location(call: Call, request: Json) -> Json:
    """GetLocation of google.cloud.location.Locations: one region (REST only)."""
    home = secret_access.project(call, request.get("name", ""), "secretmanager.locations.get")
    return location(*home.split("/locations/"))
