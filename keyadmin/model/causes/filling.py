"""What an error names that its steps leave open: the service account, the workload pool, the bucket, who a key shut out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.facts import ErrorFacts
from keyadmin.model.causes.rules import GOOGLES_OWN_PROJECTS

_WINDOW: Final = 20_000  # characters: an error message, not a whole log

_SERVICE_ACCOUNT: Final = r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}@[a-z0-9][a-z0-9.-]{1,120}\.gserviceaccount\.com)"
# Where the account stands that is to be acted as, not the one that acts.
_ACCOUNT: Final = (
    re.compile(rf"impersonat\w+ (?:the )?(?:service account )?['\"`\[]?{_SERVICE_ACCOUNT}", re.IGNORECASE),
    re.compile(rf"\btoken for ['\"`\[]?{_SERVICE_ACCOUNT}", re.IGNORECASE),
    re.compile(rf"\bserviceAccounts/{_SERVICE_ACCOUNT}"),
    re.compile(
        rf"\b(?:act as|access to|permission on)(?: the)?(?: service account)? ['\"`\[(]?{_SERVICE_ACCOUNT}", re.IGNORECASE
    ),
    re.compile(rf"\bservice_account[\"']?\s*[:=]\s*[\"']?{_SERVICE_ACCOUNT}"),
    re.compile(rf"\bemail[\"']?\s*[:=]\s*[\"']?{_SERVICE_ACCOUNT}"),
)
_OF_ACCOUNTS: Final = frozenset(
    {Cause.MISSING_IAM_PERMISSION, Cause.WORKLOAD_IDENTITY_MISCONFIGURED, Cause.CREDENTIALS_EXPIRED}
)
_POOL: Final = {
    "number": re.compile(r"\bprojects/(\d{6,16})/locations/global/workloadIdentityPools/"),
    "pool": re.compile(r"\bworkloadIdentityPools/([a-z0-9-]{4,32})(?![\w-])"),
    "provider": re.compile(r"\bworkloadIdentityPools/[a-z0-9-]{4,32}/providers/([a-z0-9-]{4,32})(?![\w-])"),
}
_REPOSITORY: Final = re.compile(
    r"(?:\brepo:|\battribute\.repository/)([A-Za-z0-9][\w.-]{0,38})/([A-Za-z0-9_.][\w.-]{0,99}?)(?=[:'\"\s,;]|$)"
)
# In the path of a call or the name of a resource; numbers may be the client's.
_RESOURCE: Final = re.compile(r"/(?:v\d\w{0,8}|[a-z]+\.googleapis\.com)/projects/([a-z][a-z0-9-]{4,28}[a-z0-9])(?![\w-])")
_BUCKET: Final = (
    re.compile(r"\bgs://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?![\w-])"),
    re.compile(r"\bprojects/_/buckets/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?![\w-])"),
    re.compile(r"storage\.googleapis\.com/storage/v1/b/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?![\w-])"),
)


def filling(facts: ErrorFacts, cause: Cause) -> dict[str, str]:
    """Names by the placeholder that they are for, in lower case (`account`, `pool`, `bucket`)."""
    text = f"{facts.message[:_WINDOW]}\n{facts.around}"
    found: dict[str, str] = {}
    if cause in _OF_ACCOUNTS and (account := _first(_ACCOUNT, text)):
        found["account"] = account
    if cause is Cause.WORKLOAD_IDENTITY_MISCONFIGURED:
        found |= {kind: match[1] for kind, pattern in _POOL.items() if (match := pattern.search(text))}
        if repository := _REPOSITORY.search(text):
            found |= {"owner": repository[1], "repo": repository[2]}
    if cause in (Cause.MISSING_IAM_PERMISSION, Cause.CREDENTIALS_MISSING) and (bucket := _first(_BUCKET, text)):
        found["bucket"] = bucket
    if cause is Cause.QUOTA_PROJECT_NOT_SET and (own := _worked_on(text)):
        found["project"] = own
    return found


def _worked_on(text: str) -> str | None:
    """The project of the thing that was asked for, by its id: one to be charged, unlike the client's own."""
    ids = (match[1] for match in _RESOURCE.finditer(text))
    return next((name for name in ids if name not in GOOGLES_OWN_PROJECTS), None)


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str | None:
    return next((match[1] for pattern in patterns if (match := pattern.search(text))), None)


_ADDRESS_OF_CALLER: Final = re.compile(
    r"(?:IP address of the call \(|received from IP address )([0-9A-Fa-f.:]{3,45}?)(?=[),;\s\"']|\.?$)"
)
_SITE_OF_CALLER: Final = re.compile(
    r"(?:[Rr]equests from referer |with referer:? |[Yy]our site URL to be authorized: )(https?://[^\s,;\"']{1,300})"
)
_SITE: Final = re.compile(r"(https?://[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::\d{1,5})?)(?:[/?#]\S*)?", re.IGNORECASE)
_ANDROID: Final = re.compile(r"[Aa]ndroid client application ([A-Za-z][\w]*(?:\.[A-Za-z]\w*)+) are blocked")
_IOS: Final = re.compile(r"[Ii]OS client application ([A-Za-z0-9][A-Za-z0-9.-]{1,154}) are blocked")
_SHA1: Final = re.compile(r"\b((?:[0-9A-Fa-f]{2}:){19}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{40})\b")


def callers(facts: ErrorFacts, cause: Cause) -> dict[str, str]:
    """Who a key's restriction shut out, by the option of `keys restrict` that lets them in."""
    text = facts.message[:_WINDOW]
    found: dict[str, str | None] = {}
    if cause is Cause.API_KEY_IP_BLOCKED:
        found = {"--add-ips": _address(text), "--add-referrers": _site(facts.metadata, text)}
    elif cause is Cause.API_KEY_REFERRER_BLOCKED:
        found = {"--add-referrers": _site(facts.metadata, text)}
    elif cause is Cause.API_KEY_ANDROID_BLOCKED and (package := _ANDROID.search(text)):
        sha1 = _SHA1.search(text)
        found = {"--add-android": f"{package[1]}={sha1[1] if sha1 else 'SHA1'}"}
    elif cause is Cause.API_KEY_IOS_BLOCKED and (bundle := _IOS.search(text)):
        found = {"--add-ios": bundle[1]}
    return {option: value for option, value in found.items() if value is not None}


def _address(text: str) -> str | None:
    found = _ADDRESS_OF_CALLER.search(text)
    try:
        return str(ip_address(found[1])) if found else None
    except ValueError:
        return None


def _site(metadata: Mapping[str, str], text: str) -> str | None:
    """All pages of the site, as restrictions name them: `https://a.example/*`."""
    said = _SITE_OF_CALLER.search(text)
    for address in (metadata.get("httpReferrer", ""), said[1] if said else ""):
        if (found := _SITE.fullmatch(address)) is not None:
            return f"{found[1].lower()}/*"
    return None
