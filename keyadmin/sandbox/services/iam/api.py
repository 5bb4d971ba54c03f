"""What the parts of the IAM API share: the service itself, its refusals, the comparison of etags."""

from __future__ import annotations

from keyadmin.sandbox.api import Api
from keyadmin.sandbox.messages.status import Code, RpcError, error_info

api = Api(
    "google.iam.admin.v1.IAM",
    "iam.googleapis.com",
    "Identity and Access Management (IAM) API",
    "google.iam.admin.v1",
    lists_errors=True,
)


def denied(permission: str) -> RpcError:
    """403 of everything about service accounts (recorded); a missing one is told in the same words."""
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Permission '{permission}' denied on resource (or it may not exist).",
        error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission),
    )


def same_etag(given: str, kept: str) -> bool:
    """Whether two etags are the same bytes; clients may send either base64 alphabet."""
    return given.replace("-", "+").replace("_", "/").rstrip("=") == kept.replace("-", "+").replace("_", "/").rstrip("=")
