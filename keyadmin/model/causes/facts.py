"""What is known of one error before its cause is, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from keyadmin.model.cause import Cause


class Origin(Enum):
    """Whose error it is."""

    GOOGLE = "google"
    ANYBODY = "anybody"  # nothing in it says
    OTHER = "other"  # another vendor's, or of a part of Google's that knows no IAM


@dataclass(frozen=True)
class Violation:
    """One violation of a PreconditionFailure or QuotaFailure. `model` and `value` (a limit) are a quota's."""

    kind: str = ""
    subject: str = ""
    description: str = ""
    quota_id: str = ""
    metric: str = ""
    model: str = ""
    value: str = ""


@dataclass(frozen=True)
class ErrorFacts:
    """What is known of one error. `code` is the HTTP code, `status` the canonical gRPC code name.

    `retry_delay` is in seconds. `service` (a host such as apikeys.googleapis.com), `method` (such as CreateKey) and
    `project` (id or number) are what the caller knows of the call; details in the error win over them. `legacy` are the
    reasons of older APIs (`errors[].reason`), `codes` codes in words. `around` = text near the message in which names may
    stand.
    """

    code: int | None = None
    status: str | None = None
    message: str = ""
    reason: str | None = None
    domain: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    violations: tuple[Violation, ...] = ()
    links: tuple[str, ...] = ()
    retry_delay: float | None = None
    service: str | None = None
    method: str | None = None
    project: str | None = None
    legacy: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    around: str = ""
    origin: Origin = Origin.GOOGLE


@dataclass(frozen=True)
class Classification:
    """The cause, and what could be read. `variant` names the form of the cause that takes other steps (CauseEntry.variants).

    `vendor` = whose error it is where it is not Google's. `constraint` = the policy constraint, `model` the model named,
    `member` who lacks the permission, `role` the role (or its title) that the text says to grant, `secret` the secret that
    was refused, `filling` what else the text names, by the placeholder of the steps that it is for (`account`), `callers` whom
    a key's restriction shut out, by the option of `keys restrict` that lets them in (`--add-ips`).
    """

    cause: Cause
    permission: str | None = None
    service: str | None = None
    project: str | None = None
    variant: str | None = None
    vendor: str | None = None
    constraint: str | None = None
    model: str | None = None
    member: str | None = None
    role: str | None = None
    secret: str | None = None
    filling: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    callers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
