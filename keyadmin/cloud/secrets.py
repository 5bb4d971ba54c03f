"""Secret Manager v1, as far as handing a key over goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keyadmin.cloud.calls import pages
from keyadmin.cloud.channels import GrpcTransport
from keyadmin.cloud.endpoints import SECRETS
from keyadmin.cloud.messages import enum_name, moment, paging
from keyadmin.cloud.sandbox_key_guard import check_marker
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

    def __init__(self, grpc: GrpcTransport, *, sandbox: bool) -> None:
        self._grpc = grpc
        self._sandbox = sandbox

    async def exists(self, name: str) -> bool:
        """Whether the secret is there. No access is a Problem, not False."""
        try:
            await self._call("get_secret", {"name": name}, name)
        except Problem as problem:
            if problem.cause is Cause.NOT_FOUND:
                return False
            raise
        return True

    async def test_permissions(self, name: str, names: Collection[str]) -> frozenset[str]:
        """Which of these permissions the caller holds on the secret; of a secret that is not there none."""
        answer = await self._call("test_iam_permissions", {"resource": name, "permissions": list(names)}, name)
        return frozenset(answer.permissions)

    async def create(self, name: str) -> None:
        """Make an empty secret, replicated automatically; one that is there already is left as it is."""
        parent, _, secret_id = name.partition("/secrets/")
        request = {"parent": parent, "secret_id": secret_id, "secret": {"replication": {"automatic": {}}}}
        try:
            await self._call("create_secret", request, name, write=True)
        except Problem as problem:
            if problem.cause is not Cause.ALREADY_EXISTS:
                raise

    async def add_version(self, name: str, value: KeyString) -> str:
        """Add a version and return its name. Not repeated after a lost answer: that would add a second one."""
        check_marker(value, sandbox=self._sandbox)
        data = value.reveal().encode()
        request = {"parent": name, "payload": {"data": data, "data_crc32c": crc32c(data)}}
        return str((await self._call("add_secret_version", request, name, write=True, repeatable=False)).name)

    async def access(self, name: str, version: str = "latest") -> KeyString | None:
        """The value of a version, or None where there is none (yet)."""
        try:
            answer = await self._call("access_secret_version", {"name": f"{name}/versions/{version}"}, name)
        except Problem as problem:
            if problem.cause is Cause.NOT_FOUND:
                return None
            raise
        return KeyString(answer.payload.data.decode("utf-8", "replace"))

    async def versions(self, name: str) -> AsyncIterator[SecretVersion]:
        """All versions, the newest first."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._call("list_secret_versions", asked, name)

        async for version in pages(paging(call, {"parent": name, "page_size": PAGE}, "versions", _version)):
            yield version

    async def disable_version(self, version: str) -> SecretVersion:
        """Disable `projects/P/secrets/S/versions/N`; it can be enabled again."""
        return _version(await self._call("disable_secret_version", {"name": version}, version, write=True))

    async def enable_version(self, version: str) -> SecretVersion:
        """Enable a version that was disabled."""
        return _version(await self._call("enable_secret_version", {"name": version}, version, write=True))

    async def _call(
        self, method: str, request: dict[str, Any], name: str, *, write: bool = False, repeatable: bool = True
    ) -> Any:
        project = name.split("/")[1] if name.startswith("projects/") else None
        return await self._grpc.call(SECRETS, method, request, project=project, write=write, repeatable=repeatable)


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), by which Secret Manager notices a value damaged on the way. Key strings are short: no table."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _version(message: Any) -> SecretVersion:
    return SecretVersion(message.name, enum_name(message.state), moment(message.create_time))
