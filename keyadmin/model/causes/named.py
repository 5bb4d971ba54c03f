"""The names of one error, by what is best known: details first, then the message, then what stands around it."""

from __future__ import annotations

from typing import Final

from keyadmin.model.causes import names
from keyadmin.model.causes.facts import ErrorFacts, Origin

_IAM: Final = "iam.googleapis.com"


def everything(facts: ErrorFacts) -> str:
    """Everything said: where a constraint's name may stand."""
    parts = [facts.message, facts.reason or "", *facts.metadata.values()]
    for violation in facts.violations:
        parts += [violation.kind, violation.subject, violation.description]
    return "\n".join(parts)


def permission(facts: ErrorFacts) -> str | None:
    named = facts.metadata.get("permission") or facts.metadata.get("permissions")
    if named:
        return named.split(",")[0].strip()
    if (
        "ermission denied on secret: projects/" in facts.message
    ):  # Cloud Run's own words, of the account that a revision runs as
        return "secretmanager.versions.access"
    if facts.origin is Origin.OTHER:
        return names.permission_in(facts.message)
    found = names.permission_in(facts.message) or names.bare_permission_in(facts.message)
    return found or (names.policy_permission_in(facts.message) if facts.origin is Origin.GOOGLE else None)


def service(facts: ErrorFacts) -> str | None:
    named = _whole(facts.metadata.get("service")) or names.service_in(facts.message) or facts.service
    if named is None and facts.domain and facts.domain not in ("googleapis.com", _IAM):
        named = facts.domain if facts.domain.endswith(".googleapis.com") else None
    if named in (None, _IAM) and (lacking := permission(facts)):  # IAM refuses for other services
        named = names.service_of(lacking) or named
    return named or names.lone_service_in(facts.around)


def _whole(host: str | None) -> str | None:
    """A service's host whose end was cut off with the text's."""
    return f"{host}.com" if host is not None and host.endswith(".googleapis") else host


def project(facts: ErrorFacts) -> str | None:
    for key in ("consumer", "resource", "containerInfo", "project"):
        found = names.project_in_name(facts.metadata.get(key, ""))
        if found is not None:
            return found
    for violation in facts.violations:
        found = names.project_in_name(violation.subject)
        if found is not None:
            return found
    return names.project_in(facts.message) or facts.project or names.lone_project_in(facts.around)


def secret(facts: ErrorFacts) -> str | None:
    return names.secret_in(facts.metadata.get("resource", "")) or names.secret_in(facts.message)
