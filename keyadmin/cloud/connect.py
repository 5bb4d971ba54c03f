"""The way in: `async with connect(target) as cloud`. Google or a sandbox, and who calls; nothing else differs."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keyadmin.cloud import network, routes
from keyadmin.cloud.calls import TIMEOUT_DEFAULT, RetryPolicy, Runner
from keyadmin.cloud.credentials import Access, CallerIdentity, NoAccess, SandboxAccess, silence, with_principal
from keyadmin.cloud.endpoints import ACCOUNTS, APIKEYS, FOLDERS, ORGANIZATIONS, ApiCall
from keyadmin.cloud.http import HttpClient
from keyadmin.cloud.pace import READS_PER_MINUTE, WRITES_PER_MINUTE, Pace, Waiting
from keyadmin.cloud.rest import RestTransport
from keyadmin.cloud.routes import Routes
from keyadmin.cloud.served import impersonated, served
from keyadmin.cloud.silence import TELL_AFTER_AT_HOME, Silence
from keyadmin.model.loading import LOCK
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from datetime import datetime

    from keyadmin.cloud.apikeys import Keys
    from keyadmin.cloud.assets import Assets
    from keyadmin.cloud.audit_logs import AuditLogs
    from keyadmin.cloud.channels import GrpcTransport
    from keyadmin.cloud.control import SandboxControl
    from keyadmin.cloud.gemini import Gemini
    from keyadmin.cloud.iam import Roles, ServiceAccounts
    from keyadmin.cloud.orgpolicy import OrgPolicy
    from keyadmin.cloud.policysimulator import PolicySimulator
    from keyadmin.cloud.projects import Containers, Projects
    from keyadmin.cloud.secrets import Secrets
    from keyadmin.cloud.services import Services
    from keyadmin.cloud.usage import Usage


USERINFO_S: Final = 5.0  # seconds for a name that is only shown
_NAMED_BY_USERINFO: Final = ("user", "access-token", "unknown")


@dataclass(frozen=True, slots=True)
class Embedded:
    """The sandbox inside this process; `state` = its SQLite file, None = in memory."""

    state: Path | None = None


@dataclass(frozen=True, slots=True)
class Url:
    """A sandbox that is served: `rest` = http://LOOPBACK:PORT; `grpc` = HOST:PORT, asked of it when None."""

    rest: str
    grpc: str | None = None


SandboxTarget = Embedded | Url


@dataclass(frozen=True, slots=True)
class EndpointOverride:
    """A TLS server in Google's place, for tests: `rest` = https://HOST:PORT, `grpc` = HOST:PORT."""

    rest: str
    grpc: str


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to talk to, as whom, and how fast.

    Calls a minute: None = Google's defaults (240 reads, 120 writes) for Google and no limit for a sandbox; 0 = no limit.
    `charge_each` charges each call to the project that it is about instead of one quota project (needs
    serviceusage.services.use there). `timeout` = seconds that calls may wait in all for a network that does not answer.
    """

    sandbox: SandboxTarget | None = None
    quota_project: str | None = None
    impersonate: str | None = None
    sandbox_user: str = "owner@example.com"
    endpoints: EndpointOverride | None = None
    reads_per_minute: int | None = None
    writes_per_minute: int | None = None
    charge_each: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout: float = TIMEOUT_DEFAULT


class Cloud:
    """The wrappers, each made when first used."""

    def __init__(self, routes: Routes, runner: Runner, rest: RestTransport, *, sandbox: bool) -> None:
        self.sandbox = sandbox
        self.seen: dict[str, str] = {}  # live projects that any call told of: id -> display name
        self._routes = routes
        self._runner = runner
        self._rest = rest

    @property
    def caller(self) -> CallerIdentity:
        """Who is calling, as far as the credentials say. Raises Problem where none were loaded."""
        return self._runner.access.caller

    async def identify(self) -> CallerIdentity:
        """As `caller`, asking Google for the e-mail address where the credentials do not hold it; None if it will not say."""
        if self.caller.principal is not None:
            return self.caller
        if self.caller.kind not in _NAMED_BY_USERINFO:
            await self._runner.access.headers()  # a machine's credentials know their own address once they have fetched a token
            return self.caller
        asking = ApiCall(ACCOUNTS, "UserInfo", paced=False, patient=False, repeatable=False, renews=False)
        said: Any = {}
        try:
            async with asyncio.timeout(USERINFO_S):
                said = await self._rest.call(asking, "GET", "/v1/userinfo")
        except TimeoutError:
            pass
        except Problem as problem:
            if problem.unsent and problem.exit is Exit.CREDENTIALS:
                raise  # there is no token at all
        email = said.get("email")
        return with_principal(self.caller, email if isinstance(email, str) else None)

    async def credentials_project(self) -> str | None:
        """The project that the credentials name: by id, federation's number where its id cannot be read."""
        named = self.caller.credentials_project
        if named is None or not named.isdigit():
            return named
        try:
            return (await self.projects.get(named)).project_id
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return named

    @property
    def pace(self) -> Pace:
        """Calls a minute; `pace.on_wait` tells of waiting."""
        return self._runner.pace

    def forecast(self, *, reads: int = 0, writes: int = 0) -> Callable[[], float] | None:
        """Of a job of so many calls of the API Keys API: a function that gives the seconds which its quota still costs.

        None where every project is charged for itself.
        """
        return self._runner.forecast(APIKEYS, reads=reads, writes=writes)

    def now(self) -> datetime:
        """The time by the server's clock, once a REST call was answered; until then the local one. Aware, UTC."""
        return self._rest.now()

    @cached_property
    def _grpc(self) -> GrpcTransport:
        from keyadmin.cloud.channels import GrpcTransport

        return GrpcTransport(self._routes, self._runner)

    @cached_property
    def keys(self) -> Keys:
        """API Keys API v2."""
        from keyadmin.cloud.apikeys import Keys

        return Keys(self._rest, lambda: self._grpc, sandbox=self.sandbox)

    @cached_property
    def gemini(self) -> Gemini:
        """The Gemini API, as far as checking a key goes."""
        from keyadmin.cloud.gemini import Gemini

        return Gemini(self._rest, sandbox=self.sandbox)

    @cached_property
    def control(self) -> SandboxControl:
        """The sandbox's own `/_sandbox`. Raises usage() for Google."""
        from keyadmin.cloud.control import SandboxControl

        return SandboxControl(self._rest, sandbox=self.sandbox)

    @cached_property
    def projects(self) -> Projects:
        """Resource Manager v3 projects, and the allow policies of projects, folders and organisations."""
        from keyadmin.cloud.projects import Projects

        return Projects(self._rest, lambda: self._grpc, self.seen)

    @cached_property
    def folders(self) -> Containers:
        """Resource Manager v3 folders."""
        from keyadmin.cloud.projects import Containers

        return Containers(self._grpc, FOLDERS, "folder")

    @cached_property
    def organizations(self) -> Containers:
        """Resource Manager v3 organisations."""
        from keyadmin.cloud.projects import Containers

        return Containers(self._grpc, ORGANIZATIONS, "organization")

    @cached_property
    def services(self) -> Services:
        """Service Usage v1."""
        from keyadmin.cloud.services import Services

        return Services(self._grpc)

    @cached_property
    def service_accounts(self) -> ServiceAccounts:
        """IAM admin v1."""
        from keyadmin.cloud.iam import ServiceAccounts

        return ServiceAccounts(self._rest)

    @cached_property
    def roles(self) -> Roles:
        """IAM admin v1."""
        from keyadmin.cloud.iam import Roles

        return Roles(self._rest)

    @cached_property
    def secrets(self) -> Secrets:
        """Secret Manager v1."""
        from keyadmin.cloud.secrets import Secrets

        return Secrets(self._rest, sandbox=self.sandbox)

    @cached_property
    def assets(self) -> Assets:
        """Cloud Asset Inventory v1."""
        from keyadmin.cloud.assets import Assets

        return Assets(self._rest, self.seen)

    @cached_property
    def org_policy(self) -> OrgPolicy:
        """Organisation Policy v2."""
        from keyadmin.cloud.orgpolicy import OrgPolicy

        return OrgPolicy(self._rest)

    @cached_property
    def policy_simulator(self) -> PolicySimulator:
        """Policy Simulator v1."""
        from keyadmin.cloud.policysimulator import PolicySimulator

        return PolicySimulator(self._rest)

    @cached_property
    def audit_logs(self) -> AuditLogs:
        """Cloud Logging v2, as far as audit logs go."""
        from keyadmin.cloud.audit_logs import AuditLogs

        return AuditLogs(self._rest)

    @cached_property
    def usage(self) -> Usage:
        """Cloud Monitoring v3: the use of keys."""
        from keyadmin.cloud.usage import Usage

        return Usage(self._rest, self.now)

    async def close(self) -> None:
        """Close what was opened."""
        if "_grpc" in self.__dict__:
            await self._grpc.close()
        await self._rest.close()


@asynccontextmanager
async def connect(
    target: Target,
    *,
    credentials: bool = True,
    on_wait: Callable[[Waiting], None] | None = None,
    on_silence: Callable[[str], None] | None = None,
) -> AsyncIterator[Cloud]:
    """A Cloud for as long as the block lasts.

    Credentials are loaded at once, so that their absence is said before anything is done; `credentials=False` leaves
    them alone (checking a key needs none). `on_silence` hears what is waited for after two seconds. Raises
    Problem(credentials-missing), or wrong usage for a sandbox elsewhere.
    """
    silence()
    async with AsyncExitStack() as stack:
        if target.sandbox is not None:
            cloud = await _sandbox(stack, target, target.sandbox, on_wait, on_silence)
        else:
            cloud = await _google(stack, target, credentials, on_wait, on_silence)
        stack.push_async_callback(cloud.close)
        yield cloud


async def _google(
    stack: AsyncExitStack,
    target: Target,
    credentials: bool,
    on_wait: Callable[[Waiting], None] | None,
    on_silence: Callable[[str], None] | None,
) -> Cloud:
    roots = network.trusted_roots()
    at = target.endpoints
    places = routes.google(roots, at.rest, at.grpc) if at else routes.google(roots)
    if at is None:
        network.proxy_for(APIKEYS)  # one that cannot be used is said before anything is waited for
    http = HttpClient(places)
    stack.push_async_callback(http.close)
    access: Access = NoAccess()
    if credentials:
        from keyadmin.cloud.google_access import GoogleAccess

        access = await GoogleAccess.load(http, target.quota_project, target.impersonate, limit=target.timeout, tell=on_silence)
    silent = Silence(target.timeout, on_silence)
    stack.callback(silent.close)
    return attach(target, http, places, access, silent, on_wait)


def attach(
    target: Target,
    http: HttpClient,
    places: Routes,
    access: Access,
    silent: Silence | None = None,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Cloud:
    """Google's wrappers around a client and credentials that are there already; whoever made them closes them."""
    pace = Pace(_limit(target.reads_per_minute, READS_PER_MINUTE), _limit(target.writes_per_minute, WRITES_PER_MINUTE), on_wait)
    runner = Runner(
        access,
        pace,
        target.retry,
        charge_each=target.charge_each,
        sandbox=None,
        silence=silent or Silence(target.timeout),
    )
    return Cloud(places, runner, RestTransport(places, runner, http), sandbox=False)


async def _sandbox(
    stack: AsyncExitStack,
    target: Target,
    sandbox: SandboxTarget,
    on_wait: Callable[[Waiting], None] | None,
    on_silence: Callable[[str], None] | None,
) -> Cloud:
    async def token(account: str) -> str:
        return await impersonated(rest, target.sandbox_user, account)

    access = SandboxAccess(target.sandbox_user, target.quota_project, target.impersonate, token)
    pace = Pace(_limit(target.reads_per_minute, None), _limit(target.writes_per_minute, None), on_wait)
    address = sandbox.rest if isinstance(sandbox, Url) else "its socket"
    silent = Silence(target.timeout, on_silence, TELL_AFTER_AT_HOME)
    stack.callback(silent.close)
    runner = Runner(access, pace, target.retry, charge_each=target.charge_each, sandbox=address, silence=silent)
    places = (
        await _embedded(stack, sandbox) if isinstance(sandbox, Embedded) else served(sandbox.rest, sandbox.grpc, lambda: rest)
    )
    rest = RestTransport(places, runner, HttpClient(places))
    return Cloud(places, runner, rest, sandbox=True)


async def _embedded(stack: AsyncExitStack, sandbox: Embedded) -> Routes:
    from keyadmin.sandbox.embedded import embedded
    from keyadmin.sandbox.messages.loading import share
    from keyadmin.sandbox.state.lock import StateLocked
    from keyadmin.sandbox.state.store import NotAState

    share(LOCK)
    try:
        endpoints = await stack.enter_async_context(embedded(sandbox.state))
    except StateLocked as error:
        raise Problem(Cause.CONFLICT, str(error), fix=("Set KEYADMIN_SANDBOX to its URL, or stop it.",)) from None
    except NotAState as error:
        another = "Name another file in KEYADMIN_SANDBOX_STATE."
        raise Problem(Cause.INVALID_ARGUMENT, str(error), fix=(error.mend, another) if error.mend else (another,)) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        message = f"the sandbox's state {sandbox.state} cannot be used: {error.strerror or error}"
        raise Problem(Cause.UNKNOWN, message, fix=("Name another file in KEYADMIN_SANDBOX_STATE.",)) from error

    async def target(host: str) -> str:
        return str(await endpoints.grpc_target())

    path = endpoints.rest_socket
    return Routes(lambda host: endpoints.rest_url, target, unix_socket=None if path is None else str(path))


def _limit(asked: int | None, default: int | None) -> int | None:
    """0 = none."""
    return default if asked is None else asked or None
