"""Resource Manager v3: projects, and the folders and organisations above them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from keyadmin.cloud.calls import pages
from keyadmin.cloud.endpoints import FOLDERS, ORGANIZATIONS, PROJECTS, RESOURCE_MANAGER, ApiCall, GrpcApi
from keyadmin.cloud.messages import enum_name, paging, stamp_moment, unpacked
from keyadmin.cloud.policies import VERSION, AllowPolicy, policy_from_json, policy_to_json
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.model.key_codec import parse_time
from keyadmin.model.loading import load
from keyadmin.model.problem import Cause, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.channels import GrpcTransport

PAGE: Final = 500
PERMISSIONS: Final = 100  # names a testIamPermissions call may ask for (facts: reported)
CREATION: Final = 300.0  # seconds that making a project may take
CONFLICTS: Final = 5  # how often a policy changed by somebody else meanwhile is read again


@dataclass(frozen=True, slots=True)
class Project:
    """A project. `number` as text; times are aware, UTC."""

    project_id: str
    number: str
    display_name: str = ""
    state: str = "ACTIVE"
    parent: str = ""
    create_time: datetime | None = None
    update_time: datetime | None = None
    delete_time: datetime | None = None
    etag: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Container:
    """A folder or an organisation: `name` = folders/N or organizations/N. An organisation's display name is its domain."""

    name: str
    display_name: str
    state: str = "ACTIVE"
    parent: str = ""


class Projects:
    """Projects by id or number. All methods raise Problem."""

    def __init__(
        self, rest: RestTransport, grpc: Callable[[], GrpcTransport], seen: MutableMapping[str, str] | None = None
    ) -> None:
        """`seen` gets the id and display name of each live project that any call tells of."""
        self._rest = rest
        self._door = grpc
        self._seen = {} if seen is None else seen

    @property
    def _grpc(self) -> GrpcTransport:
        return self._door()

    async def get(self, project: str, *, charged: bool = False) -> Project:
        """One project. A missing one and one without access look the same.

        `charged` = on the project's own account (serviceusage.services.use): a suspended one, which is shown as active,
        refuses that.
        """
        call = ApiCall(RESOURCE_MANAGER, "GetProject", project, charged=charged)
        return self._saw(_from_json(await self._rest.call(call, "GET", f"/v3/projects/{quote(project, safe=':')}")))

    def _saw(self, project: Project) -> Project:
        if project.state == "ACTIVE":
            self._seen[project.project_id] = project.display_name
        else:
            self._seen.pop(project.project_id, None)
        return project

    async def search(self, query: str = "") -> AsyncIterator[Project]:
        """Every project that the caller can get, narrowed by a query such as `state:ACTIVE`; eventually consistent."""
        call = ApiCall(RESOURCE_MANAGER, "SearchProjects")

        params = {"pageSize": str(PAGE), **({"query": query} if query else {})}
        async for project in self._rest.pages(call, "/v3/projects:search", "projects", _from_json, params):
            yield self._saw(project)

    async def list(self, parent: str, *, deleted: bool = False) -> AsyncIterator[Project]:
        """The direct children of `folders/N` or `organizations/N`."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._grpc.call(PROJECTS, "list_projects", asked)

        request = {"parent": parent, "show_deleted": deleted, "page_size": PAGE}
        async for project in pages(paging(call, request, "projects", _project)):
            yield self._saw(project)

    async def create(
        self, project_id: str, *, display_name: str = "", parent: str = "", labels: Mapping[str, str] | None = None
    ) -> Project:
        """A new project, once it exists. The id is chosen beforehand, so that a repeat cannot make a second one."""
        wanted = {"project_id": project_id, "display_name": display_name, "parent": parent, "labels": dict(labels or {})}

        async def on_repeat(problem: Problem) -> Project | None:
            if problem.cause is not Cause.ALREADY_EXISTS:
                return None
            found = await self._if_readable(project_id)
            same = found is not None and found.display_name == (display_name or project_id) and found.state == "ACTIVE"
            return found if same else None

        request = {"project": {name: value for name, value in wanted.items() if value}}
        return await self._changed("create_project", request, project_id, on_repeat, CREATION)

    async def rename(self, project: str, display_name: str) -> Project:
        """Give it another display name."""
        # unsourced: that UpdateProject takes a project's id for its number in `project.name`, as the other methods do.
        request = {
            "project": {"name": f"projects/{project}", "display_name": display_name},
            "update_mask": {"paths": ["display_name"]},
        }
        return await self._changed("update_project", request, project)

    async def delete(self, project: str) -> Project:
        """Mark it for deletion; it can be brought back for 30 days."""

        async def on_repeat(_: Problem) -> Project | None:
            found = await self._if_readable(project)
            return found if found is not None and found.state == "DELETE_REQUESTED" else None

        return await self._changed("delete_project", {"name": f"projects/{project}"}, project, on_repeat)

    async def undelete(self, project: str) -> Project:
        """Bring it back."""

        async def on_repeat(_: Problem) -> Project | None:
            found = await self._if_readable(project)
            return found if found is not None and found.state == "ACTIVE" else None

        return await self._changed("undelete_project", {"name": f"projects/{project}"}, project, on_repeat)

    async def _changed(
        self, method: str, request: dict[str, Any], project: str, on_repeat: Any = None, deadline: float | None = None
    ) -> Project:
        answer = await self._grpc.operate(PROJECTS, method, request, project=project, on_repeat=on_repeat, deadline=deadline)
        if isinstance(answer, Project):
            return answer
        return self._saw(_project(unpacked(answer, load(PROJECTS.module).Project)))

    async def _if_readable(self, project: str) -> Project | None:
        """The project as it is now; None where it cannot be read, so that the first refusal stands."""
        try:
            return await self.get(project)
        except Problem:
            return None

    async def test_permissions(self, project: str, names: Collection[str]) -> frozenset[str]:
        """Which of these the caller holds. A name that does not apply to projects makes the call invalid-argument."""
        return await self.permissions_on(f"projects/{project}", names)

    async def permissions_on(self, resource: str, names: Collection[str]) -> frozenset[str]:
        """The same for `projects/P`, `folders/N` or `organizations/N`."""
        asked = sorted(names)
        held: set[str] = set()
        for start in range(0, len(asked), PERMISSIONS):
            request = {"resource": resource, "permissions": asked[start : start + PERMISSIONS]}
            answer = await self._grpc.call(_api_of(resource), "test_iam_permissions", request, project=_project_of(resource))
            held.update(answer.permissions)
        return frozenset(held)

    async def ancestry(self, project: str) -> tuple[str, ...]:
        """What lies above a project, the nearest first: `folders/N` ..., `organizations/N` where it has one. One call."""
        call = ApiCall(RESOURCE_MANAGER, "GetAncestry", project)
        data = await self._rest.call(call, "POST", f"/v1/projects/{quote(project, safe=':')}:getAncestry", body={})
        found = [each.get("resourceId", {}) for each in data.get("ancestor", ())]
        return tuple(f"{each['type']}s/{each['id']}" for each in found if each.get("type") in ("folder", "organization"))

    async def get_policy(self, resource: str) -> AllowPolicy:
        """The allow policy of `projects/P`, `folders/N` or `organizations/N`, conditions included."""
        call = ApiCall(RESOURCE_MANAGER, "GetIamPolicy", _project_of(resource))
        asked = {"options": {"requestedPolicyVersion": VERSION}}
        return policy_from_json(await self._rest.call(call, "POST", f"{_path(resource)}:getIamPolicy", body=asked))

    async def set_policy(self, resource: str, policy: AllowPolicy) -> AllowPolicy:
        """Replace it. With its etag a policy changed meanwhile is refused (conflict)."""
        call = ApiCall(RESOURCE_MANAGER, "SetIamPolicy", _project_of(resource), write=True, repeatable=bool(policy.etag))
        asked = {"policy": policy_to_json(policy)}
        return policy_from_json(await self._rest.call(call, "POST", f"{_path(resource)}:setIamPolicy", body=asked))

    async def edit_policy(self, resource: str, change: Callable[[AllowPolicy], AllowPolicy]) -> AllowPolicy:
        """Read, `change`, write; again where somebody else wrote in between. Nothing is written if nothing changes."""
        for attempt in range(CONFLICTS):
            before = await self.get_policy(resource)
            after = change(before)
            if after == before:
                return before
            try:
                return await self.set_policy(resource, after)
            except Problem as problem:
                if problem.cause is not Cause.CONFLICT or attempt == CONFLICTS - 1:
                    raise
            await asyncio.sleep(random.uniform(0.05, 0.2) * 2**attempt)  # noqa: S311 (no secret)
        raise AssertionError("unreachable")


class Containers:
    """Folders or organisations."""

    def __init__(self, grpc: GrpcTransport, api: GrpcApi, kind: str) -> None:
        self._grpc = grpc
        self._api = api
        self._kind = kind  # "folder" or "organization"

    async def get(self, name: str) -> Container:
        """By `folders/N` or `organizations/N`."""
        return _container(await self._grpc.call(self._api, f"get_{self._kind}", {"name": name}))

    async def search(self, query: str = "") -> AsyncIterator[Container]:
        """Every one that the caller can get; `displayName=X` (folders) or `domain:X` (organisations) narrows it."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._grpc.call(self._api, f"search_{self._kind}s", asked)

        request = {"query": query, "page_size": PAGE}
        async for found in pages(paging(call, request, f"{self._kind}s", _container)):
            yield found

    async def list(self, parent: str) -> AsyncIterator[Container]:
        """The folders directly below; organisations have no parent to be listed by."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._grpc.call(self._api, f"list_{self._kind}s", asked)

        async for found in pages(paging(call, {"parent": parent, "page_size": PAGE}, f"{self._kind}s", _container)):
            yield found


def _from_json(data: Json) -> Project:
    return Project(
        project_id=data.get("projectId", ""),
        number=str(data.get("name", "")).rpartition("/")[2],
        display_name=data.get("displayName", ""),
        state=data.get("state", "STATE_UNSPECIFIED"),
        parent=data.get("parent", ""),
        create_time=parse_time(data.get("createTime")),
        update_time=parse_time(data.get("updateTime")),
        delete_time=parse_time(data.get("deleteTime")),
        etag=data.get("etag", ""),
        labels=data.get("labels", {}),
    )


def _project(message: Any) -> Project:
    """Read off the protobuf inside: proto-plus takes eight times as long, which counts over thousands of projects."""
    raw = type(message).pb(message)
    return Project(
        project_id=raw.project_id,
        number=raw.name.rpartition("/")[2],
        display_name=raw.display_name,
        state=_state(type(raw), raw.state),
        parent=raw.parent,
        create_time=_moment(raw, "create_time"),
        update_time=_moment(raw, "update_time"),
        delete_time=_moment(raw, "delete_time"),
        etag=raw.etag,
        labels=dict(raw.labels),
    )


def _state(kind: Any, value: int) -> str:
    """The state's name; one that the installed client does not know is given as its number."""
    known = kind.State.DESCRIPTOR.values_by_number.get(value)
    return str(known.name if known else value)


def _moment(raw: Any, name: str) -> datetime | None:
    return stamp_moment(getattr(raw, name)) if raw.HasField(name) else None


def _container(message: Any) -> Container:
    return Container(message.name, message.display_name, enum_name(message.state), getattr(message, "parent", ""))


def _path(resource: str) -> str:
    return f"/v3/{quote(resource, safe='/:')}"


def _api_of(resource: str) -> GrpcApi:
    apis = {"projects": PROJECTS, "folders": FOLDERS, "organizations": ORGANIZATIONS}
    kind, _, rest = resource.partition("/")
    if kind not in apis or not rest:
        raise usage(f"{resource} is not a project, folder or organisation (projects/P, folders/N, organizations/N)")
    return apis[kind]


def _project_of(resource: str) -> str | None:
    return resource.removeprefix("projects/") if resource.startswith("projects/") else None
