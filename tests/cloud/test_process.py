"""What a process of its own shows: what is imported, and that nothing of a key string is logged."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import pytest

from keyadmin.cloud.connect import connect
from keyadmin.model.key import Key

LIST = """
import asyncio, sys
from keyadmin.cloud.connect import Target, Url, connect
early = sorted(set(name.partition(".")[0] for name in sys.modules) & {"google", "grpc", "aiohttp", "requests", "yarl", "typer"})
async def main():
    async with connect(Target(sandbox=Url(sys.argv[1]))) as cloud:
        print(len([key async for key in cloud.keys.list("old-maps-site")]))
asyncio.run(main())
print(early, sorted(name for name in sys.modules if name.startswith(("google.", "grpc", "requests", "typer"))))
"""

LOG = """
import asyncio, logging, sys
logging.basicConfig(level=logging.DEBUG)
from keyadmin.cloud.connect import Target, Url, connect
async def main():
    async with connect(Target(sandbox=Url(sys.argv[1]))) as cloud:
        key = await cloud.keys.create("old-maps-site", "loud", display_name="Loud")
        await cloud.keys.key_string(key.name)
        await cloud.keys.lookup(key.key_string)
        await cloud.keys.delete(key.name)
        await cloud.keys.undelete(key.name)
        print(key.key_string, repr(key), [key], f"{key.key_string}")
asyncio.run(main())
"""


async def run(code: str, *arguments: str, **environment: str) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


async def test_listing_keys_imports_no_google_package(sandbox: Any) -> None:
    out, _ = await run(LIST, sandbox.url)
    assert out == "1\n[] []\n"


@pytest.mark.parametrize("scope", ["google", "google.cloud.api_keys_v2"])
async def test_no_log_holds_a_key_string(scope: str, sandbox: Any) -> None:
    out, err = await run(LOG, sandbox.url, GOOGLE_SDK_PYTHON_LOGGING_SCOPE=scope)
    async with connect(sandbox.target) as cloud:
        secret = (await cloud.keys.key_string("projects/old-maps-site/locations/global/keys/loud")).reveal()
    assert "DEBUG:" in err  # logging is on; Google's libraries alone are silent
    assert secret not in out + err
    assert secret[-8:] not in out + err


async def test_a_thousand_projects_with_256_calls_in_flight(sandbox: Any) -> None:
    from keyadmin.cloud.pace import gather_limited

    await sandbox.control("seed", {"fleet": {"projects": 1000, "keysPerProject": 5}})
    async with connect(sandbox.target) as cloud:

        async def keys(number: int) -> list[Key]:
            return [key async for key in cloud.keys.list(f"fleet-{number:05}", deleted=True)]

        found = await gather_limited(range(1000), keys, 256)
    assert [len(each) for each in found] == [5] * 1000
