"""How a service declares its methods: one table of rules, read by both transports.

A rule is a plain function `rule(call, request) -> answer`: `request` is a canonical dict (see shape.py), the answer a dict in
REST JSON form (int64 as strings) or, where speed matters, an `Encoded`. It raises RpcError to refuse. Methods that change
something run inside one transaction, rolled back when the rule raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keyadmin.sandbox.messages.shape import Field, Shape, camel, hand_written, shape_of
from keyadmin.sandbox.messages.status import RpcError, permission_denied
from keyadmin.sandbox.state import audit_log
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.state.org_policies import SERVICE_USAGE
from keyadmin.sandbox.state.policies import Held
from keyadmin.sandbox.state.store import Store
from keyadmin.sandbox.state.violations import RESTRICTABLE, dry_run_entry, service_restricted
from keyadmin.sandbox.world import World

Json = dict[str, Any]
OPERATION = "google.longrunning.Operation"
EMPTY = "google.protobuf.Empty"


class Encoded:
    """An answer on the wire's terms: REST JSON text (pretty-printed) and protobuf bytes, or what makes them when asked.

    `data` = the answer itself where the rule has it at hand, for REST clients that want it written otherwise.
    """

    __slots__ = ("_data", "_grpc", "_rest")

    def __init__(self, rest: bytes | Callable[[], bytes], grpc: bytes | Callable[[], bytes], data: Json | None = None) -> None:
        self._rest = rest
        self._grpc = grpc
        self._data = data

    @property
    def rest(self) -> bytes:
        """For the REST transport."""
        return self._rest if isinstance(self._rest, bytes) else self._rest()

    @property
    def data(self) -> Json:
        """The answer as JSON."""
        if self._data is None:
            self._data = json.loads(self.rest)
        return self._data

    @property
    def grpc(self) -> bytes:
        """For the gRPC transport."""
        return self._grpc if isinstance(self._grpc, bytes) else self._grpc()


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not JSON (REST only)."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer in several messages (REST only): a JSON array, or server-sent events with `alt=sse`.

    `event` names the member of each message that its event is called by: then they are server-sent events whatever `alt` says.
    """

    messages: list[Json]
    event: str = ""


@dataclass(slots=True)
class Caller:
    """Who asks, and how, as far as the transport could read it."""

    principal: str
    quota_project: str | None = None
    api_key: str | None = None
    bearer: bool = False  # whether a bearer token came with the call
    headers: dict[str, str] = field(default_factory=dict)  # lower-case names; only what rules look at


@dataclass(slots=True)
class Call:
    """One call on its way through a rule."""

    world: World
    method: Method
    caller: Caller
    now: int  # microseconds, sandbox time
    began: int = 0  # nanoseconds, monotonic: when the call came in, before it was made to take its time
    attributes: Json = field(default_factory=dict)  # what `api.getAttribute` of conditions finds
    granted: dict[tuple[str, ...], None] = field(default_factory=dict)  # permissions that were asked for and held, with where
    problems: dict[str, None] = field(default_factory=dict)  # conditions that could not be evaluated, for the refusal to say

    @property
    def principal(self) -> str:
        """The caller's e-mail address."""
        return self.caller.principal

    @property
    def store(self) -> Store:
        """The store."""
        return self.world.store

    def holds(self, permission: str, *resources: str) -> bool:
        """Whether the caller holds a permission on a resource. Several: the resource itself, then the node above it."""
        if permission not in self.permissions(*resources):
            return False
        self.granted[permission, *resources] = None
        self._check_usage(resources[-1])
        return True

    def _check_usage(self, node: str) -> None:
        """Refuse what `gcp.restrictServiceUsage` keeps a project (canonical name) from calling; a dry run is logged."""
        policies, service = self.world.org_policies, self.method.api.host
        if service not in RESTRICTABLE or not node.startswith("projects/") or not policies.is_set(SERVICE_USAGE):
            return
        chain = self.world.hierarchy.chain(node)
        if not policies.allows(chain, SERVICE_USAGE, service):
            raise service_restricted(node, service)
        if not policies.allows(chain, SERVICE_USAGE, service, dry=True):
            found = {f"constraints/{SERVICE_USAGE}": service_restricted(node, service).message}
            entry = dry_run_entry(self.method.full_name, service, self.principal, node, "", found)
            with self.world.store.change():
                audit_log.write(self.store, node, self.now, entry, log=audit_log.POLICY)

    def permissions(self, *resources: str) -> Held:
        """All that the caller may do on a resource (own policies of what lies below a project first, the node last)."""
        return self.permissions_of(self.principal, *resources)

    def permissions_of(self, principal: str, *resources: str) -> Held:
        """The same for somebody else (an e-mail address)."""
        node = resources[-1]
        held = self.world.policies.held(
            principal,
            resources[:-1] + self.world.hierarchy.chain(node),
            lambda: self.world.situation(resources[0], node, self.now, self.attributes),
        )
        if held.problems:
            self.problems.update(dict.fromkeys(held.problems))
        return held

    def require(self, permission: str, *resources: str, shown: str | None = None) -> None:
        """Raise PERMISSION_DENIED unless the caller holds it. `shown`: how the resource is named in the error."""
        if not self.holds(permission, *resources):
            raise permission_denied(permission, self.method.api.host, shown or resources[0])

    def operation(
        self, name: str, *, response: Json | None = None, error: RpcError | None = None, metadata: Json | None = None
    ) -> Json:
        """Start an operation; to read it one must hold what this call needed."""
        needs = [list(found) for found in self.granted]
        return self.world.operations.start(name, self.principal, response=response, error=error, metadata=metadata, needs=needs)

    def project(self, reference: str, permission: str, shown: str | None = None) -> Node:
        """The project (id or number), if the caller holds the permission there; a missing one is denied in the same words."""
        node = self.world.hierarchy.project(reference)
        if node is None or not self.holds(permission, node.name):
            raise permission_denied(
                permission, self.method.api.host, shown or f"projects/{reference.removeprefix('projects/')}"
            )
        return node


Answer = Json | Encoded | Stream | Raw
Rule = Callable[[Call, Json], Answer]


@dataclass(frozen=True)
class Method:
    """One method of a service."""

    api: Api
    name: str
    rule: Rule
    routes: tuple[str, ...]  # "POST /v2/{parent=projects/*/locations/*}/keys"
    body: str  # "" = none, "*" = the whole request, else the field that it is
    request: str | Shape  # a protobuf class's path, or a shape where none is published
    response: str | None  # a protobuf class's path; None = REST only
    writes: bool
    extra: Shape | None  # fields that only REST has
    written: Shape | None = None  # the request's shape where it need not be taken from the protobuf class
    streams: bool = False  # answers a Stream, and its errors in an array too
    free: bool = False  # takes whatever is sent, unread but for the path's variables

    @property
    def full_name(self) -> str:
        """`google.api.apikeys.v2.ApiKeys.CreateKey`."""
        return f"{self.api.name}.{self.name}"

    @property
    def long_running(self) -> bool:
        """Whether it answers an operation."""
        return self.response == OPERATION

    def shape(self) -> Shape:
        """What a REST request may hold, REST-only fields included."""
        if isinstance(self.request, Shape):
            return self.request
        known = self.api.shapes.get(self.name)
        if known is None:
            known = self.written or shape_of(self.request)
            known = _merged(known, self.extra) if self.extra else known
            self.api.shapes[self.name] = known
        return known


def _merged(base: Shape, extra: Shape) -> Shape:
    """A copy of a shape with further fields, also inside its messages; the base is shared and stays as it is."""
    out = Shape(*base.own(), full_name=base.full_name)
    for added in extra.own():
        known = out.fields.get(added.name)
        if known is not None and known.message is not None and added.message is not None:
            added = Field(known.name, "message", repeated=known.repeated, message=_merged(known.message, added.message))
        out.add(added)
    return out


class Api:
    """A service: its name, its host, and its methods."""

    def __init__(
        self,
        name: str,
        host: str,
        title: str,
        types: str = "",
        *,
        credentials: str = "bearer",
        lists_errors: bool = False,
        always_lists_errors: bool = False,
        payer: Callable[[Call], Node | None] | None = None,
        over_quota: Callable[[Json, int, float], RpcError | None] | None = None,
        reworded: Callable[[RpcError], RpcError] | None = None,
    ) -> None:
        self.name = name
        self.host = host  # apikeys.googleapis.com: also the name of the service that must be enabled
        self.title = title  # as in SERVICE_DISABLED: "API Keys API"
        self.types = types  # the protobuf package of its messages
        self.credentials = credentials  # "bearer" or "key": how callers prove who they are
        # Errors have Google's older list `errors` too: for callers who say alt=json, or for all (both recorded).
        self.lists_errors = lists_errors
        self.always_lists_errors = always_lists_errors
        self.payer = payer  # the project that pays for a call that names none; None = see charges.py
        self.over_quota = over_quota  # own words for (request, limit a minute, seconds to wait); None = Google's front end's
        self.reworded = reworded  # an error in the form that this API has of its own
        self.methods: dict[str, Method] = {}
        self.shapes: dict[str, Shape] = {}

    def method(
        self,
        *routes: str,
        request: str | Json,
        response: str | None,
        body: str = "",
        writes: bool | None = None,
        rest_only: Json | None = None,
        written: Json | None = None,
        streams: bool = False,
        free: bool = False,
    ) -> Callable[[Rule], Rule]:
        """Declare a method; its name is the rule's, `create_key` -> `CreateKey`.

        `request` and `response` are message names in `types`, full names (google...), or (request) a hand-written shape.
        `writes` defaults to: not a GET. `rest_only` = fields that the published protobuf lacks. `written` = the request class's
        fields by hand, so that REST calls need not wait for its import.
        """

        def declare(rule: Rule) -> Rule:
            name = camel(rule.__name__)
            name = name[0].upper() + name[1:]
            self.methods[name] = Method(
                api=self,
                name=name,
                rule=rule,
                routes=routes,
                body=body,
                request=hand_written(request) if isinstance(request, dict) else self._path(request),
                response=self._path(response) if response else None,
                writes=writes if writes is not None else not any(route.startswith("GET ") for route in routes),
                extra=hand_written(rest_only) if rest_only else None,
                written=hand_written(written) if written else None,
                streams=streams,
                free=free,
            )
            return rule

        return declare

    def _path(self, name: str) -> str:
        return name if name.startswith("google.") else f"{self.types}.{name}"
