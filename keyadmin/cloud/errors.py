"""The only place that knows the exceptions of google.api_core, grpc, google.auth and aiohttp: they become a Problem here.

Nothing is imported that the process has not loaded already: an exception of a package that was never imported cannot
have been raised, and reading a REST error must not cost the import of gRPC.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from keyadmin.cloud.details import facts_from_details, facts_from_http, facts_from_status
from keyadmin.cloud.endpoints import IAM_CREDENTIALS, ApiCall
from keyadmin.model.causes.classify import ErrorFacts, classify
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact

LOGIN: Final = "gcloud auth application-default login"
NO_ACCOUNT: Final = "without an account: add --sandbox, for a local Google Cloud"
_FOREIGN: Final = {
    "aiohttp": ("ClientError",),
    "google.api_core.exceptions": ("GoogleAPIError",),
    "google.auth.exceptions": ("GoogleAuthError",),
    "grpc": ("RpcError",),
}
# How gRPC's core words it when there was never a connection.
_NEVER_CONNECTED: Final = ("failed to connect", "errors resolving", "DNS resolution failed", "HTTP proxy returned")


class HttpError(Exception):
    """An HTTP answer that is no success. Its text never holds the body, which may hold anything."""

    def __init__(self, code: int, headers: Mapping[str, str], body: Any) -> None:
        super().__init__(f"HTTP {code}")
        self.code = code
        self.headers = headers
        self.body = body


class StatusError(Exception):
    """A google.rpc.Status (as JSON) that came inside an answer: an operation that failed."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        super().__init__(f"status {status.get('code')}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt.

    `sent` is False where the service cannot have seen the call: no connection was made. `lost` = the service may have done
    what was asked although no answer says so.
    """

    facts: ErrorFacts
    problem: Problem
    sent: bool = True

    @property
    def lost(self) -> bool:
        """Whether the call may have taken effect."""
        return self.sent and self.transient

    @property
    def transient(self) -> bool:
        """Whether the same call may well succeed in a moment."""
        return self.facts.status in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def foreign() -> tuple[type[BaseException], ...]:
    """The exception classes that `read` understands, as far as their packages are loaded: for an `except` clause."""
    theirs = (_loaded(module, name) for module, names in _FOREIGN.items() for name in names)
    return (HttpError, StatusError, TimeoutError, *(found for found in theirs if found is not None))


def _loaded(module: str, name: str) -> type[BaseException] | None:
    """The class, None where its package is not loaded or another thread is still at it: then nobody can have raised one."""
    return getattr(sys.modules.get(module), name, None)


def read(error: BaseException, call: ApiCall, sandbox: str | None = None) -> Failure:
    """What this exception means; `sandbox` = the sandbox's address where one was asked. Raises what is none of `foreign()`."""
    place = f"the sandbox at {sandbox}" if sandbox else call.service
    if isinstance(error, HttpError):
        return failure(facts_from_http(error.code, error.headers, error.body, call))
    if isinstance(error, StatusError):
        return failure(facts_from_status(error.status, call))
    if _is(error, "google.auth.exceptions", "GoogleAuthError"):
        return _credentials(error, call)
    if _is(error, "google.api_core.exceptions", "GoogleAPIError") or _is(error, "grpc", "RpcError"):
        return _grpc(error, call, place)
    if _is(error, "aiohttp", "ClientError") or isinstance(error, TimeoutError):
        return _connection(error, call, place)
    raise error


def failure(facts: ErrorFacts) -> Failure:
    """Classified, and in words fit to be shown."""
    facts = replace(facts, message=redact(facts.message))
    finding = classify(facts)
    said = facts.status or facts.code or "an error"
    message = facts.message or f"{facts.service or 'the service'} answered {said} and gave no reason"
    problem = Problem(
        finding.cause,
        message,
        status=facts.status,
        permission=finding.permission,
        service=finding.service,
        project=finding.project,
        fix=tuple(redact(step) for step in finding.fix),
        notes=[redact(link) for link in facts.links],
    )
    return Failure(facts, problem)


def _is(error: BaseException, module: str, name: str) -> bool:
    found = _loaded(module, name)
    return found is not None and isinstance(error, found)


# --- gRPC ---------------------------------------------------------------------------------------------------------------


def _grpc(error: BaseException, call: ApiCall, place: str) -> Failure:
    """From google.api_core's exceptions (what the generated clients raise) and from a bare AioRpcError."""
    if _is(error, "grpc", "RpcError"):
        from google.api_core import exceptions

        from_grpc_error: Any = exceptions.from_grpc_error
        error = from_grpc_error(error)
    status = getattr(error, "grpc_status_code", None)
    message = str(getattr(error, "message", "") or error)
    if status is not None and status.name == "UNAVAILABLE" and any(words in message for words in _NEVER_CONNECTED):
        tls = "CERTIFICATE_VERIFY_FAILED" in message or "handshake" in message.lower()
        return _unreachable(call, place, message.rpartition("last error: ")[2].strip(), tls=tls)
    details = [_detail(detail) for detail in getattr(error, "details", ())]
    code = getattr(error, "code", None)
    name = status.name if status is not None else None
    return failure(facts_from_details(int(code) if isinstance(code, int) else None, name, message, details, call))


def _detail(detail: Any) -> Mapping[str, Any]:
    """A protobuf detail as JSON with its `@type`."""
    from google.protobuf.json_format import MessageToDict

    if not hasattr(detail, "DESCRIPTOR"):
        return {}
    return {**MessageToDict(detail), "@type": f"type.googleapis.com/{detail.DESCRIPTOR.full_name}"}


def status_json(status: Any) -> dict[str, Any]:
    """A protobuf google.rpc.Status as JSON; details of unknown types are left out."""
    from google.rpc import error_details_pb2

    details = []
    for packed in status.details:
        kind = getattr(error_details_pb2, packed.type_url.rpartition(".")[2], None)
        message = kind() if kind is not None else None
        if message is not None and packed.Unpack(message):
            details.append(_detail(message))
    return {"code": status.code, "message": status.message, "details": details}


# --- connections --------------------------------------------------------------------------------------------------------


def _connection(error: BaseException, call: ApiCall, place: str) -> Failure:
    """From aiohttp's exceptions that are no HTTP answer, and from timeouts."""
    if any(_is(error, "aiohttp", name) for name in ("ClientConnectorCertificateError", "ClientSSLError")):
        return _unreachable(call, place, str(error), tls=True)
    if _is(error, "aiohttp", "ClientHttpProxyError"):
        return _unreachable(call, place, f"the proxy answered {getattr(error, 'status', 'no')} to CONNECT")
    if any(_is(error, "aiohttp", name) for name in ("ClientConnectorError", "ConnectionTimeoutError")):
        return _unreachable(call, place, _system_words(getattr(error, "os_error", None)) or str(error))
    if isinstance(error, TimeoutError):
        return failure(_facts(call, "DEADLINE_EXCEEDED", f"{place} did not answer {call.method} in time"))
    return failure(_facts(call, "UNAVAILABLE", f"the connection to {place} broke off before {call.method} was answered"))


def _system_words(error: OSError | None) -> str | None:
    """`Connection refused`; None for what is no system call's failure, such as a name that is not to be found."""
    if error is None or isinstance(error, socket.gaierror) or not error.errno or error.errno < 0:
        return str(error) if error is not None else None
    return os.strerror(error.errno)


def _facts(call: ApiCall, status: str, message: str) -> ErrorFacts:
    return facts_from_details(None, status, message, (), call)


def _unreachable(call: ApiCall, place: str, why: str, *, tls: bool = False) -> Failure:
    """No connection was made, so nothing was asked. Built without the classifier: the words are not the service's."""
    if tls:
        fix = "If your network inspects TLS, let SSL_CERT_FILE name a file with its certificate authority."
    elif place != call.service:
        fix = "Start it again (keyadmin sandbox serve), or correct KEYADMIN_SANDBOX."
    else:
        fix = "Check the network, HTTPS_PROXY and NO_PROXY."
    return _own(call, Cause.SERVICE_UNAVAILABLE, "UNAVAILABLE", f"{place} could not be reached: {redact(why)}", fix)


# --- credentials --------------------------------------------------------------------------------------------------------


def _credentials(error: BaseException, call: ApiCall) -> Failure:
    """From google.auth's exceptions."""
    words = redact(str(error.args[0]) if error.args else str(error))
    if _is(error, "google.auth.exceptions", "DefaultCredentialsError"):
        message = f"the Application Default Credentials cannot be used: {words}"
        if "were not found" in words:
            message = "no Application Default Credentials were found"
        return _own(call, Cause.CREDENTIALS_MISSING, "UNAUTHENTICATED", message, LOGIN, NO_ACCOUNT)
    if _is(error, "google.auth.exceptions", "TransportError") or getattr(error, "retryable", False):
        why = f"no access token could be fetched: {_of_requests(error) or words}"
        return _unreachable(call, call.service, why, tls="CERTIFICATE_VERIFY" in words)
    refused = _impersonation_refused(error)
    if refused is not None:
        code = refused["error"].get("code")
        signing = ApiCall(IAM_CREDENTIALS, "GenerateAccessToken")
        return failure(facts_from_http(code if isinstance(code, int) else 403, {}, refused, signing))
    return _own(call, Cause.CREDENTIALS_EXPIRED, "UNAUTHENTICATED", f"the credentials were refused: {words}", LOGIN)


def _of_requests(error: BaseException) -> str | None:
    """The host and why it was not reached, out of what requests and urllib3 wrap that in; None where it is something else."""
    inner = error.args[0] if error.args else None
    retried = inner.args[0] if isinstance(inner, Exception) and inner.args else None
    pool, reason = getattr(retried, "pool", None), getattr(retried, "reason", None)
    if pool is None or reason is None:
        return None
    behind = getattr(reason, "original_error", None)
    text = str(behind or reason)
    text = re.sub(r"\[Errno -?\d+\] ", "", text.partition("): ")[2] or text)
    return f"{pool.host}: {'the proxy: ' if behind else ''}{text}"


def _own(call: ApiCall, cause: Cause, status: str, message: str, *fix: str) -> Failure:
    """A failure on this side of the wire, whose cause needs no classifying; nothing was sent."""
    return Failure(_facts(call, status, message), Problem(cause, message, status=status, fix=fix), sent=False)


def _impersonation_refused(error: BaseException) -> Any:
    """The IAM Credentials API's error object, where impersonation was what failed (google.auth keeps it as second argument)."""
    if len(error.args) < 2 or "impersonated" not in str(error.args[0]):
        return None
    try:
        body = json.loads(error.args[1])
    except (TypeError, ValueError):
        return None
    return body if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping) else None
