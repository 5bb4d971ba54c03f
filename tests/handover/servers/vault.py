"""A Vault server with KV engines and logins.

Behaviour: developer.hashicorp.com, "KV secrets engine - version 2 (API)" (check-and-set, PATCH, a deleted newest version is a
404 with metadata), "/sys/internal/ui/mounts", "AppRole auth method (API)", "Kubernetes auth method (API)". No real Vault has
confirmed it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.handover.servers.base import LocalServer

TOKEN = "vault-token"
CAS = "check-and-set parameter did not match the current version"


class VaultServer(LocalServer):
    """Engines `secret` and `team/kv` of version 2, `old` of version 1."""

    def __init__(self, latency_s: float = 0.0) -> None:
        super().__init__(latency_s)
        self.mounts = {"secret": "2", "team/kv": "2", "old": "1"}
        self.versions: dict[str, list[dict[str, Any] | None]] = {}
        self.denied: set[str] = set()
        """Capabilities that the policy lacks: read, create, update, patch, mounts."""
        self.cas_required = False
        self.other_writes = 0
        """How often somebody else writes between keyadmin's reading and its writing."""

    def put(self, path: str, **fields: str) -> None:
        """A version that somebody else wrote; `path` = MOUNT/NAME."""
        self.versions.setdefault(path, []).append(dict(fields))

    def delete(self, path: str) -> None:
        """Delete the newest version."""
        self.versions[path][-1] = None

    def fields(self, path: str) -> dict[str, Any]:
        """The newest version."""
        found = self.versions[path][-1]
        assert found is not None
        return found

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = unquote(request.path).removeprefix("/v1/")
        body = await request.json() if request.body_exists else None
        if path == "auth/approle/login":
            good = body == {"role_id": "role", "secret_id": "secret"}
            return web.json_response({"auth": {"client_token": TOKEN}}) if good else _errors(400, "invalid role or secret ID")
        if path == "auth/kubernetes/login":
            good = body == {"role": "keyadmin", "jwt": "pod-token"}
            return web.json_response({"auth": {"client_token": TOKEN}}) if good else _errors(403, "permission denied")
        if request.headers.get("X-Vault-Token") != TOKEN:
            return _errors(403, "permission denied")
        if path.startswith("sys/internal/ui/mounts/"):
            return self._mount(path.removeprefix("sys/internal/ui/mounts/"))
        return self._data(request.method, path, body)

    def _mount(self, path: str) -> web.Response:
        found = self._mount_of(path)
        if found is None or "mounts" in self.denied:
            return _errors(403, "preflight capability check returned 403, please ensure client's policies grant access to path")
        return web.json_response({"data": {"path": f"{found}/", "type": "kv", "options": {"version": self.mounts[found]}}})

    def _mount_of(self, path: str) -> str | None:
        return max((mount for mount in self.mounts if f"{path}/".startswith(f"{mount}/")), key=len, default=None)

    def _data(self, method: str, path: str, body: Any) -> web.Response:
        mount = next((each for each in self.mounts if path.startswith(f"{each}/data/")), None)
        if mount is None:
            return _errors(404, "no handler for route")
        name = f"{mount}/{path.removeprefix(f'{mount}/data/')}"
        known = self.versions.setdefault(name, [])
        if method == "GET":
            return self._read(known)
        wanted = "patch" if method == "PATCH" else ("update" if known else "create")
        if wanted in self.denied:
            return _errors(403, "1 error occurred:\n\t* permission denied\n\n")
        if self.other_writes:
            self.other_writes -= 1
            known.append({**((known[-1] if known else None) or {}), "theirs": str(len(known))})
        cas = (body.get("options") or {}).get("cas")
        if cas is None and self.cas_required and method != "PATCH":
            return _errors(400, "check-and-set parameter required for this call")
        if cas is not None and cas != len(known):
            return _errors(400, CAS)
        if method == "PATCH":
            if not known or known[-1] is None:
                return _errors(404)
            known.append({**known[-1], **body["data"]})
        else:
            known.append(dict(body["data"]))
        return web.json_response({"data": {"version": len(known), "created_time": "2026-11-28T12:00:00Z"}})

    def _read(self, known: list[dict[str, Any] | None]) -> web.Response:
        if "read" in self.denied:
            return _errors(403, "1 error occurred:\n\t* permission denied\n\n")
        if not known:
            return _errors(404)
        metadata = {"version": len(known), "deletion_time": "" if known[-1] is not None else "2026-11-28T12:00:00Z"}
        document = {"data": {"data": known[-1], "metadata": metadata}}
        return web.json_response(document, status=404 if known[-1] is None else 200)


def _errors(status: int, *errors: str) -> web.Response:
    return web.json_response({"errors": list(errors)}, status=status)
