"""Key changes in the audit log (https://cloud.google.com/api-keys/docs/audit-logging; an entry in Panther's public rules).

The permission is told by its older name, the resource is the project alone; the key's name stands in the last entry's response.
"""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.services.apikeys.rows import KeyRow
from keyadmin.sandbox.state import audit_log

Json = dict[str, Any]

_PERMISSIONS = {
    "CreateKey": "serviceusage.apiKeys.create",
    "UpdateKey": "serviceusage.apiKeys.update",
    "DeleteKey": "serviceusage.apiKeys.delete",
    "UndeleteKey": "apikeys.keys.undelete",
}
_EPOCH = "1970-01-01T00:00:00Z"  # recorded: the response's createTime reads so


def record(call: Call, row: KeyRow, operation: str, request: Json) -> None:
    """Log a change of a key, within its transaction."""
    method = call.method
    payload: Json = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": _who(call),
        "requestMetadata": {"callerIp": call.caller.headers.get("x-forwarded-for", "127.0.0.1").split(",")[0].strip()},
        "serviceName": method.api.host,
        "methodName": method.full_name,
        "authorizationInfo": [
            {"resource": row.project, "permission": _PERMISSIONS[method.name], "granted": True, "resourceAttributes": {}}
        ],
        "resourceName": row.project,
        "request": {"@type": f"type.googleapis.com/google.api.apikeys.v2.{method.name}Request"} | request,
    }
    response = {"@type": "type.googleapis.com/google.api.apikeys.v2.Key"} | row.doc | {"createTime": _EPOCH}
    response.pop("keyString", None)
    audit_log.write(call.store, row.project, call.now, payload, operation=operation, response=response)


def _who(call: Call) -> Json:
    kind = "serviceAccount" if call.principal.endswith("gserviceaccount.com") else "user"
    return {"principalEmail": call.principal, "principalSubject": f"{kind}:{call.principal}"}
