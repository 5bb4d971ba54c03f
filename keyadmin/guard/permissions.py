"""What guards need to be read and written, and where; a lack is said with the permission, the place and the grant."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from keyadmin.guard.scope import GuardScope, grant_command, in_words
from keyadmin.model.org_policy import CustomConstraint
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.guard.model import GuardStep

T = TypeVar("T")
WRITER: Final = "roles/orgpolicy.policyAdmin"  # the one role for it beside those of security postures (role data)
READER: Final = "roles/orgpolicy.policyViewer"


async def read(call: Awaitable[T], permission: str, node: str, what: str, organization: str) -> T:
    """The answer. Raises Problem: a refusal for want of the permission names it and the place."""
    try:
        return await call
    except Problem as problem:
        if problem.cause is not Cause.MISSING_IAM_PERMISSION:
            raise
        raise _denied([permission], node, what, READER, organization) from problem


def needed(scope: GuardScope, steps: Sequence[GuardStep]) -> dict[str, list[str]]:
    """Which permissions the writes need, by node."""
    out: dict[str, list[str]] = {}
    for step in steps:
        own = isinstance(step.target, CustomConstraint)
        node, family = (scope.organization, "customConstraints") if own else (scope.node, "policies")
        name = f"orgpolicy.{family}.{step.action}"
        if name not in out.setdefault(node, []):
            out[node].append(name)
    return out


async def require(cloud: Cloud, scope: GuardScope, steps: Sequence[GuardStep]) -> tuple[str, ...]:
    """Why it is not known whether the writes are permitted. Raises Problem where they are not: nothing was changed."""
    unknown = []
    for node, names in needed(scope, steps).items():
        try:
            held = await cloud.projects.permissions_on(node, names)
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            unknown.append(
                f"whether you may change the organisation policies of {in_words(node)} is not known: {problem.message}"
            )
            continue
        missing = [name for name in names if name not in held]
        if missing:
            raise _denied(missing, node, "change its organisation policies", WRITER, scope.organization)
    return tuple(unknown)


def _denied(missing: Sequence[str], node: str, what: str, role: str, organization: str) -> Problem:
    verb = "is" if len(missing) == 1 else "are"
    return Problem(
        Cause.MISSING_IAM_PERMISSION,
        f"{', '.join(missing)} {verb} missing on {in_words(node)}: you may not {what}; nothing was changed",
        status="PERMISSION_DENIED",
        permission=missing[0],
        project=node.removeprefix("projects/") if node.startswith("projects/") else None,
        fix=(
            f"an admin of the organisation runs: {grant_command(organization, 'user:ADDRESS', role)}",
            "the role can be granted at the organisation alone; Owner does not hold it",
        ),
    )
