"""Who made a key, by the audit log of the real sandbox server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keyadmin.cloud.audit_logs import PERMISSION
from keyadmin.cloud.connect import Cloud, connect
from keyadmin.model.problem import Cause, Problem

PROJECT = "demo-project"


async def test_the_creators_of_several_keys_in_one_call(cloud: Cloud, sandbox: Any) -> None:
    keys = [await cloud.keys.create(PROJECT, name, display_name=name) for name in ("one", "two")]
    wanted = {key.name: key.create_time for key in keys}
    found = await cloud.audit_logs.creations([PROJECT], wanted)
    assert {name: made.who for name, made in found.items()} == dict.fromkeys(wanted, "owner@example.com")
    assert all(made.at is not None for made in found.values())
    seeded = await cloud.audit_logs.creations([PROJECT], {keys[0].name.replace("one", "other"): None})
    assert seeded == {}


async def test_pages_are_read_to_the_end(cloud: Cloud, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyadmin.cloud.audit_logs._PAGE", 1)
    keys = [await cloud.keys.create(PROJECT, f"key-{number}", display_name="x") for number in range(3)]
    found = await cloud.audit_logs.creations([PROJECT, "old-maps-site"], {key.name: key.create_time for key in keys})
    assert set(found) == {key.name for key in keys}


async def test_the_missing_permission_is_named(cloud: Cloud, sandbox: Any) -> None:
    async with connect(replace(sandbox.target, sandbox_user="stranger@example.com")) as other:
        with pytest.raises(Problem) as caught:
            await other.audit_logs.creations([PROJECT], {"projects/1/locations/global/keys/x": None})
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert caught.value.permission == PERMISSION
