"""Organization Policy API v2: the service, and what its parts share."""

from __future__ import annotations

import time
from typing import Any
from weakref import WeakKeyDictionary

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages.status import Code, RpcError, invalid, permission_denied
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World

Json = dict[str, Any]

api = Api(
    "google.cloud.orgpolicy.v2.OrgPolicy",
    "orgpolicy.googleapis.com",
    "Organization Policy API",
    "google.cloud.orgpolicy.v2",
)

_KINDS = ("projects", "folders", "organizations")
_written: WeakKeyDictionary[World, dict[str, int]] = WeakKeyDictionary()  # at a node, monotonic


def routes(http: str, template: str, variable: str = "name") -> tuple[str, ...]:
    """One route for each kind of node: `/v2/{name=projects/*/policies/*}`."""
    return tuple(f"{http} /v2/" + template.replace("@", f"{variable}={kind}") for kind in _KINDS)


def node_of(call: Call, name: str, permission: str, shown: str = "") -> Node:
    """The project, folder or organisation, if the caller holds the permission there."""
    kind, _, key = name.partition("/")
    if kind not in _KINDS or not key or "/" in key:
        raise invalid(f"Invalid resource name '{name[:160]}': expected projects/*, folders/* or organizations/*.", "parent")
    node = call.world.hierarchy.get(name)
    if node is None or not call.holds(permission, node.name):
        raise permission_denied(permission, api.host, shown or name)
    return node


def busy(call: Call, node: str) -> None:
    """Refuse a write that began before another one at the same node was done: Google answers 409 to several at once
    (terraform-provider-google #21297, #29271). In a sandbox calls take no time unless latency is asked for."""
    written = _written.setdefault(call.world, {})
    if written.get(node, 0) > call.began:
        # unsourced: the wording
        raise RpcError(Code.ABORTED, "There were concurrent policy changes. Please retry the whole read-modify-write.")
    written[node] = time.monotonic_ns()
