"""IAM admin v1: service accounts, and what custom roles hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from keyadmin.cloud.endpoints import IAM, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
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

    def __init__(self, rest: RestTransport) -> None:
        self._rest = rest

    async def create(self, project: str, account_id: str, display_name: str = "") -> ServiceAccount:
        """A new one, `{account_id}@{project}.iam.gserviceaccount.com`. Reads may miss it for some seconds."""

        async def on_repeat(problem: Problem) -> Json | None:
            if problem.cause is not Cause.ALREADY_EXISTS:
                return None
            found = await self._if_readable(project, email_of(project, account_id))
            return found if found is not None and found.get("displayName", "") == display_name else None

        call = ApiCall(IAM, "CreateServiceAccount", project, write=True)
        body = {"accountId": account_id, "serviceAccount": {"displayName": display_name}}
        path = f"{_path(project)}/serviceAccounts"
        return _account(await self._rest.call(call, "POST", path, body=body, on_repeat=on_repeat))

    async def get(self, project: str, email: str) -> ServiceAccount:
        """By e-mail address or unique id."""
        return _account(await self._read(project, email))

    async def list(self, project: str) -> AsyncIterator[ServiceAccount]:
        """All of a project."""

        call = ApiCall(IAM, "ListServiceAccounts", project)
        path, params = f"{_path(project)}/serviceAccounts", {"pageSize": str(PAGE)}
        async for account in self._rest.pages(call, path, "accounts", _account, params):
            yield account

    async def delete(self, project: str, email: str) -> None:
        """Delete it; keys bound to it stop working."""

        async def on_repeat(problem: Problem) -> Any:
            return True if problem.cause is Cause.NOT_FOUND else None

        call = ApiCall(IAM, "DeleteServiceAccount", project, write=True)
        await self._rest.call(call, "DELETE", _account_path(project, email), on_repeat=on_repeat)

    async def _read(self, project: str, email: str) -> Json:
        return await self._rest.call(ApiCall(IAM, "GetServiceAccount", project), "GET", _account_path(project, email))

    async def _if_readable(self, project: str, email: str) -> Json | None:
        """The account as it is now; None where it cannot be read, so that the first refusal stands."""
        try:
            return await self._read(project, email)
        except Problem:
            return None


def email_of(project: str, account_id: str) -> str:
    """The address an account of this id has. In a project id `domain:name` the parts change places (IAM documentation)."""
    domain, _, name = project.rpartition(":")
    return (
        f"{account_id}@{name}.{domain}.iam.gserviceaccount.com" if domain else f"{account_id}@{project}.iam.gserviceaccount.com"
    )


def _path(project: str) -> str:
    return f"/v1/projects/{quote(project, safe=':')}"


def _account_path(project: str, email: str) -> str:
    return f"{_path(project)}/serviceAccounts/{quote(email, safe='@')}"


def _account(data: Json) -> ServiceAccount:
    return ServiceAccount(
        email=data.get("email", ""),
        unique_id=data.get("uniqueId", ""),
        project=data.get("projectId", ""),
        display_name=data.get("displayName", ""),
        description=data.get("description", ""),
        disabled=data.get("disabled", False),
    )


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role as IAM has it. `active` = False where it is deleted or disabled: it grants nothing then."""

    name: str
    permissions: frozenset[str]
    active: bool = True


class Roles:
    """Roles by full name, `projects/P/roles/R` or `organizations/N/roles/R`. Raises Problem."""

    def __init__(self, rest: RestTransport) -> None:
        self._rest = rest

    async def get(self, name: str) -> RoleDefinition:
        """One role with its permissions (iam.roles.get)."""
        project = name.split("/")[1] if name.startswith("projects/") else None
        answer = await self._rest.call(ApiCall(IAM, "GetRole", project), "GET", f"/v1/{quote(name, safe='/:')}")
        active = not (answer.get("deleted") or answer.get("stage") == "DISABLED")
        return RoleDefinition(answer.get("name", ""), frozenset(answer.get("includedPermissions", ())), active=active)
