"""The sink `vault`: one field of a secret in a KV engine of version 2.

Written with check-and-set, so that nobody's change between reading and writing is lost; the other fields are kept.
Source: developer.hashicorp.com, "KV secrets engine - version 2 (API)".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import quote

from keyadmin.handover import vault
from keyadmin.handover.http import HttpAnswer, HttpSession, refused
from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkNeeds, SinkSpec
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

DEFAULT_FIELD: Final = "GEMINI_API_KEY"
_TRIES: Final = 4
_CAS: Final = "check-and-set parameter"  # Vault's words for a version that has moved on, and for one that is demanded


@dataclass(frozen=True)
class _Read:
    """The secret as it stands. `fields` None = it may not be read; `version` = what check-and-set compares, 0 = none yet."""

    fields: Mapping[str, Any] | None
    version: int = 0


def parts(value: str) -> tuple[str, str]:
    """`MOUNT/PATH[:FIELD]`: the path and the field. Raises usage()."""
    path, colon, name = value.rpartition(":")
    if not colon or "/" in name:
        path, name = value, DEFAULT_FIELD
    names = path.split("/")
    if len(names) < 2 or not all(names) or any(each in (".", "..") or re.search(r"[\s?#%\\]", each) for each in names):
        raise usage(f"invalid sink 'vault:{value}': write vault:MOUNT/PATH[:FIELD]")
    if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", name):
        raise usage(f"invalid field {name!r} of a secret: use letters, digits and - _ . only")
    return path, name


class VaultSink(Sink):
    """Writes the field, and keeps the other fields of the secret."""

    kind = "vault"
    pattern = "vault:MOUNT/PATH[:FIELD]"
    reads_back: ClassVar[str] = "yes, where the token may read"
    old_versions: ClassVar[str] = "kept by Vault up to max_versions (10 unless set otherwise), then destroyed"
    tested_against: ClassVar[str] = "a server of the tests, held to HashiCorp's documents; no real Vault yet"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._path, self._field = parts(spec.value)

    @classmethod
    def parse(cls, value: str) -> str:
        """The path of a secret, and the field in full. Raises usage()."""
        return ":".join(parts(value))

    @classmethod
    def needs(cls, value: str) -> SinkNeeds:
        """Capabilities of a Vault policy."""
        mount, _, rest = parts(value)[0].partition("/")
        return SinkNeeds(
            words=(f'a Vault policy: path "{mount}/data/{rest}" {{ capabilities = ["create", "read", "update"] }}',)
        )

    async def preflight(self) -> None:
        """The engine is KV version 2, and the secret may be read. Raises Problem."""
        async with HttpSession(await vault.target()) as session:
            await self._read(session, await self._data_path(session))

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the field. Raises Problem: no permission, another engine, somebody who writes all the time."""
        async with HttpSession(await vault.target()) as session:
            path = await self._data_path(session)
            for _ in range(_TRIES):
                found = await self._read(session, path)
                if found.fields is not None and found.fields.get(self._field) == key.reveal():
                    return Delivery(False, f"{self._path} has it already")
                answer = await self._write(session, path, found, key)
                if answer.ok and isinstance(answer.data, dict):
                    version = answer.data.get("data", {}).get("version")
                    blind = "; it cannot be read back: the policy lacks read" if found.fields is None else ""
                    return Delivery(True, f"written to {self._path} as {self._field}, version {version}{blind}")
                if not (answer.status == 400 and _CAS in vault.said(answer.data)):
                    raise self._refused(answer, f"{self._path} was not written")
        raise Problem(
            Cause.CONFLICT,
            f"{self._path} was changed by somebody else each time before it could be written",
            fix=("find out what else writes there, then run again",),
        )

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the field is this key; None where the policy does not allow reading."""
        async with HttpSession(await vault.target()) as session:
            found = await self._read(session, await self._data_path(session))
        return None if found.fields is None else found.fields.get(self._field) == key.reveal()

    async def _data_path(self, session: HttpSession) -> str:
        """`/v1/MOUNT/data/PATH`. Which part is the mount is asked, as Vault's own command does; else it is the first part."""
        quoted = quote(self._path)
        answer = await session.call("GET", f"/v1/sys/internal/ui/mounts/{quoted}")
        mount = self._path.partition("/")[0]
        if answer.ok and isinstance(answer.data, dict):
            described = answer.data.get("data", answer.data)
            mount = str(described.get("path") or mount).strip("/")
            version = (described.get("options") or {}).get("version", "1")
            if described.get("type") not in (None, "kv") or version != "2":
                raise Problem(
                    Cause.INVALID_ARGUMENT,
                    f"{mount} in Vault is not a KV engine of version 2, which the sink vault needs",
                    fix=("name a secret in such an engine, or turn versions on: vault kv enable-versioning " + mount,),
                )
        elif answer.data is None or answer.status not in (403, 404):
            raise self._refused(answer, f"{self._path} cannot be found")
        rest = self._path.removeprefix(f"{mount}/")
        if rest == self._path:
            raise usage(f"vault:{self._path} names the engine {mount} and no secret in it", "write vault:MOUNT/PATH")
        return f"/v1/{quote(mount)}/data/{quote(rest)}"

    async def _read(self, session: HttpSession, path: str) -> _Read:
        answer = await session.call("GET", path)
        if answer.status == 403 and answer.data is not None and "permission denied" in vault.said(answer.data):
            return _Read(None)
        found = answer.data.get("data") if isinstance(answer.data, dict) else None
        if answer.status == 404 and isinstance(answer.data, dict):
            # A secret whose newest version was deleted is a 404 with its metadata.
            version = (found or {}).get("metadata", {}).get("version", 0)
            return _Read({}, int(version))
        if not answer.ok or not isinstance(found, dict):
            raise self._refused(answer, f"{self._path} cannot be read")
        return _Read(found.get("data") or {}, int(found["metadata"]["version"]))

    async def _write(self, session: HttpSession, path: str, found: _Read, key: KeyString) -> HttpAnswer:
        if found.fields is None:  # without reading, a patch alone keeps the other fields
            patch = {"data": {self._field: key.reveal()}}
            return await session.call("PATCH", path, patch, content_type="application/merge-patch+json")
        body = {"options": {"cas": found.version}, "data": {**found.fields, self._field: key.reveal()}}
        return await session.call("POST", path, body)

    def _refused(self, answer: HttpAnswer, what: str) -> Problem:
        fix: tuple[str, ...] = ()
        if answer.status == 403:
            mount, _, rest = self._path.partition("/")
            fix = (
                f'ask for this in the policy: path "{mount}/data/{rest}" {{ capabilities = ["create", "read", "update"] }}',
                "see what the token may do: vault token capabilities",
            )
        elif answer.status == 503:
            fix = ("unseal Vault, or wait for it: vault status",)
        return refused(vault.NAME, answer, what, vault.said(answer.data), *fix)
