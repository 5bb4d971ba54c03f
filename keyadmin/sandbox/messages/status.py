"""Errors in Google's shape: canonical code, message, and details with `@type` (google.rpc.Status, AIP-193)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

Json = dict[str, Any]


class Code(IntEnum):
    """google.rpc.Code."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# google/rpc/code.proto names the HTTP status of each code.
HTTP_STATUS = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}


_REASONS = {
    Code.INVALID_ARGUMENT: "badRequest",
    Code.OUT_OF_RANGE: "badRequest",
    Code.FAILED_PRECONDITION: "failedPrecondition",
    Code.UNAUTHENTICATED: "unauthorized",
    Code.PERMISSION_DENIED: "forbidden",
    Code.NOT_FOUND: "notFound",
    Code.ALREADY_EXISTS: "alreadyExists",
    Code.ABORTED: "aborted",
    Code.RESOURCE_EXHAUSTED: "rateLimitExceeded",
    Code.UNIMPLEMENTED: "notImplemented",
}
LONGEST = 1000  # bytes of UTF-8 in a message: what gRPC's trailers hold (see trailer.py)


class RpcError(Exception):
    """What a rule raises to refuse a call. `details` are JSON objects with `@type`. A very long message is cut."""

    def __init__(self, code: Code, message: str, *details: Json) -> None:
        if len(message) > LONGEST // 4 and len(encoded := message.encode(errors="replace")) > LONGEST:
            message = f"{encoded[:LONGEST].decode(errors='ignore')}..."
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = list(details)

    def rest(self, *, listed: bool = False) -> Json:
        """The REST error body; `listed` = with the list `errors` of Google's older format."""
        error: Json = {"code": HTTP_STATUS[self.code], "message": self.message}
        if listed:
            error["errors"] = [self._listed()]
        error["status"] = self.code.name
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def _listed(self) -> Json:
        """An entry of `errors` (recorded: notFound, forbidden, alreadyExists, rateLimitExceeded; the others as the clients of
        these APIs name them). A switched-off API has a domain of its own."""
        reasons = [detail.get("reason") for detail in self.details]
        if "SERVICE_DISABLED" in reasons:
            found = {"message": self.message, "domain": "usageLimits", "reason": "accessNotConfigured"}
            return found | {"extendedHelp": "https://console.developers.google.com"}
        return {"message": self.message, "domain": "global", "reason": _REASONS.get(self.code, "backendError")}

    def status(self) -> Json:
        """google.rpc.Status in JSON, as inside an operation."""
        out: Json = {"code": int(self.code), "message": self.message}
        if self.details:
            out["details"] = self.details
        return out


def error_info(reason: str, domain: str, **metadata: str) -> Json:
    """google.rpc.ErrorInfo."""
    info: Json = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain}
    if metadata:
        info["metadata"] = metadata
    return info


def help_link(description: str, url: str) -> Json:
    """google.rpc.Help with one link."""
    return {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": description, "url": url}]}


def retry_info(seconds: float) -> Json:
    """google.rpc.RetryInfo."""
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds:.3f}s"}


def field_violation(field: str, description: str) -> Json:
    """google.rpc.BadRequest with one violation."""
    return {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": field, "description": description}],
    }


def invalid(message: str, field: str | None = None) -> RpcError:
    """400 INVALID_ARGUMENT, naming the field where one is at fault."""
    return RpcError(Code.INVALID_ARGUMENT, message, *([field_violation(field, message)] if field else []))


def not_found(message: str, *details: Json) -> RpcError:
    """404 NOT_FOUND."""
    return RpcError(Code.NOT_FOUND, message, *details)


def already_exists(message: str, *details: Json) -> RpcError:
    """409 ALREADY_EXISTS."""
    return RpcError(Code.ALREADY_EXISTS, message, *details)


def failed_precondition(message: str, *details: Json) -> RpcError:
    """400 FAILED_PRECONDITION."""
    return RpcError(Code.FAILED_PRECONDITION, message, *details)


def permission_denied(permission: str, host: str, resource: str) -> RpcError:
    """403 with reason IAM_PERMISSION_DENIED; the same words for what is missing and what may not be seen (facts 4)."""
    resource = resource[:500]
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Permission '{permission}' denied on resource '//{host}/{resource}' (or it may not exist).",
        error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission, resource=resource),
    )


def service_disabled(host: str, title: str, project_number: str) -> RpcError:
    """403 with reason SERVICE_DISABLED and the link that enables the API (facts 4)."""
    url = f"https://console.developers.google.com/apis/api/{host}/overview?project={project_number}"
    return RpcError(
        Code.PERMISSION_DENIED,
        f"{title} has not been used in project {project_number} before or it is disabled. Enable it by visiting {url} then "
        "retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
        help_link("Google developers console API activation", url),
        error_info(
            "SERVICE_DISABLED",
            "googleapis.com",
            service=host,
            consumer=f"projects/{project_number}",
            serviceTitle=title,
            activationUrl=url,
            containerInfo=project_number,
        ),
    )


def consumer_suspended(host: str, project: str) -> RpcError:
    """403: Google has suspended the project (canonical name) that pays for the call (reported)."""
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Permission denied: Consumer '{project}' has been suspended.",
        error_info("CONSUMER_SUSPENDED", "googleapis.com", service=host, consumer=project),
    )


def not_active(host: str, project: str, state: str) -> RpcError:
    """A change in a project (canonical name) that is suspended or being deleted."""
    if state == "SUSPENDED":  # unsourced: that it is refused like a call that the project pays for
        return consumer_suspended(host, project)
    return failed_precondition(f"Project '{project.split('/')[1]}' is not active.")  # unsourced: code and wording


def consumer_deleted(host: str, project: str) -> RpcError:
    """403: the project (canonical name) that pays for the call is being deleted."""
    # unsourced: the wording; the reason's meaning is documented in google.api.ErrorReason
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Project #{project.split('/')[1]} has been deleted.",
        error_info("CONSUMER_INVALID", "googleapis.com", service=host, consumer=project),
    )


def etag_differs(what: str) -> RpcError:
    """409: somebody else has changed it since it was read."""
    # unsourced: the wording; the code is that of https://google.aip.dev/154
    return RpcError(Code.ABORTED, f"The etag provided does not match the current etag of the {what}.")


def unauthenticated() -> RpcError:
    """401: the bearer token is not an e-mail address. The token itself is never repeated."""
    return RpcError(
        Code.UNAUTHENTICATED,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED", "googleapis.com"),
    )
