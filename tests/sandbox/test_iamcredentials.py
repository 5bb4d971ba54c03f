"""IAM Credentials v1 as Google's client and google-auth's impersonation call it; its tokens are taken by the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from google.auth import impersonated_credentials
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import api_keys_v2, iam_credentials_v1
from google.oauth2.credentials import Credentials

from .clients import async_client, bearer, discovered, grpc_client, refused, rest_client
from .conftest import Running

SCOPE = ["https://www.googleapis.com/auth/cloud-platform"]
CREATOR = "roles/iam.serviceAccountTokenCreator"


def _email(account_id: str) -> str:
    return f"{account_id}@demo-project.iam.gserviceaccount.com"


ROBOT = _email("robot-one")
NAME = f"projects/-/serviceAccounts/{ROBOT}"


@pytest.fixture
def prepared(sandbox: Running) -> Running:
    """friend@ may have tokens of demo-project's accounts; robot-one may list keys."""
    iam = {
        CREATOR: ["user:friend@example.com"],
        "roles/serviceusage.apiKeysViewer": [f"serviceAccount:{ROBOT}"],
        "roles/owner": ["user:owner@example.com"],
    }
    project = {"projectId": "demo-project", "serviceAccounts": ["robot-one", "robot-two", "robot-three"], "iam": iam}
    sandbox.control("seed", {"projects": [project]})
    return sandbox


@pytest.fixture(params=[pytest.param(grpc_client, id="grpc"), pytest.param(rest_client, id="rest")])
def client(request: pytest.FixtureRequest, prepared: Running) -> Any:
    return request.param(iam_credentials_v1.IAMCredentialsClient, prepared)


def _token(client: Any, caller: str = "friend@example.com", **fields: Any) -> Any:
    return client.generate_access_token(request={"name": NAME, "scope": SCOPE} | fields, metadata=bearer(caller))


def test_the_token_is_a_bearer_of_the_sandbox(client: Any, prepared: Running) -> None:
    answer = _token(client, lifetime={"seconds": 600})
    left = answer.expire_time - datetime.now(UTC)
    assert timedelta(seconds=300) < left <= timedelta(seconds=600)
    keys = grpc_client(api_keys_v2.ApiKeysClient, prepared)
    parent = "projects/demo-project/locations/global"
    assert list(keys.list_keys(parent=parent, metadata=bearer(answer.access_token))) == []
    with refused(PermissionDenied):
        keys.list_keys(parent=parent, metadata=bearer("friend@example.com"))


def test_it_lasts_an_hour_and_never_longer(client: Any) -> None:
    assert timedelta(minutes=50) < _token(client).expire_time - datetime.now(UTC) <= timedelta(hours=1)
    with refused(InvalidArgument, "3600"):
        _token(client, lifetime={"seconds": 3601})


async def test_asyncio_client(prepared: Running) -> None:
    client = async_client(iam_credentials_v1.IAMCredentialsAsyncClient, prepared)
    request = {"name": NAME, "scope": SCOPE}
    answer = await client.generate_access_token(request=request, metadata=bearer("friend@example.com"))
    assert answer.access_token == ROBOT


def test_owners_may_not(client: Any) -> None:
    with refused(
        PermissionDenied,
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        reason="IAM_PERMISSION_DENIED",
    ) as caught:
        _token(client, "owner@example.com")
    assert caught.value.metadata == {"permission": "iam.serviceAccounts.getAccessToken"}


def test_missing_accounts(client: Any) -> None:
    missing = {"name": f"projects/-/serviceAccounts/{_email('no-such-robot')}"}
    with refused(NotFound, "Gaia id not found for email no-such-robot@"):
        _token(client, **missing)
    with refused(PermissionDenied, "may not exist"):
        _token(client, "stranger@example.com", **missing)


def test_the_request_is_checked(client: Any) -> None:
    with refused(InvalidArgument, "Scope"):
        _token(client, scope=[])
    with refused(InvalidArgument, "wildcard"):
        _token(client, name=f"projects/demo-project/serviceAccounts/{ROBOT}")


def test_delegates_vouch_one_for_the_next(client: Any, prepared: Running) -> None:
    two, three = (f"projects/-/serviceAccounts/{_email(name)}" for name in ("robot-two", "robot-three"))
    with refused(PermissionDenied):
        _token(client, delegates=[two, three])
    services = discovered("iam", "v1", prepared).projects().serviceAccounts()
    for target, member in ((three, "robot-two"), (NAME, "robot-three")):
        policy = {"bindings": [{"role": CREATOR, "members": [f"serviceAccount:{_email(member)}"]}]}
        services.setIamPolicy(resource=target, body={"policy": policy}).execute()
    assert _token(client, delegates=[two, three]).access_token == ROBOT


def test_disabled_accounts_give_no_token(client: Any, prepared: Running) -> None:
    discovered("iam", "v1", prepared).projects().serviceAccounts().disable(name=NAME).execute()
    with refused(FailedPrecondition, "disabled"):
        _token(client)


def test_new_accounts_are_not_known_at_once(client: Any, prepared: Running) -> None:
    prepared.control("propagation", {"serviceAccount": "5s"})
    accounts = discovered("iam", "v1", prepared).projects().serviceAccounts()
    accounts.create(name="projects/demo-project", body={"accountId": "robot-new"}).execute()
    with refused(NotFound):
        _token(client, name=f"projects/-/serviceAccounts/{_email('robot-new')}")
    prepared.control("clock", {"advance": "5s"})
    assert _token(client, name=f"projects/-/serviceAccounts/{_email('robot-new')}").access_token == _email("robot-new")


def _impersonated(sandbox: Running, caller: str) -> Any:
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source_credentials=Credentials(token=caller),  # type: ignore[no-untyped-call]
        target_principal=ROBOT,
        target_scopes=SCOPE,
        iam_endpoint_override=f"{sandbox.rest}/v1/{NAME}:generateAccessToken",
    )


def test_google_auth_impersonates(prepared: Running) -> None:
    session = AuthorizedSession(_impersonated(prepared, "friend@example.com"))  # type: ignore[no-untyped-call]
    answer = session.get(f"{prepared.rest}/v2/projects/demo-project/locations/global/keys", timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"keys": []})
    assert prepared.control("requests")[-1]["principal"] == ROBOT


def test_google_auth_is_refused(prepared: Running) -> None:
    with pytest.raises(RefreshError) as caught:
        _impersonated(prepared, "stranger@example.com").refresh(Request())  # type: ignore[no-untyped-call]
    assert "iam.serviceAccounts.getAccessToken" in str(caught.value)
