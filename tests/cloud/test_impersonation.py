"""A service account's place taken: what Google is asked for it, and a refusal told as what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from keyadmin.cloud.connect import Target, connect
from keyadmin.model.problem import Cause, Problem

NAME = "projects/p1/locations/global/keys/k1"
ROBOT = "maker@p1.iam.gserviceaccount.com"
ASKED = f"POST /v1/projects/-/serviceAccounts/{ROBOT}:generateAccessToken"


@pytest.fixture
def through_proxy(proxy: Any, monkeypatch: pytest.MonkeyPatch, user_credentials: Callable[..., None]) -> None:
    """Google's own host names, led to the double by the proxy: impersonation cannot be pointed elsewhere."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy[1]}")
    user_credentials(quota_project_id="paying-project")


@pytest.mark.usefixtures("through_proxy")
async def test_calls_carry_the_service_accounts_token(double: Any, target: Target, key_rpc: str) -> None:
    async with connect(replace(target, endpoints=None, impersonate=ROBOT)) as cloud:
        assert cloud.caller.kind == "impersonated"
        assert cloud.caller.principal == ROBOT
        assert cloud.caller.impersonating == ROBOT
        assert cloud.caller.quota_project is None
        await cloud.keys.get(NAME)
        await cloud.keys.key_string(NAME)
    (asked,) = double.calls(ASKED)
    assert asked.headers["authorization"] == "Bearer token-1"
    assert asked.body["scope"] == ["https://www.googleapis.com/auth/cloud-platform"]
    for seen in (*double.calls(f"GET /v2/{NAME}"), *double.calls(key_rpc)):
        assert seen.headers["authorization"] == "Bearer impersonated-2"
        assert "x-goog-user-project" not in seen.headers


@pytest.mark.usefixtures("through_proxy")
async def test_a_refused_impersonation_names_the_permission(double: Any, target: Target) -> None:
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "IAM_PERMISSION_DENIED",
            "domain": "iam.googleapis.com",
            "metadata": {"permission": "iam.serviceAccounts.getAccessToken"},
        }
    ]
    error = {"code": 403, "status": "PERMISSION_DENIED", "message": "Permission denied on resource.", "details": details}
    double.script[ASKED].append((403, {"error": error}))
    async with connect(replace(target, endpoints=None, impersonate=ROBOT)) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.get(NAME)
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert caught.value.permission == "iam.serviceAccounts.getAccessToken"
