"""Key changes in the audit log (https://cloud.google.com/api-keys/docs/audit-logging; an entry in Panther's public rules).

The permission is told by its older name, the resource is the project alone; the key's name stands in the last entry's response.
"""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.services.apikeys.rows import KeyRow
from keyadmin.sandbox.state import audit_log
from keyadmin.sandbox.state.audit_log import Change

Json = dict[str, Any]

_PERMISSIONS = {
    "CreateKey": "serviceusage.apiKeys.create",
    "UpdateKey": "serviceusage.apiKeys.update",
    "DeleteKey": "serviceusage.apiKeys.delete",
    "UndeleteKey": "apikeys.keys.undelete",
}
# Recorded: the response's createTime reads so.
_INSTEAD = {"@type": "type.googleapis.com/google.api.apikeys.v2.Key", "createTime": "1970-01-01T00:00:00Z"}


def record(call: Call, row: KeyRow, operation: str, request: Json) -> None:
    """Log a change of a key, within its transaction."""
    method = call.method
    change = Change(
        call.principal,
        call.caller.headers.get("x-forwarded-for", "127.0.0.1").split(",")[0].strip(),
        method.api.host,
        method.full_name,
        _PERMISSIONS[method.name],
        f"type.googleapis.com/google.api.apikeys.v2.{method.name}Request",
    )
    audit_log.write_change(call.store, row.project, call.now, change, request, operation, (row.doc, _INSTEAD))
