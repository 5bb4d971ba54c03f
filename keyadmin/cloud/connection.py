"""What is in force between this machine and Google, and whether it works: credentials, proxy, certificates, clock, hosts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyadmin.cloud import errors, network, routes
from keyadmin.cloud.connect import Target, attach
from keyadmin.cloud.credentials import CallerIdentity
from keyadmin.cloud.endpoints import (
    ACCOUNTS,
    APIKEYS,
    ASSET,
    IAM,
    IAM_CREDENTIALS,
    LOGGING,
    MONITORING,
    ORG_POLICY,
    RESOURCE_MANAGER,
    SECRET_MANAGER,
    SERVICE_USAGE,
    ApiCall,
)
from keyadmin.cloud.foreign import ForeignAnswer, decoded, error_object, oauth_error
from keyadmin.cloud.google_access import GoogleAccess
from keyadmin.cloud.http import HttpClient
from keyadmin.cloud.routes import Routes
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import Problem

LIMIT: Final = 10.0  # seconds for a host
TOKENS: Final = "oauth2.googleapis.com"
STS: Final = "sts.googleapis.com"
# A request that any of Google's servers answers in its own form without credentials, and that changes nothing.
_PROBES: Final[Mapping[str, tuple[str, str]]] = {
    APIKEYS: ("GET", "/v2/projects/0/locations/global/keys"),
    RESOURCE_MANAGER: ("GET", "/v3/projects/0"),
    SERVICE_USAGE: ("GET", "/v1/projects/0/services"),
    IAM: ("GET", "/v1/projects/0/serviceAccounts"),
    ORG_POLICY: ("GET", "/v2/projects/0/policies"),
    GEMINI: ("GET", "/v1beta/models?pageSize=1"),
    MONITORING: ("GET", "/v3/projects/0/timeSeries"),
    SECRET_MANAGER: ("GET", "/v1/projects/0/secrets"),
    ASSET: ("GET", "/v1/projects/0:searchAllResources"),
    LOGGING: ("POST", "/v2/entries:list"),
    IAM_CREDENTIALS: ("POST", "/v1/projects/-/serviceAccounts/-:generateAccessToken"),
    ACCOUNTS: ("GET", "/v1/userinfo"),
    TOKENS: ("POST", "/token"),
    STS: ("POST", "/v1/token"),
}
CALLED: Final = (APIKEYS, RESOURCE_MANAGER, SERVICE_USAGE, IAM, ORG_POLICY, MONITORING, SECRET_MANAGER, ASSET, LOGGING)
_OVER_GRPC: Final = frozenset(CALLED) - {ASSET, LOGGING}
_UNARY: Final = "/google.longrunning.Operations/GetOperation"


@dataclass(frozen=True, slots=True)
class HostReach:
    """One host: whether an answer of Google's came, after how many milliseconds, else why not."""

    host: str
    reached: bool
    ms: int | None = None
    reason: str | None = None


@dataclass
class ConnectionReport:
    """What was found. `problem` = why there is no token, where there is none. Holds no secrets."""

    credentials: dict[str, Any] = field(default_factory=dict)
    caller: CallerIdentity | None = None
    scopes: list[str] | None = None
    proxy: dict[str, str] | None = None
    ca: dict[str, str] = field(default_factory=dict)
    skew_s: float | None = None
    hosts: list[HostReach] = field(default_factory=list)
    problem: Problem | None = None

    @property
    def charged_to(self) -> str | None:
        """The project that calls with credentials are charged to; None where it is nobody's of the caller's, or not known."""
        return (self.caller.quota_project or self.caller.own_project) if self.caller else None


async def inspect(target: Target, on_silence: Callable[[str], None] | None = None) -> ConnectionReport:
    """Look at everything; what cannot be found out stands in the report. Never raises Problem."""
    found = ConnectionReport()
    try:
        roots = network.trusted_roots()
    except Problem as problem:
        found.problem, found.ca = problem, {"error": problem.message}
        return found
    found.ca = {"file": roots.file or "the system's own", "from": network.ca_variable() or "the system"}
    try:
        proxy = network.proxy_of(APIKEYS)
        found.proxy = {"url": proxy.shown, "from": proxy.source} if proxy else None
    except Problem as problem:
        found.problem, found.proxy = problem, {"error": problem.message}
        return found
    places = routes.google(roots)
    http = HttpClient(places)
    try:
        await _credentials(target, http, places, found, on_silence)
        found.hosts = list(await asyncio.gather(*(_reach(http, places, host) for host in _hosts(found))))
        found.skew_s = round(http.skew.total_seconds(), 1) if http.skew is not None else None
    except Problem as problem:
        found.problem = found.problem or problem
    finally:
        await http.close()
    return found


async def _credentials(
    target: Target, http: HttpClient, places: Routes, found: ConnectionReport, tell: Callable[[str], None] | None
) -> None:
    try:
        access = await GoogleAccess.load(http, target.quota_project, target.impersonate, limit=target.timeout, tell=tell)
    except Problem as problem:
        found.problem = problem
        found.credentials = {"problem": problem.message, "cause": problem.cause.value}
        return
    found.credentials, found.caller = access.source.to_json(), access.caller
    cloud = attach(target, http, places, access)
    try:
        await access.headers()
        found.caller = await cloud.identify()
        found.scopes = access.scopes
    except Problem as problem:
        found.problem = problem
        found.credentials |= {"problem": problem.message, "cause": problem.cause.value}


def _hosts(found: ConnectionReport) -> list[str]:
    """Those that this caller's commands need: for the token, then the APIs."""
    kind = found.credentials.get("kind")
    identity = {
        "user": [TOKENS],
        "service-account": [TOKENS],
        "workload-identity": [STS],
        "workforce-identity": [STS],
        "impersonated": [TOKENS],
    }.get(str(kind), [] if kind else [TOKENS])
    if "impersonates" in found.credentials:
        identity.append(IAM_CREDENTIALS)
    return [*identity, *CALLED, GEMINI]


async def _reach(http: HttpClient, places: Routes, host: str) -> HostReach:
    """Over REST, and over gRPC where calls go that way: gateways let one through and break the other."""
    began = time.monotonic()
    call = ApiCall(host, "the probe")
    try:
        await _by_rest(http, host)
        ms = round(1000 * (time.monotonic() - began))
        if host in _OVER_GRPC:
            await _by_grpc(places, host, call)
    except errors.foreign() as error:
        return HostReach(host, False, reason=errors.read(error, call).problem.message)
    except Problem as problem:
        return HostReach(host, False, reason=problem.message)
    return HostReach(host, True, ms)


async def _by_rest(http: HttpClient, host: str) -> None:
    verb, path = _PROBES[host]
    answer = await http.request(verb, f"https://{host}{path}", data=b"" if verb == "POST" else None, seconds=LIMIT)
    body = decoded(answer.body)
    if not (
        error_object(body) or oauth_error(body) or (answer.status < 300 and isinstance(body, dict) and answer.body.strip())
    ):
        raise ForeignAnswer(host, answer.status, answer.headers, answer.body)


async def _by_grpc(places: Routes, host: str, call: ApiCall) -> None:
    """A call that no service answers with success; any status of a gRPC server is an answer."""
    from keyadmin.cloud.channels import open_channel

    channel = open_channel(places, await places.grpc(host))
    try:
        await channel.unary_unary(_UNARY)(b"", timeout=LIMIT)
    except errors.foreign() as error:
        failure = errors.read(error, call)
        if not failure.answered:
            message = failure.problem.message
            raise Problem(failure.problem.cause, f"over gRPC (HTTP/2): {message}", fix=failure.problem.fix) from None
    finally:
        await channel.close()
