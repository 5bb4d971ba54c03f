"""Service Usage v1 through Google's own client: gRPC, asyncio gRPC and its REST transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import Aborted, Conflict, FailedPrecondition, InvalidArgument, PermissionDenied
from google.cloud import service_usage_v1
from google.cloud.service_usage_v1 import BatchEnableServicesRequest, DisableServiceRequest, State

from .clients import async_client, bearer, grpc_client, refused, rest_client
from .conftest import Running

GEMINI = "generativelanguage.googleapis.com"
MAPS = "maps-backend.googleapis.com"
DEMO = "projects/demo-project"
NUMBER = "projects/100000000001"
CLIENTS = [pytest.param(grpc_client, id="grpc"), pytest.param(rest_client, id="rest")]


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    return request.param(service_usage_v1.ServiceUsageClient, sandbox)


def _names(services: Any) -> list[str]:
    return [service.config.name for service in services]


def test_enable_makes_a_service_enabled_with_names_by_number(client: Any) -> None:
    operation = client.enable_service(request={"name": f"{DEMO}/services/{GEMINI}"})
    assert operation.operation.name.startswith("operations/acf.p2-100000000001-")
    assert not operation.operation.done
    service = operation.result(timeout=60).service
    assert (service.name, service.state) == (f"{NUMBER}/services/{GEMINI}", State.ENABLED)
    assert list(operation.metadata.resource_names) == [f"{NUMBER}/services/{GEMINI}"]
    got = client.get_service(request={"name": f"{NUMBER}/services/{GEMINI}"})
    assert (got.state, got.parent, got.config.title) == (State.ENABLED, NUMBER, "Generative Language API")


def test_enabling_again_is_done_at_once(client: Any) -> None:
    name = f"{DEMO}/services/{GEMINI}"
    client.enable_service(request={"name": name}).result(timeout=60)
    again = client.enable_service(request={"name": name})
    assert again.operation.name == "operations/noop.DONE_OPERATION"
    assert again.operation.done
    assert again.result(timeout=60).service.state == State.ENABLED


async def test_asyncio_client_enables_lists_and_disables(sandbox: Running) -> None:
    client = async_client(service_usage_v1.ServiceUsageAsyncClient, sandbox)
    operation = await client.batch_enable_services(request={"parent": DEMO, "service_ids": [GEMINI, "apikeys.googleapis.com"]})
    assert _names((await operation.result(timeout=60)).services) == [GEMINI, "apikeys.googleapis.com"]
    pager = await client.list_services(request={"parent": DEMO, "filter": "state:ENABLED"})
    assert [service.config.name async for service in pager] == ["apikeys.googleapis.com", GEMINI]
    operation = await client.disable_service(request={"name": f"{DEMO}/services/{GEMINI}"})
    assert (await operation.result(timeout=60)).service.state == State.DISABLED
    pager = await client.list_services(request={"parent": DEMO, "filter": "state:ENABLED"})
    assert [service.config.name async for service in pager] == ["apikeys.googleapis.com"]


def test_list_has_the_whole_catalogue_in_pages(client: Any) -> None:
    pages = list(client.list_services(request={"parent": "projects/old-maps-site", "page_size": 200}).pages)
    assert [len(page.services) for page in pages[:2]] == [200, 200]
    services = [service for page in pages for service in page.services]
    names = _names(services)
    assert names == sorted(set(names))
    assert {"maps-backend.googleapis.com", GEMINI, "compute.googleapis.com"} <= set(names)
    on = {service.config.name for service in services if service.state == State.ENABLED}
    listed = client.list_services(request={"parent": "projects/old-maps-site", "filter": "state:ENABLED"})
    assert on == set(_names(listed))
    off = client.list_services(request={"parent": "projects/old-maps-site", "filter": "state:DISABLED", "page_size": 100})
    assert set(_names(off)) == set(names) - on


def test_list_takes_fifty_by_default_and_two_hundred_at_most(client: Any) -> None:
    assert len(next(iter(client.list_services(request={"parent": DEMO}).pages)).services) == 50
    assert len(next(iter(client.list_services(request={"parent": DEMO, "page_size": 5000}).pages)).services) == 200


def test_list_refuses_other_filters_and_foreign_tokens(client: Any) -> None:
    with refused(InvalidArgument, "state:ENABLED"):
        list(client.list_services(request={"parent": DEMO, "filter": "config.name:x"}))
    token = next(iter(client.list_services(request={"parent": DEMO, "page_size": 2}).pages)).next_page_token
    with refused(InvalidArgument, "page token"):
        list(client.list_services(request={"parent": NUMBER, "page_token": token}))


def test_batch_get_keeps_the_order_and_tells_what_is_off(client: Any) -> None:
    client.enable_service(request={"name": f"{DEMO}/services/{GEMINI}"}).result(timeout=60)
    names = [f"{DEMO}/services/{GEMINI}", f"{NUMBER}/services/compute.googleapis.com"]
    answer = client.batch_get_services(request={"parent": DEMO, "names": names})
    assert [(s.config.name, s.state) for s in answer.services] == [
        (GEMINI, State.ENABLED),
        ("compute.googleapis.com", State.DISABLED),
    ]


def test_batches_have_limits(client: Any) -> None:
    names = [f"{DEMO}/services/{GEMINI}"]
    client.batch_get_services(request={"parent": DEMO, "names": names * 30})
    with refused(InvalidArgument, "30"):
        client.batch_get_services(request={"parent": DEMO, "names": names * 31})
    with refused(InvalidArgument, reason="SU_MISSING_NAMES"):
        client.batch_get_services(request={"parent": DEMO, "names": []})
    with refused(InvalidArgument, "does not belong"):
        client.batch_get_services(request={"parent": DEMO, "names": [f"projects/old-maps-site/services/{GEMINI}"]})
    listed = _names(next(iter(client.list_services(request={"parent": DEMO, "page_size": 21}).pages)).services)
    with refused(InvalidArgument, "20"):
        client.batch_enable_services(request=BatchEnableServicesRequest(parent=DEMO, service_ids=listed))
    assert list(client.list_services(request={"parent": DEMO, "filter": "state:ENABLED"})) == []


def test_unknown_services_are_refused_and_nothing_of_the_batch_is_enabled(client: Any) -> None:
    with refused(
        PermissionDenied,
        "Not found or permission denied for service(s): gemini.googleapis.com.",
        reason="SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
    ) as caught:
        client.batch_enable_services(request={"parent": DEMO, "service_ids": [GEMINI, "gemini.googleapis.com"]})
    assert caught.value.metadata == {"services": "gemini.googleapis.com"}
    for call in (client.get_service, client.enable_service, client.disable_service):
        with refused(PermissionDenied, reason="SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED"):
            call(request={"name": f"{DEMO}/services/gemini.googleapis.com"})
    assert list(client.list_services(request={"parent": DEMO, "filter": "state:ENABLED"})) == []


@pytest.mark.parametrize(
    ("permission", "call", "words"),
    [
        (
            "serviceusage.services.enable",
            lambda c, m: c.enable_service(request={"name": f"{DEMO}/services/{GEMINI}"}, metadata=m),
            f"Permission denied to enable service [{GEMINI}]",
        ),
        (
            "serviceusage.services.enable",
            lambda c, m: c.batch_enable_services(request={"parent": DEMO, "service_ids": [GEMINI]}, metadata=m),
            f"Permission denied to enable service [{GEMINI}]",
        ),
        (
            "serviceusage.services.disable",
            lambda c, m: c.disable_service(request={"name": f"{DEMO}/services/{GEMINI}"}, metadata=m),
            f"Permission denied to disable service [{GEMINI}]",
        ),
        (
            "serviceusage.services.get",
            lambda c, m: c.get_service(request={"name": f"{DEMO}/services/{GEMINI}"}, metadata=m),
            f"Permission denied to get service [{GEMINI}]",
        ),
        (
            "serviceusage.services.get",
            lambda c, m: c.batch_get_services(request={"parent": DEMO, "names": [f"{DEMO}/services/{GEMINI}"]}, metadata=m),
            f"Permission denied to get service [{GEMINI}]",
        ),
        (
            "serviceusage.services.list",
            lambda c, m: list(c.list_services(request={"parent": DEMO}, metadata=m)),
            f"Permission denied to list services for consumer container [{NUMBER}]",
        ),
    ],
)
def test_each_method_needs_its_permission(
    client: Any, sandbox: Running, permission: str, call: Callable[[Any, Any], Any], words: str
) -> None:
    with refused(PermissionDenied, words, "Help Token", reason="AUTH_PERMISSION_DENIED") as caught:
        call(client, bearer("stranger@example.com"))
    assert caught.value.domain == "serviceusage.googleapis.com"
    assert caught.value.metadata == {
        "permission": permission,
        "resource": "demo-project",
        "service": "serviceusage.googleapis.com",
    }
    role = "projects/demo-project/roles/justThat"
    sandbox.control(
        "seed",
        {
            "customRoles": {role: [permission]},
            "projects": [{"projectId": "demo-project", "iam": {role: ["user:stranger@example.com"]}}],
        },
    )
    call(client, bearer("stranger@example.com"))


def test_a_missing_project_is_told_apart(client: Any) -> None:
    with refused(
        PermissionDenied, "Project 'no-such-project' not found or permission denied.", reason="RESOURCES_NOT_FOUND"
    ) as caught:
        client.enable_service(request={"name": f"projects/no-such-project/services/{GEMINI}"})
    assert caught.value.metadata == {"type": "Project", "resource_id": "no-such-project"}


def test_what_a_service_needs_comes_with_it_and_keeps_it_from_being_disabled(client: Any) -> None:
    client.enable_service(request={"name": f"{DEMO}/services/container.googleapis.com"}).result(timeout=60)
    on = _names(client.list_services(request={"parent": DEMO, "filter": "state:ENABLED"}))
    assert on == ["compute.googleapis.com", "container.googleapis.com", "oslogin.googleapis.com"]
    compute = f"{DEMO}/services/compute.googleapis.com"
    with refused(
        FailedPrecondition,
        "depended on by the following active service(s): container.googleapis.com; Please specify",
        reason="COMMON_SU_SERVICE_HAS_DEPENDENT_SERVICES",
    ):
        client.disable_service(request={"name": compute})
    client.disable_service(request={"name": compute, "disable_dependent_services": True}).result(timeout=60)
    on = _names(client.list_services(request={"parent": DEMO, "filter": "state:ENABLED"}))
    assert on == ["oslogin.googleapis.com"]


def test_a_service_in_use_is_disabled_only_without_the_check(client: Any) -> None:
    name = f"projects/old-maps-site/services/{MAPS}"  # its key was used yesterday
    check = DisableServiceRequest.CheckIfServiceHasUsage
    with refused(
        FailedPrecondition,
        f"The service {MAPS} has usage in the last 30 days.",
        reason="COMMON_SU_SERVICE_HAS_USAGE",
    ):
        client.disable_service(request={"name": name, "check_if_service_has_usage": check.CHECK})
    assert client.get_service(request={"name": name}).state == State.ENABLED
    client.disable_service(request={"name": name, "check_if_service_has_usage": check.SKIP}).result(timeout=60)
    assert client.get_service(request={"name": name}).state == State.DISABLED


def test_usage_older_than_thirty_days_does_not_count(client: Any, sandbox: Running) -> None:
    sandbox.control("clock", {"advance": "30d"})
    name = f"projects/old-maps-site/services/{MAPS}"
    client.disable_service(request={"name": name, "check_if_service_has_usage": "CHECK"}).result(timeout=60)
    assert client.get_service(request={"name": name}).state == State.DISABLED


def test_disabling_what_is_off_is_done_at_once(client: Any) -> None:
    operation = client.disable_service(request={"name": f"{DEMO}/services/{GEMINI}"})
    assert operation.operation.name == "operations/noop.DONE_OPERATION"
    assert operation.result(timeout=60).service.state == State.DISABLED


def test_a_project_that_is_not_active_is_left_alone(client: Any) -> None:
    for call in (client.enable_service, client.disable_service):
        with refused(PermissionDenied, "has been suspended"):
            call(request={"name": f"projects/suspended-project/services/{GEMINI}"})


def test_what_is_done_at_once_has_no_operation_to_poll_or_to_fail(client: Any, sandbox: Running) -> None:
    name = f"{DEMO}/services/{GEMINI}"
    client.enable_service(request={"name": name}).result(timeout=60)
    with refused(InvalidArgument):
        client.transport.operations_client.get_operation("operations/noop.DONE_OPERATION")
    sandbox.control("faults", {"method": "EnableService", "code": "ABORTED", "when": "operation", "times": 2})
    for _ in range(2):
        with refused(Aborted):
            client.enable_service(request={"name": name})


def test_the_operation_fails_on_demand_and_changes_nothing(client: Any, sandbox: Running) -> None:
    sandbox.control("faults", {"method": "EnableService", "code": "ABORTED", "when": "operation"})
    operation = client.enable_service(request={"name": f"{DEMO}/services/{GEMINI}"})
    with pytest.raises(Conflict):
        operation.result(timeout=60)
    assert client.get_service(request={"name": f"{DEMO}/services/{GEMINI}"}).state == State.DISABLED


def test_a_service_just_enabled_is_shown_so_but_answers_disabled_for_a_while(client: Any, sandbox: Running) -> None:
    from google.cloud import api_keys_v2

    sandbox.control("propagation", {"service": "60s"})
    client.enable_service(request={"name": f"{DEMO}/services/apikeys.googleapis.com"}).result(timeout=60)
    assert client.get_service(request={"name": f"{DEMO}/services/apikeys.googleapis.com"}).state == State.ENABLED
    keys = grpc_client(api_keys_v2.ApiKeysClient, sandbox)
    charged = [("x-goog-user-project", "demo-project")]
    with refused(PermissionDenied, reason="SERVICE_DISABLED"):
        keys.list_keys(parent=f"{DEMO}/locations/global", metadata=charged)
    sandbox.control("clock", {"advance": "61s"})
    assert list(keys.list_keys(parent=f"{DEMO}/locations/global", metadata=charged)) == []


def test_the_catalogue_has_every_service_that_keyadmin_takes_for_one() -> None:
    from keyadmin.keys.services import known
    from keyadmin.sandbox.services.serviceusage import catalogue as service_catalogue

    assert set(service_catalogue.names()) == known()
    assert all(service_catalogue.config(name)["title"] for name in known())
