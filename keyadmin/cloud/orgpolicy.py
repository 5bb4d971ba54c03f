"""Organisation Policy v2: what a constraint amounts to for a project."""

from __future__ import annotations

from typing import Final

from keyadmin.cloud.channels import GrpcTransport
from keyadmin.cloud.endpoints import POLICIES

KEY_BINDING: Final = "iam.managed.disableServiceAccountApiKeyCreation"


class OrgPolicy:
    """Effective policies. Raises Problem."""

    def __init__(self, grpc: GrpcTransport) -> None:
        self._grpc = grpc

    async def enforced(self, resource: str, constraint: str = KEY_BINDING) -> bool | None:
        """Whether a boolean constraint is enforced for `projects/P`; None where conditions decide it case by case."""
        request = {"name": f"{resource}/policies/{constraint}"}
        project = resource.removeprefix("projects/") if resource.startswith("projects/") else None
        policy = await self._grpc.call(POLICIES, "get_effective_policy", request, project=project)
        rules = list(policy.spec.rules)
        if any(rule.condition.expression for rule in rules):
            return None
        return any(bool(rule.enforce) for rule in rules)
