"""What a service says of an error, read into ErrorFacts: from the REST error object and from google.rpc.Status alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from keyadmin.cloud.endpoints import ApiCall
from keyadmin.model.causes.classify import ErrorFacts, Violation

# google/rpc/code.proto: number, name and the HTTP code that stands for it.
_CODES: Final[tuple[tuple[int, str, int], ...]] = (
    (1, "CANCELLED", 499),
    (2, "UNKNOWN", 500),
    (3, "INVALID_ARGUMENT", 400),
    (4, "DEADLINE_EXCEEDED", 504),
    (5, "NOT_FOUND", 404),
    (6, "ALREADY_EXISTS", 409),
    (7, "PERMISSION_DENIED", 403),
    (8, "RESOURCE_EXHAUSTED", 429),
    (9, "FAILED_PRECONDITION", 400),
    (10, "ABORTED", 409),
    (11, "OUT_OF_RANGE", 400),
    (12, "UNIMPLEMENTED", 501),
    (13, "INTERNAL", 500),
    (14, "UNAVAILABLE", 503),
    (15, "DATA_LOSS", 500),
    (16, "UNAUTHENTICATED", 401),
)
_NAME_OF_NUMBER: Final = {number: name for number, name, _ in _CODES}
_HTTP_OF_NAME: Final = {name: http for _, name, http in _CODES}
# The other way round several names share a code; these are what a body without a status most likely means.
_NAME_OF_HTTP: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def facts_from_http(code: int, headers: Mapping[str, str], body: Any, call: ApiCall) -> ErrorFacts:
    """From an HTTP answer that is no success; `body` is the decoded JSON, or None where it was none."""
    if isinstance(body, list) and body:  # some services wrap the error object in a list
        body = body[0]
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, Mapping):
        facts = facts_from_status(error, call, http=code)
    else:
        facts = ErrorFacts(code, _NAME_OF_HTTP.get(code), f"{call.service} answered HTTP {code}", **_context(call))
    if facts.retry_delay is None:
        return _with_delay(facts, _seconds(headers.get("Retry-After")))
    return facts


def facts_from_status(status: Mapping[str, Any], call: ApiCall, http: int | None = None) -> ErrorFacts:
    """From a google.rpc.Status as JSON, or the REST error object, whose `code` is the HTTP code and `status` the name."""
    number = status.get("code")
    name = status.get("status") if isinstance(status.get("status"), str) else None
    if name is None and isinstance(number, int):
        name = _NAME_OF_HTTP.get(number) if http is not None else _NAME_OF_NUMBER.get(number)
    code = http if http is not None else _HTTP_OF_NAME.get(name or "")
    details = status.get("details")
    return facts_from_details(
        code, name, str(status.get("message") or ""), details if isinstance(details, Sequence) else (), call
    )


def facts_from_details(code: int | None, status: str | None, message: str, details: Sequence[Any], call: ApiCall) -> ErrorFacts:
    """From the parts of an error; each detail is a mapping with `@type`. What has not the expected form is passed over."""
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for detail in details:
        if isinstance(detail, Mapping):
            by_type.setdefault(str(detail.get("@type", "")).rpartition(".")[2], []).append(detail)
    info: Mapping[str, Any] = next(iter(by_type.get("ErrorInfo", ())), {})
    metadata = info.get("metadata")
    localized = next((str(found["message"]) for found in by_type.get("LocalizedMessage", ()) if found.get("message")), None)
    retry = next((_seconds(found.get("retryDelay")) for found in by_type.get("RetryInfo", ())), None)
    fields = [found for bad in by_type.get("BadRequest", ()) for found in _mappings(bad.get("fieldViolations"))]
    return ErrorFacts(
        code=code,
        status=status,
        message=_message(message, localized, fields),
        reason=info.get("reason") or None,
        domain=info.get("domain") or None,
        metadata={str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, Mapping) else {},
        violations=_violations(by_type),
        links=tuple(
            str(link["url"]) for found in by_type.get("Help", ()) for link in _mappings(found.get("links")) if link.get("url")
        ),
        retry_delay=retry,
        **_context(call),
    )


def _message(message: str, localized: str | None, fields: Sequence[Mapping[str, Any]]) -> str:
    """The words for a person: the localised ones are added where they say something else, field faults where not said yet."""
    parts = [message] if message else []
    if localized and localized not in message:
        parts.append(localized)
    for field in fields:
        said = ": ".join(str(field[key]) for key in ("field", "description") if field.get(key))
        if said and str(field.get("description", "")) not in message:
            parts.append(said)
    return " ".join(parts)


def _violations(by_type: Mapping[str, list[Mapping[str, Any]]]) -> tuple[Violation, ...]:
    found = [
        item
        for kind in ("PreconditionFailure", "QuotaFailure")
        for detail in by_type.get(kind, ())
        for item in _mappings(detail.get("violations"))
    ]
    return tuple(
        Violation(str(item.get("type", "")), str(item.get("subject", "")), str(item.get("description", ""))) for item in found
    )


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, Sequence) else []


def _context(call: ApiCall) -> dict[str, Any]:
    return {"service": call.service if "." in call.service else None, "method": call.method, "project": call.project}


def _with_delay(facts: ErrorFacts, delay: float | None) -> ErrorFacts:
    return facts if delay is None else replace(facts, retry_delay=delay)


def _seconds(value: Any) -> float | None:
    """`37s`, `1.5s`, `37`: seconds. A date (HTTP allows one in Retry-After) is passed over: the backoff serves then."""
    try:
        return max(0.0, float(str(value).removesuffix("s"))) if value is not None else None
    except ValueError:
        return None
