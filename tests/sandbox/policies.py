"""What the tests of allow policies share: reading one, and adding to it."""

from __future__ import annotations

from typing import Any

from google.cloud import resourcemanager_v3 as rm

DEMO = "projects/demo-project"
KEYS = f"{DEMO}/locations/global"
CLIENTS = {"projects": rm.ProjectsClient, "folders": rm.FoldersClient, "organizations": rm.OrganizationsClient}


def policy_of(client: Any, resource: str = DEMO, version: int = 3) -> Any:
    return client.get_iam_policy(request={"resource": resource, "options": {"requested_policy_version": version}})


def bound(policy: Any) -> list[tuple[str, list[str]]]:
    return [(binding.role, list(binding.members)) for binding in policy.bindings]


def grant(client: Any, role: str, member: str, resource: str = DEMO, **condition: str) -> Any:
    """One binding more, by read-modify-write."""
    policy = policy_of(client, resource)
    binding = policy.bindings.add(role=role, members=[member])
    if condition:
        binding.condition.title, binding.condition.expression = condition["title"], condition["expression"]
        policy.version = 3
    return client.set_iam_policy(request={"resource": resource, "policy": policy})
