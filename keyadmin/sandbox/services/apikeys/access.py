"""Who may call an API with a key: what the key, its restrictions, its project and its service account say, in Google's words.

Codes, messages and details are those that users pasted into public issue threads (facts 2 and 5); what no thread shows is
marked. The order of the checks, where several fail, is unsourced.
"""

from __future__ import annotations

import ipaddress
import json
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import Code, RpcError, consumer_deleted, error_info, service_disabled
from keyadmin.sandbox.services.apikeys import rows, usage
from keyadmin.sandbox.services.apikeys.rows import KeyRow
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

_ALL_APIS = "cloudapis.googleapis.com"  # as a target: every API (facts 3)


def admit(call: Call, *, standard: bool = True) -> KeyRow:
    """The key that comes with a call, if it may make it. Raises the documented error else. Nothing is counted yet: see `count`.

    `standard`: whether standard keys are taken.
    """
    caller = call.caller
    if caller.api_key is None:
        raise RpcError(
            Code.PERMISSION_DENIED,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
            "form of API consumer identity to call this API.",
        )
    row = _known(call, caller.api_key)
    _check(call, row, standard=standard)
    return row


def count(call: Call, code: int, *, work: bool = True) -> None:
    """Count a call for its key by the HTTP status of its answer. `work=False`: one that does not put the key in use."""
    # Whether Google counts calls that a restriction refuses is not known: those are not counted here.
    row = rows.by_string(call.store, call.caller.api_key) if call.caller.api_key else None
    if row is not None:
        usage.record(call.store, row.uid, call.method.api.host, call.now, method=call.method.full_name, code=code, work=work)


def payer(call: Call) -> Node | None:
    """The project that pays for a call with a key: the key's own."""
    row = rows.by_string(call.store, call.caller.api_key) if call.caller.api_key else None
    return call.world.hierarchy.get(row.project) if row else None


def _known(call: Call, key_string: str) -> KeyRow:
    """The key, if it exists, is old enough to be known to all servers, and has not expired or leaked.

    A deleted one is accepted for as long as `keyDeletion` says. Measured by others at Google: 8 to 23 minutes, by more and
    more servers rejected (https://www.aikido.dev/blog/google-api-keys-deletion); here all servers change their mind at once.
    """
    row = rows.by_string(call.store, key_string)
    if row is None or (row.deleted is not None and row.deleted + call.world.faults.spread("keyDeletion") <= call.now):
        raise _key_error(call, "API key not valid. Please pass a valid API key.")
    if row.deleted is None and row.changed + call.world.faults.spread("key") > call.now:
        # reported of a new key: https://github.com/google-gemini/gemini-cli/issues/25198
        raise _key_error(call, "API Key not found. Please pass a valid API key.")
    if row.condition == "expired":
        raise _key_error(call, "API key expired. Please renew the API key.")
    if row.condition == "leaked":  # reported without details
        raise RpcError(Code.PERMISSION_DENIED, "Your API key was reported as leaked. Please use another API key.")
    return row


def _check(call: Call, row: KeyRow, *, standard: bool) -> None:
    node = call.world.hierarchy.get(row.project)
    assert node is not None  # a key's project is never taken away
    _check_project(call, node)
    restrictions = row.doc.get("restrictions", {})
    _check_target(call, node, restrictions)
    _check_client(call, node, restrictions)
    if not row.is_auth and not standard:
        raise _unauthenticated(call, "ACCESS_TOKEN_TYPE_UNSUPPORTED")
    _check_account(call, row)
    if not call.world.serves(node.name, call.method.api.host):
        raise service_disabled(call.method.api.host, call.method.api.title, node.number)


def _check_project(call: Call, node: Node) -> None:
    if node.state == "SUSPENDED":
        # The key string stands in the message, as reported: https://github.com/thooton/muse/issues/6
        raise RpcError(
            Code.PERMISSION_DENIED,
            f"Permission denied: Consumer 'api_key:{call.caller.api_key}' has been suspended.",
            error_info("CONSUMER_SUSPENDED", "googleapis.com", service=call.method.api.host, consumer=node.name),
        )
    if node.state == "DELETE_REQUESTED":
        raise consumer_deleted(call.method.api.host, node.name)


def _check_target(call: Call, node: Node, restrictions: Json) -> None:
    """`apiTargets`: none = all APIs; methods may end in `*` (API Keys discovery document)."""
    targets = restrictions.get("apiTargets", ())
    method = call.method.full_name
    host = call.method.api.host
    names = (method, call.method.name, f"{host}.{call.method.name}")
    for target in targets:
        if target.get("service") not in (host, _ALL_APIS):
            continue
        patterns = target.get("methods", ())
        if not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns):
            return
    if targets:
        message = f"Requests to this API {host} method {method} are blocked."
        raise _blocked(call, "API_KEY_SERVICE_BLOCKED", message, node, apiName=host, methodName=method)


def _check_client(call: Call, node: Node, restrictions: Json) -> None:
    """The one client kind that a key may be restricted to, against what the request says of itself."""
    headers = call.caller.headers
    if "browserKeyRestrictions" in restrictions:
        referrer = headers.get("referer", "")
        allowed = restrictions["browserKeyRestrictions"].get("allowedReferrers", ())
        if not any(referrer_matches(referrer, pattern) for pattern in allowed):
            shown = referrer or "<empty>"
            # unsourced: the metadata httpReferrer, by analogy with androidPackage
            message = f"Requests from referer {shown} are blocked."
            raise _blocked(call, "API_KEY_HTTP_REFERRER_BLOCKED", message, node, httpReferrer=shown)
    elif "serverKeyRestrictions" in restrictions:
        address = _address(headers)
        if not any(_in_network(address, entry) for entry in restrictions["serverKeyRestrictions"].get("allowedIps", ())):
            message = (
                "The provided API key has an IP address restriction. "
                f"The originating IP address of the call ({address}) violates this restriction."
            )
            raise _blocked(call, "API_KEY_IP_ADDRESS_BLOCKED", message, node)
    elif "androidKeyRestrictions" in restrictions:
        package, sha1 = headers.get("x-android-package", ""), headers.get("x-android-cert", "").replace(":", "").upper()
        if not any(
            app.get("packageName") == package and app.get("sha1Fingerprint") == sha1
            for app in restrictions["androidKeyRestrictions"].get("allowedApplications", ())
        ):
            shown = package or "<empty>"
            message = f"Requests from this Android client application {shown} are blocked."
            raise _blocked(call, "API_KEY_ANDROID_APP_BLOCKED", message, node, androidPackage=shown)
    elif "iosKeyRestrictions" in restrictions:
        bundle = headers.get("x-ios-bundle-identifier", "")
        if bundle not in restrictions["iosKeyRestrictions"].get("allowedBundleIds", ()):
            shown = bundle or "<empty>"
            # unsourced: the metadata iosBundleId, by analogy with androidPackage
            message = f"Requests from this iOS client application {shown} are blocked."
            raise _blocked(call, "API_KEY_IOS_APP_BLOCKED", message, node, iosBundleId=shown)


def referrer_matches(referrer: str, pattern: str) -> bool:
    """Whether a Referer header matches an allowed referrer: `*` for any text, without a scheme any scheme.

    Query and fragment do not count (https://cloud.google.com/docs/authentication/api-keys#adding-http-restrictions).
    """
    if not referrer:
        return False
    parts = urlsplit(referrer)
    seen = f"{parts.netloc}{parts.path}"
    if "://" in pattern:
        seen = f"{parts.scheme}://{seen}"
    plain = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatchcase(seen.rstrip("/"), plain.rstrip("/")) or fnmatchcase(f"{seen.rstrip('/')}/", plain)


def _address(headers: dict[str, str]) -> str:
    """The caller's address; over a UNIX socket it is this machine."""
    return headers.get("x-forwarded-for", "127.0.0.1").split(",")[0].strip()


def _in_network(address: str, entry: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _check_account(call: Call, row: KeyRow) -> None:
    if row.service_account is None:
        return
    account = call.store.one("SELECT deleted, doc FROM service_accounts WHERE email = ?", row.service_account)
    if account is None or account[0] is not None or json.loads(account[1]).get("disabled"):
        # unsourced: what an auth key gets whose service account is deleted or disabled; google.api.ErrorReason has this one
        raise _unauthenticated(call, "ACCOUNT_STATE_INVALID", email=row.service_account)


def _localized(message: str) -> Json:
    return {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message}


def _key_error(call: Call, message: str) -> RpcError:
    info = error_info("API_KEY_INVALID", "googleapis.com", service=call.method.api.host)
    return RpcError(Code.INVALID_ARGUMENT, message, info, _localized(message))


def _blocked(call: Call, reason: str, message: str, node: Node, **metadata: str) -> RpcError:
    info = error_info(reason, "googleapis.com", consumer=node.name, service=call.method.api.host, **metadata)
    return RpcError(Code.PERMISSION_DENIED, message, info, _localized(message))


def _unauthenticated(call: Call, reason: str, **metadata: str) -> RpcError:
    return RpcError(
        Code.UNAUTHENTICATED,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        error_info(reason, "googleapis.com", service=call.method.api.host, method=call.method.full_name, **metadata),
    )
