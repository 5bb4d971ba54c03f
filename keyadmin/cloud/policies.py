"""IAM allow policies as plain values. Nothing in them is lost between reading and writing: conditions, audit settings, etag."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

VERSION: Final = 3  # what has to be asked for, or conditions are left out (IAM documentation, policy versions)


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


def policy_from_pb(message: Any) -> AllowPolicy:
    """From google.iam.v1.Policy."""
    from google.iam.v1 import policy_pb2

    log_type = policy_pb2.AuditLogConfig.LogType
    return AllowPolicy(
        bindings=tuple(
            Binding(binding.role, tuple(binding.members), _condition(binding) if binding.HasField("condition") else None)
            for binding in message.bindings
        ),
        audit_configs=tuple(
            AuditConfig(
                config.service,
                tuple(AuditLog(log_type.Name(log.log_type), tuple(log.exempted_members)) for log in config.audit_log_configs),
            )
            for config in message.audit_configs
        ),
        etag=message.etag,
        version=message.version,
    )


def _condition(binding: Any) -> Condition:
    found = binding.condition
    return Condition(found.expression, found.title, found.description, found.location)


def policy_to_pb(policy: AllowPolicy) -> Any:
    """To google.iam.v1.Policy; version 3 wherever a condition stands, as IAM demands."""
    from google.iam.v1 import policy_pb2

    conditional = any(binding.condition is not None for binding in policy.bindings)
    message = policy_pb2.Policy(version=VERSION if conditional else policy.version, etag=policy.etag)
    for binding in policy.bindings:
        added = message.bindings.add(role=binding.role, members=binding.members)
        if binding.condition is not None:
            added.condition.expression = binding.condition.expression
            added.condition.title = binding.condition.title
            added.condition.description = binding.condition.description
            added.condition.location = binding.condition.location
    for config in policy.audit_configs:
        target = message.audit_configs.add(service=config.service)
        for log in config.logs:
            kind = policy_pb2.AuditLogConfig.LogType.Value(log.log_type)
            target.audit_log_configs.add(log_type=kind, exempted_members=log.exempted_members)
    return message
