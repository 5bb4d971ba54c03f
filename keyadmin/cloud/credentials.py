"""Who calls: the common face of the sandbox's bearer, of Google's credentials and of nobody."""

from __future__ import annotations

import asyncio
import logging
import os
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

from keyadmin.model.problem import Cause, Problem

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
LOGIN: Final = "gcloud auth application-default login"
NO_ACCOUNT: Final = "without an account: add --sandbox, for a local Google Cloud"

Kind = Literal[
    "user",
    "service-account",
    "impersonated",
    "metadata-server",
    "workload-identity",
    "workforce-identity",
    "access-token",
    "sandbox",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who is calling. `principal` is an e-mail address, or None while it is not known.

    `credentials_project` = the project that the credentials (or their environment) name. `own_project` = the project (id or
    number) that calls are charged to where no quota project is named; None for users and where it is not known.
    """

    principal: str | None
    kind: Kind
    quota_project: str | None = None
    impersonating: str | None = None
    credentials_project: str | None = None
    own_project: str | None = None


class Access(Protocol):
    """What signs calls."""

    @property
    def caller(self) -> CallerIdentity:
        """Who is calling, as far as known without asking anybody."""

    @property
    def quota_project(self) -> str | None:
        """The project that calls are charged to, where one was named."""

    async def headers(self) -> dict[str, str]:
        """The headers that sign a call. Raises Problem where no token can be had."""

    async def renew(self, refused: str) -> bool:
        """A token was refused: `refused` = the authorization header that carried it. False where another cannot be had.

        Many refusals of one token fetch one new token.
        """

    def advised(self, problem: Problem) -> Problem:
        """A refusal of the credentials, with the advice that fits their kind."""


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

    async def renew(self, refused: str) -> bool:
        """The sandbox's tokens do not expire."""
        return False

    def advised(self, problem: Problem) -> Problem:
        """The same."""
        return problem


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

    async def renew(self, refused: str) -> bool:
        """Nothing to renew."""
        return False

    def advised(self, problem: Problem) -> Problem:
        """The same."""
        return problem


def _unsigned() -> Problem:
    return Problem(Cause.CREDENTIALS_MISSING, "no credentials were loaded for this call", unsent=True, fix=(LOGIN,))


def silence() -> None:
    """Keep Google's libraries from logging: their DEBUG records hold whole answers, key strings in operations included.

    To be called before they are imported, as the variable is read then.
    """
    os.environ.pop("GOOGLE_SDK_PYTHON_LOGGING_SCOPE", None)
    logging.getLogger("google").setLevel(logging.ERROR)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    warnings.filterwarnings("ignore", module=r"google\.")


def with_principal(caller: CallerIdentity, principal: str | None) -> CallerIdentity:
    """The caller with an address learned later, and the project that it stands in."""
    if principal is None or caller.principal is not None:
        return caller
    return replace(caller, principal=principal, own_project=caller.own_project or home_of(principal))


def home_of(email: str | None) -> str | None:
    """The project (id or number) that a service account's address stands in; None for other addresses.

    `NAME@PROJECT.iam.gserviceaccount.com`, `NUMBER-compute@developer.gserviceaccount.com`,
    `PROJECT@appspot.gserviceaccount.com` (service accounts' documentation). Domain-scoped ids (`example.com:p`) stand in it as
    `p.example.com`.
    """
    name, _, domain = (email or "").partition("@")
    if domain.endswith(".iam.gserviceaccount.com"):
        project, _, scope = domain.removesuffix(".iam.gserviceaccount.com").partition(".")
        return f"{scope}:{project}" if scope else project
    if domain == "developer.gserviceaccount.com":
        number = name.partition("-")[0]
        return number if number.isdigit() else None
    return name if domain == "appspot.gserviceaccount.com" else None
