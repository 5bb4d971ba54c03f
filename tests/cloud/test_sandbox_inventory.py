"""Inventory and metrics against the real sandbox server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from keyadmin.cloud.assets import KEY
from keyadmin.cloud.assets import PROJECT as PROJECT_TYPE
from keyadmin.cloud.connect import Cloud, connect
from keyadmin.model.key import GEMINI, GEMINI_ONLY
from keyadmin.model.problem import Cause, Problem

PROJECT = "demo-project"


async def listed(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def test_one_search_finds_the_keys_of_many_projects(cloud: Cloud, sandbox: Any) -> None:
    keys = await listed(cloud.assets.search("organizations/1000", KEY))
    by_project = {key.parent.rpartition("/")[2] for key in keys}
    assert {"old-maps-site", "crowded-project"} <= by_project | {key.name.split("/")[4] for key in keys}
    assert {key.asset_type for key in keys} == {KEY}
    assert all(key.name.startswith("//apikeys.googleapis.com/projects/") for key in keys)
    projects = await listed(cloud.assets.search("folders/1001", PROJECT_TYPE))
    assert projects
    async with connect(replace(sandbox.target, sandbox_user="stranger@example.com")) as other:
        with pytest.raises(Problem) as caught:
            await listed(other.assets.search("organizations/1000", KEY))
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION


async def test_the_calls_of_a_key_are_counted_by_the_sandboxs_clock(cloud: Cloud, sandbox: Any) -> None:
    await cloud.services.enable(PROJECT, [GEMINI])
    account = await cloud.service_accounts.create(PROJECT, "keyadmin-gemini")
    used, idle = [
        await cloud.keys.create(PROJECT, name, display_name=name, restrictions=GEMINI_ONLY, service_account_email=account.email)
        for name in ("used", "idle")
    ]
    assert used.key_string is not None
    await sandbox.control("clock", {"advance": "10d"})
    for _ in range(3):
        await cloud.gemini.check(used.key_string)
    assert list(await cloud.usage.of_project(PROJECT)) == [], "keyadmin's own checks are nobody's use"
    (usage,) = await cloud.usage.by_method(PROJECT)
    assert (usage.uid, usage.service, usage.calls) == (used.uid, GEMINI, 3)
    assert usage.uid != idle.uid
    async with connect(replace(sandbox.target, sandbox_user="stranger@example.com")) as other:
        with pytest.raises(Problem) as caught:
            await other.usage.of_project(PROJECT)
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert caught.value.permission == "monitoring.timeSeries.list"
