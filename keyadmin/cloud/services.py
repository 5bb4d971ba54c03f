"""Service Usage v1: which APIs are on in a project, and turning them on and off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final, Literal

from keyadmin.cloud.calls import pages
from keyadmin.cloud.channels import GrpcTransport
from keyadmin.cloud.endpoints import SERVICES
from keyadmin.cloud.messages import enum_name, paging, unpacked
from keyadmin.model.loading import load
from keyadmin.model.problem import Cause, Problem

ServiceState = Literal["ENABLED", "DISABLED"]

PAGE: Final = 200  # the API's own maximum
BATCH_GET: Final = 30  # names a batchGet may hold (discovery document)
BATCH_ENABLE: Final = 20  # services a batchEnable may hold (discovery document)


class Services:
    """Services by their host name, such as generativelanguage.googleapis.com. All methods raise Problem."""

    def __init__(self, grpc: GrpcTransport) -> None:
        self._grpc = grpc

    async def states(self, project: str, names: Collection[str], *, uncharged: bool = False) -> dict[str, ServiceState]:
        """Whether each is on. `uncharged` = no quota project is named."""
        asked = sorted(set(names))
        found: dict[str, ServiceState] = {}
        for start in range(0, len(asked), BATCH_GET):
            batch = [f"projects/{project}/services/{name}" for name in asked[start : start + BATCH_GET]]
            answer = await self._grpc.call(
                SERVICES,
                "batch_get_services",
                {"parent": f"projects/{project}", "names": batch},
                project=project,
                uncharged=uncharged,
            )
            for service in answer.services:
                found[_name(service)] = "ENABLED" if enum_name(service.state) == "ENABLED" else "DISABLED"
        return found

    async def enabled(self, project: str) -> AsyncIterator[str]:
        """Every service that is on."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._grpc.call(SERVICES, "list_services", asked, project=project)

        request = {"parent": f"projects/{project}", "filter": "state:ENABLED", "page_size": PAGE}
        async for name in pages(paging(call, request, "services", _name)):
            yield name

    async def enable(self, project: str, names: Sequence[str], *, uncharged: bool = False) -> None:
        """Turn them on; those that are on already stay so. `uncharged` = no quota project is named."""
        for start in range(0, len(names), BATCH_ENABLE):
            batch = list(names[start : start + BATCH_ENABLE])
            if len(batch) == 1:
                request: dict[str, Any] = {"name": f"projects/{project}/services/{batch[0]}"}
                await self._grpc.operate(SERVICES, "enable_service", request, project=project, uncharged=uncharged)
            else:
                request = {"parent": f"projects/{project}", "service_ids": batch}
                done = await self._grpc.operate(
                    SERVICES, "batch_enable_services", request, project=project, uncharged=uncharged
                )
                _all_enabled(done, project)

    async def disable(self, project: str, name: str, *, dependents: bool = False) -> None:
        """Turn it off. Refused where another service needs it, unless `dependents` are to go with it."""

        async def on_repeat(_: Problem) -> Any:
            return (await self.states(project, [name])).get(name) == "DISABLED" or None

        request = {"name": f"projects/{project}/services/{name}", "disable_dependent_services": dependents}
        await self._grpc.operate(SERVICES, "disable_service", request, project=project, on_repeat=on_repeat)


def _all_enabled(packed: Any, project: str) -> None:
    kind = load(SERVICES.module).BatchEnableServicesResponse
    failures = unpacked(packed, kind).failures if packed is not None else ()
    if failures:
        said = "; ".join(f"{failure.service_id}: {failure.error_message}" for failure in failures)
        raise Problem(
            Cause.UNKNOWN, f"not every service could be enabled: {said}", service=failures[0].service_id, project=project
        )


def _name(service: Any) -> str:
    return str(service.name).rpartition("/")[2]
