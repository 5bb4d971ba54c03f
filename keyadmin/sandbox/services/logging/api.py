"""Cloud Logging API v2: ListLogEntries of google.logging.v2.LoggingServiceV2, for the audit logs; REST only.

Its protobuf classes come with a client that keyadmin does not need.
"""

from __future__ import annotations

import re
from typing import Any

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import Code, RpcError, error_info, invalid
from keyadmin.sandbox.services.logging import entries, query

Json = dict[str, Any]

api = Api("google.logging.v2.LoggingServiceV2", "logging.googleapis.com", "Cloud Logging API")

MOST = 1_000  # a page (discovery document); the default is 50
_PERMISSION = "logging.logEntries.list"
_NAME = re.compile(r"((?:projects/[a-z0-9.:-]+|(?:folders|organizations)/[0-9]+))(/locations/[^/]+/buckets/.*)?")


@api.method(
    "POST /v2/entries:list",
    request={
        "resourceNames": ["string"],
        "projectIds": ["string"],
        "filter": "string",
        "orderBy": "string",
        "pageSize": "int32",
        "pageToken": "string",
    },
    response=None,
    body="*",
    writes=False,
)
def list_log_entries(call: Call, request: Json) -> Json:
    """ListLogEntries: the oldest first unless told otherwise; of a folder or organisation only what is logged there itself."""
    names = request.get("resourceNames", []) + [f"projects/{name}" for name in request.get("projectIds", [])]
    if not names:
        raise invalid("At least one resource name must be given.", "resource_names")  # unsourced: the wording
    nodes = [_node(call, name) for name in names]
    test = query.compiled(request.get("filter", ""))
    order = request.get("orderBy", "") or "timestamp asc"
    if order not in ("timestamp", "timestamp asc", "timestamp desc"):
        raise invalid('order_by must be "timestamp asc" or "timestamp desc".', "order_by")  # unsourced: the wording
    found = [entry for node in dict.fromkeys(nodes) for entry in entries.of(call, node) if test(entry)]
    found.sort(key=lambda entry: (entry["timestamp"], entry["insertId"]), reverse=order.endswith("desc"))
    size = paging.page_size(request, default=50, most=MOST)
    start = int(paging.read_token("ListLogEntries", request) or 0)
    answer: Json = {"entries": found[start : start + size]} if found[start:] else {}
    if start + size < len(found):
        answer["nextPageToken"] = paging.make_token("ListLogEntries", request, str(start + size))
    return answer


def _node(call: Call, name: str) -> str:
    """The canonical name of where is looked, for whoever may look there."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise invalid(f"Invalid resource name '{name[:160]}'.", "resource_names")  # unsourced: the wording
    node = call.world.hierarchy.get(match[1])
    if node is None or not call.holds(_PERMISSION, node.name):
        raise RpcError(
            Code.PERMISSION_DENIED,
            "Permission denied for all log views",
            error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=_PERMISSION, resource=match[1]),
        )
    return node.name
