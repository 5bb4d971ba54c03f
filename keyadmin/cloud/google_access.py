"""Google's credentials: loaded, refreshed in a thread with a limit, renewed once for many refusals."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from keyadmin.cloud import identity_errors, sources
from keyadmin.cloud.credentials import SCOPE, CallerIdentity, home_of, silence, with_principal
from keyadmin.cloud.http import HttpClient
from keyadmin.cloud.identity import LIMIT, IdentityTransport, unanswered
from keyadmin.cloud.machine import from_machine
from keyadmin.cloud.sources import Loaded, Source
from keyadmin.cloud.threads import in_daemon_thread
from keyadmin.model.leaned_on import target_scopes
from keyadmin.model.problem import Problem

FAILURE_LASTS: Final = 30.0  # seconds for which nobody else waits for a token that did not come
TELL_AFTER: Final = 2.0  # seconds after which a person hears what is waited for


class GoogleAccess:
    """A token with the cloud-platform scope, impersonating a service account if asked to.

    Order: GOOGLE_OAUTH_ACCESS_TOKEN, CLOUDSDK_AUTH_ACCESS_TOKEN (neither is refreshed), GOOGLE_APPLICATION_CREDENTIALS,
    gcloud's file, the machine's metadata server.
    """

    def __init__(
        self, loaded: Loaded, transport: IdentityTransport, limit: float, tell: Callable[[str], None] | None = None
    ) -> None:
        self._credentials = loaded.credentials
        self._token = loaded.token
        self._caller = loaded.caller
        self.source: Source = loaded.source
        self._transport = transport
        self._limit = min(LIMIT, limit)
        self._tell = tell
        self._lock = asyncio.Lock()
        self._failed: Problem | None = None
        self._failed_at = 0.0

    @classmethod
    async def load(
        cls,
        http: HttpClient,
        quota_project: str | None,
        impersonate: str | None,
        *,
        limit: float = LIMIT,
        tell: Callable[[str], None] | None = None,
    ) -> GoogleAccess:
        """Find them. Raises Problem(credentials-missing) and what else stands in the way of using them."""
        silence()
        env = dict(os.environ)
        sources.refuse_what_is_not_spoken(env)
        transport = IdentityTransport(http)
        loaded = sources.given_token(env) or sources.from_file(env) or await from_machine(env, transport)
        if loaded is None:
            raise sources.nothing_found(env)
        if loaded.token is not None and tell is not None:
            tell(f"Calling with the access token in {loaded.source.variable}, which wins over other credentials.")
        if impersonate:
            loaded = _impersonating(loaded, impersonate)
        if quota_project:
            loaded = replace(loaded, caller=replace(loaded.caller, quota_project=quota_project))
        return cls(loaded, transport, limit, tell)

    @property
    def caller(self) -> CallerIdentity:
        """Who is calling; a user's principal is not known until asked for."""
        return self._caller

    @property
    def quota_project(self) -> str | None:
        """What was asked for, else what the credentials carry."""
        return self._caller.quota_project

    @property
    def scopes(self) -> list[str] | None:
        """The scopes of the token as far as the credentials know them; None for tokens that were fetched elsewhere."""
        known = getattr(self._credentials, "granted_scopes", None) or getattr(self._credentials, "scopes", None)
        known = known or target_scopes(self._credentials)
        return list(known) if known else None

    async def headers(self) -> dict[str, str]:
        """The access token, renewed when it is about to expire. Raises Problem."""
        if self._token is not None:
            return {"authorization": f"Bearer {self._token}"}
        if not self._fresh():
            async with self._lock:
                if not self._fresh():
                    await self._refresh()
        return self._signed()

    async def renew(self, refused: str) -> bool:
        """A token can be revoked before it expires: fetch another, unless that was done since it was refused."""
        if self._token is not None:
            return False
        async with self._lock:
            if self._signed().get("authorization") == refused:
                await self._refresh()
        return True

    def advised(self, problem: Problem) -> Problem:
        """A refusal of the credentials by an API, with the advice that fits their kind."""
        return identity_errors.advised(problem, self.source)

    def _signed(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        self._credentials.apply(headers)
        return {name.lower(): value for name, value in headers.items()}

    def _fresh(self) -> bool:
        from google.auth.credentials import TokenState

        return bool(self._credentials.token_state is TokenState.FRESH)

    async def _refresh(self) -> None:
        """A new token. What stood in its way is raised to all who wait for it; half a minute later it is asked for again."""
        if self._failed is not None and time.monotonic() - self._failed_at < FAILURE_LASTS:
            raise replace(self._failed, notes=list(self._failed.notes))
        try:
            await self._fetch()
        except Problem as problem:
            self._failed, self._failed_at = problem, time.monotonic()
            raise
        self._failed = None

    async def _fetch(self) -> None:
        handle = asyncio.get_running_loop().call_later(TELL_AFTER, self._say)
        try:
            async with asyncio.timeout(self._limit):
                await in_daemon_thread(self._credentials.refresh, self._transport)
        except TimeoutError:
            raise unanswered(self._transport.asking, self._limit, self._transport.said) from None
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001 - google.auth also raises what a body of a wrong shape makes Python raise
            raise identity_errors.read(error, self.source, self._transport.skew) from None
        finally:
            handle.cancel()
        # The metadata server's credentials know their e-mail address only after the first token.
        self._caller = with_principal(self._caller, principal_of(self._credentials))

    def _say(self) -> None:
        if self._tell is not None:
            asked = self._transport.asking or self.source.place
            self._tell(f"Waiting for an access token from {asked} (at most {self._limit:.0f} s; Ctrl-C ends it)")


def _impersonating(loaded: Loaded, account: str) -> Loaded:
    """The same as this service account. The person's own quota project need not be open to it: it brings none along."""
    from google.auth import impersonated_credentials

    base = loaded.credentials
    if base is None:
        from google.oauth2.credentials import Credentials

        plain: Any = Credentials
        base = plain(token=loaded.token)
    wrap: Any = impersonated_credentials.Credentials
    credentials = wrap(source_credentials=base, target_principal=account, target_scopes=[SCOPE])
    caller = replace(
        loaded.caller,
        principal=account,
        quota_project=os.environ.get("GOOGLE_CLOUD_QUOTA_PROJECT") or None,
        kind="impersonated",
        impersonating=account,
        own_project=home_of(account),
    )
    details = dict(loaded.source.details) | {"impersonates": account, "by": "--impersonate-service-account"}
    return Loaded(replace(loaded.source, details=details), caller, credentials)


def principal_of(credentials: Any) -> str | None:
    """The e-mail address, where the credentials hold it."""
    for attribute in ("service_account_email", "account"):
        value = getattr(credentials, attribute, None)
        if isinstance(value, str) and "@" in value:
            return value
    return None
