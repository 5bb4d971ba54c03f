"""Secrets and workloads of a Kubernetes API server, as far as server-side apply goes.

Behaviour: kubernetes.io, "Server-Side Apply" (conflicts, managedFields, what an apply leaves out goes), "Secrets" (immutable,
base64 data), the API reference of Secret v1 and Deployment apps/v1; Status as in "API conventions". No real cluster has
confirmed it.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from aiohttp import web

from tests.handover.servers.base import LocalServer

TOKEN = "pod-token"


class KubernetesServer(LocalServer):
    """Namespaces `default` and `web`; who may what is `denied`: verbs that are refused."""

    def __init__(self, latency_s: float = 0.0) -> None:
        super().__init__(latency_s)
        self.secrets: dict[tuple[str, str], dict[str, Any]] = {}
        self.workloads: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.namespaces = {"default", "web"}
        self.denied: set[str] = set()
        self._version = 100

    def put(self, namespace: str, name: str, data: dict[str, str], manager: str = "kubectl", **more: Any) -> dict[str, Any]:
        """A Secret that somebody else made."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "managedFields": []},
            "type": "Opaque",
            "data": encoded,
            **more,
        }
        self._own(secret, manager, "Update", set(encoded))
        self.secrets[namespace, name] = secret
        self._bump(secret)
        return secret

    def deploy(self, namespace: str, name: str, kind: str = "deployments") -> dict[str, Any]:
        """A workload that somebody else made."""
        made = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"template": {"metadata": {"labels": {"app": name}}}},
        }
        self.workloads[namespace, kind, name] = made
        self._bump(made)
        return made

    def value(self, namespace: str, name: str, key: str = "GEMINI_API_KEY") -> str:
        """What an entry holds."""
        return base64.b64decode(self.secrets[namespace, name]["data"][key]).decode()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _status(401, "Unauthorized", "Unauthorized")
        secret = re.fullmatch(r"/api/v1/namespaces/([^/]+)/secrets/([^/]+)", request.path)
        workload = re.fullmatch(r"/apis/apps/v1/namespaces/([^/]+)/(deployments|statefulsets|daemonsets)/([^/]+)", request.path)
        if secret:
            return await self._secret(request, secret[1], secret[2])
        if workload:
            return await self._workload(request, workload[1], workload[2], workload[3])
        return _status(404, "NotFound", "the server could not find the requested resource")

    async def _secret(self, request: web.Request, namespace: str, name: str) -> web.Response:
        verb = {"GET": "get", "PATCH": "patch"}[request.method]
        if verb in self.denied:
            return _forbidden(verb, "secrets", name, namespace)
        stored = self.secrets.get((namespace, name))
        if request.method == "GET":
            return web.json_response(stored) if stored else _status(404, "NotFound", f'secrets "{name}" not found')
        if namespace not in self.namespaces:
            return _status(404, "NotFound", f'namespaces "{namespace}" not found')
        assert request.content_type == "application/apply-patch+yaml"
        return self._apply(namespace, name, await request.json(), request.query)

    def _apply(self, namespace: str, name: str, wanted: dict[str, Any], query: Any) -> web.Response:
        manager, force = query["fieldManager"], query.get("force") == "true"
        assert (wanted["apiVersion"], wanted["kind"]) == ("v1", "Secret")
        assert "stringData" not in wanted
        stored = self.secrets.get((namespace, name))
        if stored is None:
            if "create" in self.denied:
                return _forbidden("create", "secrets", name, namespace)
            stored = self.put(namespace, name, {}, manager="nobody")
            stored["metadata"]["managedFields"] = []
        elif stored.get("immutable"):
            return _status(
                422, "Invalid", f'Secret "{name}" is invalid: data: Forbidden: field is immutable when `immutable` is set'
            )
        version = wanted["metadata"].get("resourceVersion")
        if version is not None and version != stored["metadata"].get("resourceVersion"):
            said = f'Operation cannot be fulfilled on secrets "{name}": the object has been modified'
            return _status(409, "Conflict", said)
        conflicts = self._conflicts(stored, wanted.get("data", {}), manager)
        if conflicts and not force:
            return _conflict(conflicts)
        before = self._owned(stored, manager, "Apply")
        for key in before - set(wanted.get("data", {})):
            if not any(key in self._owned(stored, other, None) for other in self._others(stored, manager)):
                stored["data"].pop(key, None)
        stored["data"] |= wanted.get("data", {})
        self._own(stored, manager, "Apply", set(wanted.get("data", {})))
        self._bump(stored)
        return web.json_response(stored)

    def _conflicts(self, stored: dict[str, Any], data: dict[str, str], manager: str) -> list[tuple[str, str]]:
        out = []
        for key, value in data.items():
            if stored["data"].get(key) != value:
                out += [(other, key) for other in self._others(stored, manager) if key in self._owned(stored, other, None)]
        return out

    @staticmethod
    def _others(stored: dict[str, Any], manager: str) -> list[str]:
        return [each["manager"] for each in stored["metadata"]["managedFields"] if each["manager"] != manager]

    @staticmethod
    def _owned(stored: dict[str, Any], manager: str, operation: str | None) -> set[str]:
        return {
            name.removeprefix("f:")
            for each in stored["metadata"]["managedFields"]
            if each["manager"] == manager and operation in (None, each["operation"])
            for name in each["fieldsV1"].get("f:data", {})
            if name != "."
        }

    @staticmethod
    def _own(stored: dict[str, Any], manager: str, operation: str, keys: set[str]) -> None:
        fields = stored["metadata"]["managedFields"]
        fields[:] = [each for each in fields if (each["manager"], each["operation"]) != (manager, operation)]
        owned: dict[str, Any] = {".": {}, **{f"f:{key}": {} for key in sorted(keys)}}
        fields.append({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": {"f:data": owned}})

    async def _workload(self, request: web.Request, namespace: str, kind: str, name: str) -> web.Response:
        verb = {"GET": "get", "PATCH": "patch"}[request.method]
        if f"{verb} {kind}" in self.denied:
            return _forbidden(verb, kind, name, namespace)
        stored = self.workloads.get((namespace, kind, name))
        if stored is None:
            return _status(404, "NotFound", f'{kind}.apps "{name}" not found')
        if request.method == "PATCH":
            assert request.content_type == "application/merge-patch+json"
            _merge(stored, await request.json())
            self._bump(stored)
        return web.json_response(stored)

    def _bump(self, stored: dict[str, Any]) -> None:
        self._version += 1
        stored["metadata"]["resourceVersion"] = str(self._version)


def _merge(stored: dict[str, Any], patch: dict[str, Any]) -> None:
    """RFC 7396."""
    for key, value in patch.items():
        if value is None:
            stored.pop(key, None)
        elif isinstance(value, dict) and isinstance(stored.get(key), dict):
            _merge(stored[key], value)
        else:
            stored[key] = value


def _status(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code}
    return web.json_response(body | ({"details": details} if details else {}), status=code)


def _forbidden(verb: str, resource: str, name: str, namespace: str) -> web.Response:
    said = f'{resource} "{name}" is forbidden: User "system:serviceaccount:ops:keyadmin" cannot {verb} resource "{resource}" '
    return _status(403, "Forbidden", said + f'in API group "" in the namespace "{namespace}"')


def _conflict(conflicts: list[tuple[str, str]]) -> web.Response:
    said = [f'conflict with "{manager}" using v1' for manager, _ in conflicts]
    causes = [
        {"reason": "FieldManagerConflict", "message": text, "field": f".data.{key}"}
        for text, (_, key) in zip(said, conflicts, strict=True)
    ]
    message = f"Apply failed with {len(causes)} conflict{'s' if len(causes) > 1 else ''}: {said[0]}: .data.{conflicts[0][1]}"
    return _status(409, "Conflict", message, {"causes": causes})
