"""GitHub's REST operations on secrets of Actions.

Behaviour: docs.github.com, "REST API endpoints for GitHub Actions secrets", "Rate limits for the REST API"; the forms of
requests and answers are checked against GitHub's own description (tests/data/github-actions-secrets.json). Not confirmed by
GitHub itself.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator
from nacl.public import PrivateKey, SealedBox

from tests.handover.servers.base import LocalServer

TOKEN = "github-token"
WORKFLOW_TOKEN = "workflow-token"
DESCRIPTION = json.loads((Path(__file__).parents[2] / "data" / "github-actions-secrets.json").read_text())["paths"]
_PLACES = {
    re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "$"): template
    for template in sorted(DESCRIPTION, key=lambda each: "{secret_name}" in each)
}


class GithubServer(LocalServer):
    """Repositories `acme/web` and `acme/api`, the environment `prod site`, the organisation `acme`."""

    def __init__(self, latency_s: float = 0.0) -> None:
        super().__init__(latency_s)
        self.key = PrivateKey.generate()
        self.secrets: dict[str, dict[str, Any]] = {}
        self.places = {"/repos/acme/web", "/repos/acme/api", "/repos/acme/web/environments/prod%20site", "/orgs/acme"}
        self.broken: list[str] = []
        """Requests and answers that are not as GitHub describes them."""
        self._now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def opened(self, path: str) -> str:
        """A secret as a workflow would see it."""
        return SealedBox(self.key).decrypt(base64.b64decode(self.secrets[path]["encrypted_value"])).decode()

    def put(self, path: str, value: str, **more: Any) -> None:
        """A secret that somebody else made."""
        self._store(path, base64.b64encode(SealedBox(self.key.public_key).encrypt(value.encode())).decode(), more)

    def _store(self, path: str, encrypted: str, more: dict[str, Any]) -> bool:
        self._now += timedelta(seconds=1)
        stamp = self._now.isoformat().replace("+00:00", "Z")
        before = self.secrets.get(path)
        created = before["created_at"] if before else stamp
        self.secrets[path] = {"encrypted_value": encrypted, "created_at": created, "updated_at": stamp, **more}
        return before is None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = request.rel_url.raw_path
        found = next(((template, match) for place, template in _PLACES.items() if (match := place.match(raw))), None)
        if found is None:
            return _error(404, "Not Found")
        template, match = found
        body = await request.json() if request.body_exists else None
        answer = self._answer(request, raw, template, match.groupdict(), body)
        self._compare(template, request.method.lower(), body, answer)
        return answer

    def _answer(self, request: web.Request, raw: str, template: str, names: dict[str, str], body: Any) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == WORKFLOW_TOKEN:
            return _error(403, "Resource not accessible by integration")
        if token != TOKEN:
            return _error(401, "Bad credentials")
        place = re.sub(r"(?:/actions)?/secrets/.*$", "", raw)
        if place not in self.places:
            return _error(404, "Not Found")
        if template.endswith("/public-key"):
            return web.json_response(
                {"key_id": "1380204578043523344", "key": base64.b64encode(bytes(self.key.public_key)).decode()}
            )
        if template.endswith("/repositories"):
            return self._repositories(request, raw.removesuffix("/repositories"))
        if request.method == "PUT":
            kept = {name: body[name] for name in ("visibility", "selected_repository_ids") if name in body}
            new = self._store(raw, body["encrypted_value"], kept)
            return web.json_response({}, status=201) if new else web.Response(status=204)
        stored = self.secrets.get(raw)
        if stored is None:
            return _error(404, "Not Found")
        shown = {"name": names["secret_name"], "created_at": stored["created_at"], "updated_at": stored["updated_at"]}
        if "org" in names:
            shown["visibility"] = stored["visibility"]
        return web.json_response(shown)

    def _repositories(self, request: web.Request, path: str) -> web.Response:
        ids = self.secrets[path].get("selected_repository_ids", [])
        size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
        shown = [{"id": each, "full_name": f"acme/r{each}"} for each in ids[(page - 1) * size : page * size]]
        return web.json_response({"total_count": len(ids), "repositories": shown})

    def _compare(self, template: str, method: str, body: Any, answer: web.Response) -> None:
        described = DESCRIPTION[template].get(method)
        if described is None:
            self.broken.append(f"{method} {template} is not described")
            return
        if body is not None:
            self.broken += [
                f"{method} {template}: {e.message}" for e in Draft202012Validator(described["body"]).iter_errors(body)
            ]
        schema = described["responses"].get(str(answer.status))
        if answer.status < 300 and schema:
            shown = json.loads(answer.text or "{}")
            self.broken += [f"{method} {template} answer: {e.message}" for e in Draft202012Validator(schema).iter_errors(shown)]


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message, "documentation_url": "https://docs.github.com/rest"}, status=status)
