"""IAM allow policies as plain values. Nothing in them is lost between reading and writing: conditions, audit settings, etag."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

VERSION: Final = 3  # what has to be asked for, or conditions are left out (IAM documentation, policy versions)

_NO_TYPE: Final = "LOG_TYPE_UNSPECIFIED"


@dataclass(frozen=True, slots=True)
class Condition:
    """When a binding holds, as a CEL expression."""

    expression: str
    title: str = ""
    description: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """A role and its members (`user:`, `serviceAccount:`, `group:` ...)."""

    role: str
    members: tuple[str, ...]
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Which access is logged (ADMIN_READ, DATA_READ, DATA_WRITE), except for whom."""

    log_type: str
    exempted_members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """The audit settings of one service, or of `allServices`."""

    service: str
    logs: tuple[AuditLog, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowPolicy:
    """A resource's allow policy as read; the etag goes back with it, so that nobody's change in between is overwritten."""

    bindings: tuple[Binding, ...] = ()
    audit_configs: tuple[AuditConfig, ...] = ()
    etag: bytes = b""
    version: int = VERSION

    def grant(self, member: str, roles: Iterable[str]) -> AllowPolicy:
        """With these roles for the member, unconditionally; bindings that exist are added to, all others stay as they are."""
        bindings = list(self.bindings)
        for role in roles:
            at = next((i for i, held in enumerate(bindings) if held.role == role and held.condition is None), None)
            if at is None:
                bindings.append(Binding(role, (member,)))
            elif member not in bindings[at].members:
                bindings[at] = replace(bindings[at], members=(*bindings[at].members, member))
        return replace(self, bindings=tuple(bindings))


def policy_from_json(data: Mapping[str, Any]) -> AllowPolicy:
    """From a google.iam.v1.Policy as JSON."""
    return AllowPolicy(
        bindings=tuple(
            Binding(each.get("role", ""), tuple(each.get("members", ())), _condition(each.get("condition")))
            for each in data.get("bindings", ())
        ),
        audit_configs=tuple(
            AuditConfig(
                config.get("service", ""),
                tuple(
                    AuditLog(log.get("logType", _NO_TYPE), tuple(log.get("exemptedMembers", ())))
                    for log in config.get("auditLogConfigs", ())
                ),
            )
            for config in data.get("auditConfigs", ())
        ),
        etag=base64.b64decode(data.get("etag", "")),
        version=data.get("version", 0),
    )


def _condition(found: Mapping[str, str] | None) -> Condition | None:
    if found is None:
        return None
    return Condition(*(found.get(name, "") for name in ("expression", "title", "description", "location")))


def policy_to_json(policy: AllowPolicy) -> dict[str, Any]:
    """To google.iam.v1.Policy as JSON; version 3 wherever a condition stands, as IAM demands."""
    conditional = any(binding.condition is not None for binding in policy.bindings)
    return {
        "version": VERSION if conditional else policy.version,
        "bindings": [
            {"role": each.role, "members": list(each.members)}
            | ({"condition": asdict(each.condition)} if each.condition else {})
            for each in policy.bindings
        ],
        "auditConfigs": [
            {
                "service": config.service,
                "auditLogConfigs": [
                    {"logType": log.log_type, "exemptedMembers": list(log.exempted_members)} for log in config.logs
                ],
            }
            for config in policy.audit_configs
        ],
        "etag": base64.b64encode(policy.etag).decode(),
    }
