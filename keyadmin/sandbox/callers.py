"""Who calls: the bearer token is an e-mail address; without one it is the default owner (contract 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from keyadmin.sandbox.api import Caller
from keyadmin.sandbox.messages.status import unauthenticated

DEFAULT = "owner@example.com"
_EMAIL = re.compile(r"[^@\s:/]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{1,63}")
_KEPT = ("x-goog-api-key", "referer", "x-android-package", "x-android-cert", "x-ios-bundle-identifier", "x-forwarded-for")


def caller_of(headers: Mapping[str, str], credentials: str = "bearer") -> Caller:
    """From lower-case header or metadata names. Raises UNAUTHENTICATED; the token is not repeated anywhere.

    Where keys are credentials, a key beside the token is the rule's affair, which refuses both together.
    """
    api_key = headers.get("x-goog-api-key") or None
    authorization = headers.get("authorization", "")
    principal = DEFAULT
    if authorization and not (credentials == "key" and api_key):
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not _EMAIL.fullmatch(token.strip()):
            raise unauthenticated()
        principal = token.strip()
    return Caller(
        principal,
        quota_project=headers.get("x-goog-user-project") or None,
        api_key=api_key,
        bearer=bool(authorization),
        headers={name: headers[name] for name in _KEPT if name in headers},
    )
