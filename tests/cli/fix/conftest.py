"""`audit fix` and `audit undo` typed against a served sandbox: an organisation whose keys are used for different things."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keyadmin.audit.fix import waiting
from keyadmin.model.secret import PATTERN
from tests.cli.conftest import Result, Served

GEMINI, MAPS = "generativelanguage.googleapis.com", "maps-backend.googleapis.com"
TRANSLATE = "translate.googleapis.com"
ON = [GEMINI, MAPS, TRANSLATE, *(f"{name}.googleapis.com" for name in ("apikeys", "monitoring", "secretmanager", "iam"))]
OWNER = "user:owner@example.com"
ORGANIZATION = "organizations/77"


@dataclass
class Fixing:
    """The sandbox, a folder for plans, and the command line."""

    served: Served
    cli: Callable[..., Result]
    folder: Path

    def type(self, *words: str, user: str = "owner@example.com", env: dict[str, str] | None = None, **more: Any) -> Result:
        """Type a command; no key string may appear."""
        chosen = {"KEYADMIN_SANDBOX": self.served.rest, "KEYADMIN_SANDBOX_USER": user} | (env or {})
        done = self.cli(*words, env=chosen, **more)
        assert not PATTERN.search(done.out + done.err), "a key string was printed"
        assert "Traceback" not in done.err, done.err
        return done

    def plan(self, *words: str, name: str = "plan.json") -> dict[str, Any]:
        """`audit fix --out`: the plan's document."""
        done = self.type("audit", "fix", *(words or ("--organization", "77")), "--out", str(self.folder / name))
        assert done.code == 0, done.err
        return self.read(name)

    def read(self, name: str = "plan.json") -> Any:
        return json.loads((self.folder / name).read_text())

    def edit(self, change: Callable[[Any], None], name: str = "plan.json") -> None:
        """As a person with an editor."""
        plan = self.read(name)
        change(plan)
        (self.folder / name).write_text(json.dumps(plan))

    def apply(self, *words: str, name: str = "plan.json", observe: str = "0s", yes: bool = True, **more: Any) -> Result:
        """`audit fix --apply`."""
        agreed = ["--yes"] if yes else []
        plan = str(self.folder / name)
        return self.type("audit", "fix", "--apply", plan, "--observe", observe, *agreed, *words, **more)

    def undo(self, *words: str, name: str = "plan.json", **more: Any) -> Result:
        """`audit undo --yes`."""
        return self.type("audit", "undo", str(self.folder / name), "--yes", *words, **more)

    def journal(self, name: str = "plan.json") -> list[dict[str, Any]]:
        """The lines of the journal."""
        return [json.loads(line) for line in (self.folder / f"{name}.run.jsonl").read_text().splitlines()]

    def steps(self, key_id: str, name: str = "plan.json") -> list[str]:
        """What the journal says of a key."""
        return [each["step"] for each in self.journal(name) if each.get("key", "").endswith(f"/{key_id}")]

    def api(self, path: str, method: str = "GET", data: Any = None) -> Any:
        """A call to the sandbox, as the owner."""
        body = None if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.served.rest}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def key(self, key_id: str, project: str = "shop") -> Any:
        """A key as it is now."""
        return self.api(f"/v2/projects/{project}/locations/global/keys/{key_id}")

    def targets(self, key_id: str, project: str = "shop") -> list[str] | None:
        """The APIs that a key is restricted to; None = deleted."""
        found = self.key(key_id, project)
        if "deleteTime" in found:
            return None
        return [each["service"] for each in found.get("restrictions", {}).get("apiTargets", [])]

    def stranger(self, key_id: str, project: str = "shop") -> None:
        """Somebody else gives a key another name."""
        path = f"/v2/projects/{project}/locations/global/keys/{key_id}?updateMask=displayName"
        self.api(path, "PATCH", {"displayName": "not yours"})

    def now(self) -> datetime:
        return datetime.fromisoformat(self.served.control("")["now"])

    def ago(self, **span: float) -> str:
        """A moment by the sandbox's clock."""
        return (self.now() - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def seed_key(self, key_id: str, *targets: str, age: float = 200, use: Any = (), **more: Any) -> dict[str, Any]:
        """A key of a seed. `use`: service, days ago, calls."""
        made = {"keyId": key_id, "displayName": f"the {key_id}", "createTime": self.ago(days=age)} | more
        if targets:
            made["restrictions"] = {"apiTargets": [{"service": each} for each in targets]} | more.get("restrictions", {})
        made["use"] = [{"service": service, "at": self.ago(days=days), "calls": calls} for service, days, calls in use]
        return made

    def seed(self, name: str, *keys: dict[str, Any], parent: str = ORGANIZATION) -> None:
        """A project of the organisation."""
        self.served.seed(
            organizations=[{"name": parent, "displayName": f"{parent[-2:]}.example", "iam": {"roles/browser": [OWNER]}}],
            projects=[
                {"projectId": name, "parent": parent, "services": ON, "iam": {"roles/owner": [OWNER]}, "keys": list(keys)}
            ],
        )

    def fill(self) -> None:
        """A shop with keys of every kind."""
        self.seed(
            "shop",
            self.seed_key("map", use=[(MAPS, 1, 1000)]),
            self.seed_key("both", GEMINI, MAPS, use=[(MAPS, 2, 50)]),
            self.seed_key("nobody"),
            self.seed_key("young", age=2, use=[(MAPS, 1, 5)]),
            self.seed_key("gemini", GEMINI, use=[(GEMINI, 1, 20)]),
        )
        self.seed("lab", self.seed_key("words", use=[(TRANSLATE, 1, 30)]), self.seed_key("quiet", age=60))


@pytest.fixture
def fixing(served: Served, cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fixing:
    """An organisation with two projects; waiting takes no time once the clock was put forward."""
    monkeypatch.setattr(waiting, "POLL_S", 0.02)
    monkeypatch.setattr(waiting, "TICK_S", 0.02)
    made = Fixing(served, cli, tmp_path)
    made.fill()
    return made
