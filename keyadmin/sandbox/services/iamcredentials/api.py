"""IAM Service Account Credentials API v1: GenerateAccessToken, so that impersonation can be tried.

A token of the sandbox is an e-mail address, so the token of a service account is its own. Not offered: generateIdToken,
signBlob, signJwt.
"""

from __future__ import annotations

import re
from typing import Any

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages.status import failed_precondition, invalid, not_found
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.iam import rows as service_accounts
from keyadmin.sandbox.services.iam.api import denied
from keyadmin.sandbox.services.iam.rows import Account

Json = dict[str, Any]

api = Api(
    "google.iam.credentials.v1.IAMCredentials",
    "iamcredentials.googleapis.com",
    "IAM Service Account Credentials API",
    "google.iam.credentials.v1",
)

LONGEST = 3600  # seconds (documented)
_PERMISSION = "iam.serviceAccounts.getAccessToken"
_OF_PROJECT = re.compile(r"[^@]+@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com")


def _account(call: Call, name: str, asker: str) -> Account:
    """The account of `projects/-/serviceAccounts/A`, if the asker may have tokens of it."""
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "serviceAccounts" or not parts[3]:
        raise invalid(f"Invalid resource name '{name[:160]}': expected projects/-/serviceAccounts/*.", "name")
    if parts[1] != "-":
        # unsourced: the wording; the rule is documented
        raise invalid("The project of the resource name must be the wildcard '-'.", "name")
    account = service_accounts.find(call.store, parts[3])
    if account is None or not service_accounts.visible(call, account):
        found = _OF_PROJECT.fullmatch(parts[3])
        node = call.world.hierarchy.project(found[1]) if found else None
        if node is not None and _may(call, asker, node.name):
            raise not_found(f"Not found; Gaia id not found for email {parts[3]}")  # reported
        raise denied(_PERMISSION)
    if not _may(call, asker, account.resource, account.project):
        raise denied(_PERMISSION)
    if account.doc.get("disabled"):
        raise failed_precondition(f"Service account {account.email} is disabled.")  # unsourced: code and wording
    return account


def _may(call: Call, asker: str, *resources: str) -> bool:
    return _PERMISSION in call.permissions_of(asker, *resources)


def _lifetime(text: str) -> int:
    """Whole seconds of `3600s`."""
    seconds = float(text.removesuffix("s")) if text else float(LONGEST)
    if not 0 <= seconds <= LONGEST:
        # unsourced: the wording
        raise invalid(f"The lifetime of a token is at most {LONGEST} seconds.", "lifetime")
    return int(seconds) or LONGEST


@api.method(
    "POST /v1/{name=projects/*/serviceAccounts/*}:generateAccessToken",
    body="*",
    request="GenerateAccessTokenRequest",
    response="GenerateAccessTokenResponse",
)
def generate_access_token(call: Call, request: Json) -> Json:
    """GenerateAccessToken: each delegate must have the right to tokens of the next one (documented)."""
    if not request.get("scope"):
        raise invalid("Scope required.", "scope")  # unsourced: the wording
    lifetime = _lifetime(request.get("lifetime", ""))
    asker = call.principal
    for name in (*request.get("delegates", ()), request.get("name", "")):
        asker = _account(call, name, asker).email
    expires = (call.now // 1_000_000 + lifetime) * 1_000_000
    return {
        "accessToken": asker,
        "expireTime": rfc3339(expires).replace(".000000Z", "Z"),
    }  # google-auth reads whole seconds only
