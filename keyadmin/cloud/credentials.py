"""Who calls: the sandbox's bearer, or Application Default Credentials, loaded and refreshed in a thread.

Both transports take their headers from here, so a token is fetched once and an expired one is renewed in one place.
`google.auth.aio` cannot refresh Application Default Credentials, hence the thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from keyadmin.cloud import errors
from keyadmin.cloud.endpoints import ApiCall
from keyadmin.cloud.network import Roots
from keyadmin.model.problem import Cause, Problem

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_LOADING: Final = ApiCall("oauth2.googleapis.com", "Token", paced=False)

Kind = Literal[
    "user",
    "service-account",
    "impersonated",
    "metadata-server",
    "workload-identity",
    "workforce-identity",
    "sandbox",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who is calling. `principal` is an e-mail address, or None while it is not known.

    `credentials_project` = the project that the credentials (or their environment) name.
    """

    principal: str | None
    kind: Kind
    quota_project: str | None = None
    impersonating: str | None = None
    credentials_project: str | None = None


class Access(Protocol):
    """What signs calls."""

    @property
    def caller(self) -> CallerIdentity:
        """Who is calling, as far as known without asking anybody."""

    @property
    def quota_project(self) -> str | None:
        """The project that calls are charged to, where one was named."""

    async def headers(self) -> dict[str, str]:
        """The headers that sign a call. Raises google.auth's exceptions, which `errors` reads."""

    async def renew(self) -> bool:
        """Fetch a new token after the present one was refused; False where that cannot help."""


class SandboxAccess:
    """The sandbox takes an e-mail address for a token. Nothing of the person's own credentials is loaded."""

    def __init__(
        self,
        user: str,
        quota_project: str | None,
        impersonate: str | None,
        fetch_token: Callable[[str], Awaitable[str]],
    ) -> None:
        self._caller = CallerIdentity(impersonate or user, "sandbox", quota_project, impersonate)
        self._token = None if impersonate else user
        self._fetch_token = fetch_token
        self._lock = asyncio.Lock()

    @property
    def caller(self) -> CallerIdentity:
        """The sandbox user, or whom it impersonates."""
        return self._caller

    @property
    def quota_project(self) -> str | None:
        """Only what was asked for."""
        return self._caller.quota_project

    async def headers(self) -> dict[str, str]:
        """`Authorization: Bearer E-MAIL`."""
        if self._token is None:
            async with self._lock:
                if self._token is None:
                    self._token = await self._fetch_token(self._caller.impersonating or "")
        return {"authorization": f"Bearer {self._token}"}

    async def renew(self) -> bool:
        """The sandbox's tokens do not expire."""
        return False


class GoogleAccess:
    """Application Default Credentials with the cloud-platform scope, impersonating a service account if asked to."""

    def __init__(self, credentials: Any, request: Any, caller: CallerIdentity) -> None:
        self._credentials = credentials
        self._request = request
        self._caller = caller
        self._lock = asyncio.Lock()

    @classmethod
    async def load(cls, quota_project: str | None, impersonate: str | None, roots: Roots) -> GoogleAccess:
        """Read them from where google.auth finds them. Raises Problem(credentials-missing)."""
        silence()
        try:
            return await asyncio.to_thread(cls._load, quota_project, impersonate, roots)
        except errors.foreign() as error:
            raise errors.read(error, _LOADING).problem from None

    @classmethod
    def _load(cls, quota_project: str | None, impersonate: str | None, roots: Roots) -> GoogleAccess:
        import google.auth
        import google.auth.transport.requests
        import requests

        session = requests.Session()
        if roots.file is not None:
            session.verify = roots.file
        request = google.auth.transport.requests.Request(session)
        credentials, project = google.auth.default(scopes=[SCOPE])
        if impersonate:
            from google.auth import impersonated_credentials

            wrap: Any = impersonated_credentials.Credentials
            credentials = wrap(source_credentials=credentials, target_principal=impersonate, target_scopes=[SCOPE])
        caller = CallerIdentity(
            principal=_principal(credentials),
            kind=_kind(credentials),
            # An impersonated account need not be allowed to use the person's own quota project: it brings none along.
            quota_project=quota_project or getattr(credentials, "quota_project_id", None),
            impersonating=impersonate or (_principal(credentials) if _kind(credentials) == "impersonated" else None),
            credentials_project=project,
        )
        return cls(credentials, request, caller)

    @property
    def caller(self) -> CallerIdentity:
        """Who is calling; a user's principal is not known until asked for."""
        return self._caller

    @property
    def quota_project(self) -> str | None:
        """What was asked for, else what the credentials carry."""
        return self._caller.quota_project

    async def headers(self) -> dict[str, str]:
        """The access token, renewed in a thread when it is about to expire."""
        if not self._fresh():
            async with self._lock:
                if not self._fresh():
                    await asyncio.to_thread(self._credentials.refresh, self._request)
                    self._learn()
        headers: dict[str, str] = {}
        self._credentials.apply(headers)
        return {name.lower(): value for name, value in headers.items()}

    async def renew(self) -> bool:
        """A token can be revoked before it expires: fetch another."""
        refused = self._credentials.token
        async with self._lock:
            if self._credentials.token == refused:
                await asyncio.to_thread(self._credentials.refresh, self._request)
        return True

    def _fresh(self) -> bool:
        from google.auth.credentials import TokenState

        return bool(self._credentials.token_state is TokenState.FRESH)

    def _learn(self) -> None:
        """The metadata server's credentials know their e-mail address only after the first token."""
        if self._caller.principal is None:
            self._caller = replace(self._caller, principal=_principal(self._credentials))


class NoAccess:
    """For calls that carry a key instead of credentials: whatever needs to be signed is refused."""

    @property
    def caller(self) -> CallerIdentity:
        """Nobody."""
        raise _unsigned()

    @property
    def quota_project(self) -> str | None:
        """None."""
        return None

    async def headers(self) -> dict[str, str]:
        """Nothing can be signed."""
        raise _unsigned()

    async def renew(self) -> bool:
        """Nothing to renew."""
        return False


def _unsigned() -> Problem:
    return Problem(Cause.CREDENTIALS_MISSING, "no credentials were loaded for this call", fix=(errors.LOGIN,))


def silence() -> None:
    """Keep Google's libraries from logging: their DEBUG records hold whole answers, key strings in operations included.

    To be called before they are imported, as the variable is read then.
    """
    os.environ.pop("GOOGLE_SDK_PYTHON_LOGGING_SCOPE", None)
    logging.getLogger("google").setLevel(logging.ERROR)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    warnings.filterwarnings("ignore", module=r"google\.")


def _kind(credentials: Any) -> Kind:
    """By module: importing every class just to compare would cost more than the call."""
    module = type(credentials).__module__
    kinds: dict[str, Kind] = {
        "google.oauth2.credentials": "user",
        "google.oauth2.service_account": "service-account",
        "google.auth.impersonated_credentials": "impersonated",
        "google.auth.compute_engine.credentials": "metadata-server",
        "google.auth.identity_pool": "workload-identity",
        "google.auth.aws": "workload-identity",
        "google.auth.pluggable": "workload-identity",
        "google.auth.external_account_authorized_user": "workforce-identity",
    }
    return kinds.get(module, "unknown")


def _principal(credentials: Any) -> str | None:
    """The e-mail address, where the credentials hold it."""
    for attribute in ("service_account_email", "account"):
        value = getattr(credentials, attribute, None)
        if isinstance(value, str) and "@" in value:
            return value
    return None
