"""The only place that knows the exceptions of google.api_core, grpc, google.auth and aiohttp: they become a Problem here.

Nothing is imported that the process has not loaded already: an exception of a package that was never imported cannot
have been raised, and reading a REST error must not cost the import of gRPC.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from keyadmin.cloud.details import facts_from_details, facts_from_http, facts_from_status
from keyadmin.cloud.endpoints import ApiCall
from keyadmin.cloud.foreign import ForeignAnswer
from keyadmin.cloud.network import ca_advice, way_out
from keyadmin.model import leaned_on
from keyadmin.model.causes.classify import ErrorFacts, classify
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact

_FOREIGN: Final = {
    "aiohttp": ("ClientError",),
    "google.api_core.exceptions": ("GoogleAPIError",),
    "grpc": ("RpcError",),
}


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
    what was asked although no answer says so. `answered` = an answer of the service itself came.
    """

    facts: ErrorFacts
    problem: Problem
    sent: bool = True
    answered: bool = True

    @property
    def lost(self) -> bool:
        """Whether the call may have taken effect."""
        return self.sent and self.transient

    @property
    def transient(self) -> bool:
        """Whether the same call may well succeed in a moment."""
        return self.facts.status in ("UNAVAILABLE", "DEADLINE_EXCEEDED")

    def worth_repeating(self, call: ApiCall) -> bool:
        """As `transient`; a read may be repeated after an internal error too."""
        return self.transient or (self.facts.status == "INTERNAL" and not call.write)


def foreign() -> tuple[type[BaseException], ...]:
    """The exception classes that `read` understands, as far as their packages are loaded: for an `except` clause."""
    theirs = (_loaded(module, name) for module, names in _FOREIGN.items() for name in names)
    return (HttpError, ForeignAnswer, StatusError, TimeoutError, *(found for found in theirs if found is not None))


def _loaded(module: str, name: str) -> type[BaseException] | None:
    """The class, None where its package is not loaded or another thread is still at it: then nobody can have raised one."""
    return getattr(sys.modules.get(module), name, None)


def read(error: BaseException, call: ApiCall, sandbox: str | None = None) -> Failure:
    """What this exception means; `sandbox` = the sandbox's address where one was asked. Raises what is none of `foreign()`."""
    place = f"the sandbox at {sandbox}" if sandbox else call.service
    if isinstance(error, HttpError):
        return failure(facts_from_http(error.code, error.headers, error.body, call))
    if isinstance(error, ForeignAnswer):
        return _from_gateway(error, call, place)
    if isinstance(error, StatusError):
        return failure(facts_from_status(error.status, call))
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
        notes=[redact(link) for link in facts.links],
        variant=finding.variant,
        constraint=finding.constraint,
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
    if status is not None and status.name == "UNAVAILABLE" and any(words in message for words in leaned_on.NEVER_CONNECTED):
        tls = any(words in message.lower() for words in leaned_on.TLS_SAID)
        if (answer := re.search(leaned_on.PROXY_SAID, message)) is not None:
            http = int(answer.group(1))
            return _unreachable(call, place, f"the proxy answered CONNECT with HTTP {http}", passing=http >= 500)
        return _unreachable(call, place, message.rpartition(leaned_on.LAST_ERROR)[2].strip(), tls=tls)
    if (page := re.search(leaned_on.HTTP_WITHOUT_GRPC, message)) is not None:
        return _from_gateway(ForeignAnswer(call.service, int(page.group(1)), {}, None), call, place)
    if status is not None and not getattr(error, "details", ()) and re.search(leaned_on.UNHEARD, message):
        words = f"{place} did not answer {call.method} in time"
        if status.name == "UNAVAILABLE":
            words = f"the connection to {place} broke off before {call.method} was answered"
        return _silent(call, place, status.name, words)
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
        reason = getattr(getattr(error, "certificate_error", None), "verify_message", None)
        return _unreachable(call, place, f"its certificate does not hold: {reason}" if reason else str(error), tls=True)
    if _is(error, "aiohttp", "ClientHttpProxyError"):
        status, words = getattr(error, "status", "no"), redact(str(getattr(error, "message", "")))[:60]
        refused = isinstance(status, int) and status < 500  # a decision, which asking again does not change
        said = f"the proxy answered CONNECT with HTTP {status}{f' ({words})' if words else ''}"
        return _unreachable(call, place, said, passing=not refused)
    if any(_is(error, "aiohttp", name) for name in ("ClientConnectorError", "ConnectionTimeoutError")):
        return _unreachable(call, place, _system_words(getattr(error, "os_error", None)) or str(error))
    if isinstance(error, TimeoutError):
        return _silent(call, place, "DEADLINE_EXCEEDED", f"{place} did not answer {call.method} in time")
    words = f"the connection to {place} broke off before {call.method} was answered"
    return _silent(call, place, "UNAVAILABLE", words)


def _system_words(error: OSError | None) -> str | None:
    """`Connection refused`; None for what is no system call's failure, such as a name that is not to be found."""
    if error is None or isinstance(error, socket.gaierror) or not error.errno or error.errno < 0:
        return str(error) if error is not None else None
    return os.strerror(error.errno)


def _facts(call: ApiCall, status: str | None, message: str) -> ErrorFacts:
    return facts_from_details(None, status, message, (), call)


def _unreachable(call: ApiCall, place: str, why: str, *, tls: bool = False, passing: bool = True) -> Failure:
    """No connection was made, so nothing was asked. Built without the classifier: the words are not the service's."""
    fix = (ca_advice(), typed("doctor", connection=True)) if tls else _ways(call, place)
    if tls and ("not yet valid" in why or "expired" in why):
        fix = ("Check this machine's clock: the certificate's dates do not fit it.", *fix)
    message = f"{place} could not be reached: {redact(why)}"
    facts = _facts(call, "UNAVAILABLE" if passing else None, message)
    # A sandbox that is not there is a service that is not running; no network lies between.
    cause = Cause.NETWORK_UNREACHABLE if place == call.service else Cause.SERVICE_UNAVAILABLE
    variant = None if place == call.service else "not-running"
    problem = Problem(cause, message, status="UNAVAILABLE", service=facts.service, fix=fix, unsent=True, variant=variant)
    return Failure(facts, problem, sent=False, answered=False)


def _silent(call: ApiCall, place: str, status: str, message: str) -> Failure:
    """Nothing came back: the call may have been heard."""
    facts = _facts(call, status, message)
    problem = Problem(
        Cause.NETWORK_UNREACHABLE, message, status=status, service=facts.service, project=call.project, fix=_ways(call, place)
    )
    return Failure(facts, problem, answered=False)


def _ways(call: ApiCall, place: str) -> tuple[str, ...]:
    if place != call.service:
        port = urlsplit(place.rpartition(" ")[2]).port
        again = typed("sandbox serve", rest_port=str(port) if port else None)
        return (f"start it again, with its --state and --grpc-port if it had any: {again}", "or correct KEYADMIN_SANDBOX")
    return way_out(call.service)


def _from_gateway(error: ForeignAnswer, call: ApiCall, place: str) -> Failure:
    """Something on the way answered in the service's place."""
    host = place if place != call.service else error.host
    message = f"{host} could not be asked: the answer was {error.said}, which is not Google's"
    facts = _facts(call, "UNAVAILABLE" if error.passing else None, message)
    problem = Problem(
        Cause.NETWORK_UNREACHABLE,
        message,
        service=facts.service,
        project=call.project,
        fix=_ways(call, place),
        unsent=not error.sent,
    )
    return Failure(facts, problem, sent=error.sent or error.passing, answered=False)


def calls_a_minute(facts: ErrorFacts) -> int | None:
    """The limit that a refusal for too many calls tells, where it is one a minute (ErrorInfo, as public threads show it)."""
    value = facts.metadata.get("quota_limit_value", "")
    unit = facts.metadata.get("quota_unit", "")
    per_minute = unit.startswith("1/min") or "minute" in facts.metadata.get("quota_limit", "").lower()
    return int(value) if per_minute and value.isascii() and value.isdigit() and int(value) > 0 else None
