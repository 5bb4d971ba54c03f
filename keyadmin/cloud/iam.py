"""IAM admin v1: service accounts, and what custom roles hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from keyadmin.cloud.calls import pages
from keyadmin.cloud.channels import GrpcTransport
from keyadmin.cloud.endpoints import IAM_ADMIN
from keyadmin.cloud.messages import enum_name, paging
from keyadmin.model.problem import Cause, Problem

PAGE: Final = 100  # the API's own maximum


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account."""

    email: str
    unique_id: str
    project: str
    display_name: str = ""
    description: str = ""
    disabled: bool = False


class ServiceAccounts:
    """Service accounts of a project (id, not number). All methods raise Problem."""

    def __init__(self, grpc: GrpcTransport) -> None:
        self._grpc = grpc

    async def create(self, project: str, account_id: str, display_name: str = "") -> ServiceAccount:
        """A new one, `{account_id}@{project}.iam.gserviceaccount.com`. Reads may miss it for some seconds."""

        async def on_repeat(problem: Problem) -> Any:
            if problem.cause is not Cause.ALREADY_EXISTS:
                return None
            found = await self._if_readable(project, email_of(project, account_id))
            return found if found is not None and found.display_name == display_name else None

        request = {
            "name": f"projects/{project}",
            "account_id": account_id,
            "service_account": {"display_name": display_name},
        }
        answer = await self._grpc.call(
            IAM_ADMIN, "create_service_account", request, project=project, write=True, on_repeat=on_repeat
        )
        return answer if isinstance(answer, ServiceAccount) else _account(answer)

    async def get(self, project: str, email: str) -> ServiceAccount:
        """By e-mail address or unique id."""
        request = {"name": f"projects/{project}/serviceAccounts/{email}"}
        return _account(await self._grpc.call(IAM_ADMIN, "get_service_account", request, project=project))

    async def list(self, project: str) -> AsyncIterator[ServiceAccount]:
        """All of a project."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._grpc.call(IAM_ADMIN, "list_service_accounts", asked, project=project)

        async for account in pages(paging(call, {"name": f"projects/{project}", "page_size": PAGE}, "accounts", _account)):
            yield account

    async def delete(self, project: str, email: str) -> None:
        """Delete it; keys bound to it stop working."""

        async def on_repeat(problem: Problem) -> Any:
            return True if problem.cause is Cause.NOT_FOUND else None

        request = {"name": f"projects/{project}/serviceAccounts/{email}"}
        await self._grpc.call(IAM_ADMIN, "delete_service_account", request, project=project, write=True, on_repeat=on_repeat)

    async def _if_readable(self, project: str, email: str) -> ServiceAccount | None:
        """The account as it is now; None where it cannot be read, so that the first refusal stands."""
        try:
            return await self.get(project, email)
        except Problem:
            return None


def email_of(project: str, account_id: str) -> str:
    """The address an account of this id has. In a project id `domain:name` the parts change places (IAM documentation)."""
    domain, _, name = project.rpartition(":")
    return (
        f"{account_id}@{name}.{domain}.iam.gserviceaccount.com" if domain else f"{account_id}@{project}.iam.gserviceaccount.com"
    )


def _account(message: Any) -> ServiceAccount:
    return ServiceAccount(
        email=message.email,
        unique_id=message.unique_id,
        project=message.project_id,
        display_name=message.display_name,
        description=message.description,
        disabled=message.disabled,
    )


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role as IAM has it. `active` = False where it is deleted or disabled: it grants nothing then."""

    name: str
    permissions: frozenset[str]
    active: bool = True


class Roles:
    """Roles by full name, `projects/P/roles/R` or `organizations/N/roles/R`. Raises Problem."""

    def __init__(self, grpc: GrpcTransport) -> None:
        self._grpc = grpc

    async def get(self, name: str) -> RoleDefinition:
        """One role with its permissions (iam.roles.get)."""
        project = name.split("/")[1] if name.startswith("projects/") else None
        answer = await self._grpc.call(IAM_ADMIN, "get_role", {"name": name}, project=project)
        disabled = enum_name(answer.stage) == "DISABLED"
        return RoleDefinition(answer.name, frozenset(answer.included_permissions), active=not (answer.deleted or disabled))
