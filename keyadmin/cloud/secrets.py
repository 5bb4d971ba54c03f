"""Secret Manager v1, as far as handing a key over goes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from keyadmin.cloud.endpoints import SECRET_MANAGER, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.cloud.sandbox_key_guard import check_marker
from keyadmin.model.key_codec import parse_time
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

PAGE: Final = 250


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """A version of a secret, without its value. `state`: ENABLED, DISABLED or DESTROYED."""

    name: str
    state: str
    create_time: datetime | None = None


class Secrets:
    """Secrets by full name, `projects/P/secrets/S`. All methods raise Problem."""

    def __init__(self, rest: RestTransport, *, sandbox: bool) -> None:
        self._rest = rest
        self._sandbox = sandbox

    async def exists(self, name: str) -> bool:
        """Whether the secret is there. No access is a Problem, not False."""
        try:
            await self._call("GetSecret", "GET", name)
        except Problem as problem:
            if problem.cause is Cause.NOT_FOUND:
                return False
            raise
        return True

    async def test_permissions(self, name: str, names: Collection[str]) -> frozenset[str]:
        """Which of these permissions the caller holds on the secret; of a secret that is not there none."""
        answer = await self._call("TestIamPermissions", "POST", f"{name}:testIamPermissions", body={"permissions": list(names)})
        return frozenset(answer.get("permissions", ()))

    async def create(self, name: str) -> None:
        """Make an empty secret, replicated automatically; one that is there already is left as it is."""
        parent, _, secret_id = name.partition("/secrets/")
        body: Json = {"replication": {"automatic": {}}}
        params = {"secretId": secret_id}
        try:
            await self._call("CreateSecret", "POST", f"{parent}/secrets", body=body, params=params, write=True)
        except Problem as problem:
            if problem.cause is not Cause.ALREADY_EXISTS:
                raise

    async def add_version(self, name: str, value: KeyString) -> str:
        """Add a version and return its name. Not repeated after a lost answer: that would add a second one."""
        check_marker(value, sandbox=self._sandbox)
        data = value.reveal().encode()
        body = {"payload": {"data": b64encode(data).decode(), "dataCrc32c": str(crc32c(data))}}
        path = f"{name}:addVersion"
        return str((await self._call("AddSecretVersion", "POST", path, body=body, write=True, repeatable=False))["name"])

    async def access(self, name: str, version: str = "latest") -> KeyString | None:
        """The value of a version, or None where there is none (yet)."""
        try:
            answer = await self._call("AccessSecretVersion", "GET", f"{name}/versions/{version}:access")
        except Problem as problem:
            if problem.cause is Cause.NOT_FOUND:
                return None
            raise
        return KeyString(b64decode(answer["payload"].get("data", "")).decode("utf-8", "replace"))

    async def versions(self, name: str) -> AsyncIterator[SecretVersion]:
        """All versions, the newest first."""

        call = ApiCall(SECRET_MANAGER, "ListSecretVersions", _project(name))
        params = {"pageSize": str(PAGE)}
        async for version in self._rest.pages(call, _path(f"{name}/versions"), "versions", _version, params):
            yield version

    async def disable_version(self, version: str) -> SecretVersion:
        """Disable `projects/P/secrets/S/versions/N`; it can be enabled again."""
        return _version(await self._call("DisableSecretVersion", "POST", f"{version}:disable", body={}, write=True))

    async def enable_version(self, version: str) -> SecretVersion:
        """Enable a version that was disabled."""
        return _version(await self._call("EnableSecretVersion", "POST", f"{version}:enable", body={}, write=True))

    async def _call(
        self,
        method: str,
        verb: str,
        name: str,
        *,
        body: Json | None = None,
        params: Mapping[str, str] | None = None,
        write: bool = False,
        repeatable: bool = True,
    ) -> Json:
        call = ApiCall(SECRET_MANAGER, method, _project(name), write, repeatable)
        return await self._rest.call(call, verb, _path(name), body=body, params=params)


def _project(name: str) -> str | None:
    return name.split("/")[1] if name.startswith("projects/") else None


def _path(name: str) -> str:
    return f"/v1/{quote(name, safe='/:')}"


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), by which Secret Manager notices a value damaged on the way. Key strings are short: no table."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _version(data: Json) -> SecretVersion:
    return SecretVersion(data.get("name", ""), data.get("state", ""), parse_time(data.get("createTime")))
