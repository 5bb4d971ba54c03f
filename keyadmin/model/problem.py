"""The one kind of error that keyadmin reports: a cause of a closed list, in words, with the way out."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final, TypeVar

T = TypeVar("T")


class Cause(StrEnum):
    """Why something failed. The list is fixed (scripts match on it); each member has an entry in model/causes/catalogue.py."""

    MISSING_IAM_PERMISSION = "missing-iam-permission"
    PROJECT_NOT_FOUND_OR_NO_ACCESS = "project-not-found-or-no-access"
    API_NOT_ENABLED = "api-not-enabled"
    QUOTA_PROJECT_NOT_SET = "quota-project-not-set"
    QUOTA_PROJECT_DENIED = "quota-project-denied"
    ENABLE_SERVICE_DENIED = "enable-service-denied"
    ORG_POLICY_BLOCKS_KEY_BINDING = "org-policy-blocks-key-binding"
    ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY = "org-policy-blocks-service-account-key"
    PROJECT_QUOTA_EXCEEDED = "project-quota-exceeded"
    KEY_QUOTA_EXCEEDED = "key-quota-exceeded"
    RATE_LIMITED = "rate-limited"
    CREDENTIALS_MISSING = "credentials-missing"
    CREDENTIALS_EXPIRED = "credentials-expired"
    SCOPES_INSUFFICIENT = "scopes-insufficient"
    API_KEY_INVALID = "api-key-invalid"
    API_KEY_EXPIRED = "api-key-expired"
    API_KEY_LEAKED = "api-key-leaked"
    STANDARD_KEY_REJECTED = "standard-key-rejected"
    API_KEY_SERVICE_BLOCKED = "api-key-service-blocked"
    API_KEY_REFERRER_BLOCKED = "api-key-referrer-blocked"
    API_KEY_IP_BLOCKED = "api-key-ip-blocked"
    API_KEY_ANDROID_BLOCKED = "api-key-android-blocked"
    API_KEY_IOS_BLOCKED = "api-key-ios-blocked"
    CONSUMER_SUSPENDED = "consumer-suspended"
    PROJECT_DENIED_ACCESS = "project-denied-access"
    REGION_NOT_SUPPORTED = "region-not-supported"
    MULTIPLE_CREDENTIALS = "multiple-credentials"
    API_KEYS_NOT_SUPPORTED_BY_API = "api-keys-not-supported-by-api"
    BILLING_DISABLED = "billing-disabled"
    NOT_FOUND = "not-found"
    ALREADY_EXISTS = "already-exists"
    INVALID_ARGUMENT = "invalid-argument"
    CONFLICT = "conflict"
    SERVICE_UNAVAILABLE = "service-unavailable"
    NETWORK_UNREACHABLE = "network-unreachable"
    REAUTHENTICATION_REQUIRED = "reauthentication-required"
    SERVICE_ACCOUNT_KEY_INVALID = "service-account-key-invalid"
    WORKLOAD_IDENTITY_MISCONFIGURED = "workload-identity-misconfigured"
    UNKNOWN = "unknown"


_CREDENTIALS: Final = (
    Cause.CREDENTIALS_MISSING,
    Cause.CREDENTIALS_EXPIRED,
    Cause.REAUTHENTICATION_REQUIRED,
    Cause.SERVICE_ACCOUNT_KEY_INVALID,
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED,
)


class Exit(IntEnum):
    """Exit codes (fixed)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    FOUND = 3
    CREDENTIALS = 4
    INTERRUPTED = 130


@dataclass(eq=False)
class Problem(Exception):
    """A failure fit to be shown: what and why (`message`), and what to type next (`fix`).

    `fix` may be left empty: the catalogue's advice for the cause is shown then. `status` is the canonical gRPC code
    name (`PERMISSION_DENIED`) where a service answered. `exit_code` defaults to 4 for credentials and 1 otherwise. `unsent` =
    the service cannot have seen the call, so nothing was changed.
    """

    cause: Cause
    message: str
    status: str | None = None
    permission: str | None = None
    service: str | None = None
    project: str | None = None
    fix: tuple[str, ...] = ()
    exit_code: Exit | None = None
    unsent: bool = False
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.message

    @property
    def exit(self) -> Exit:
        """The exit code that this problem ends a command with."""
        if self.exit_code is not None:
            return self.exit_code
        if self.cause in _CREDENTIALS:
            return Exit.CREDENTIALS
        return Exit.FAILED


async def or_problem(call: Awaitable[T], *, credentials: bool = True) -> T | Problem:
    """The answer, or the Problem that stood in its place. Without `credentials` one of missing credentials is raised."""
    try:
        return await call
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS and not credentials:
            raise
        return problem


def usage(message: str, *fix: str) -> Problem:
    """Wrong usage, found before any call was made: exit code 2."""
    return Problem(Cause.INVALID_ARGUMENT, message, fix=fix, exit_code=Exit.USAGE)
