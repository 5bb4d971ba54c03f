"""Recorded traffic of the real Google Cloud, sent to the sandbox: what was hidden in it is learned, the rest compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .conftest import Running
from .wire import send

# What the harness of k8s-config-connector writes for what changes with each recording.
HIDDEN = {"2024-04-01T12:34:56.123456Z", "2024-04-01T12:34:56Z", "abcdef0123A=", "12345678"}
HIDDEN |= {"111111111111111111111", "888888888888888888888", "1970-01-01T00:00:00Z"}
_NAME = re.compile(r"\$\{(\w+)\}")
_FIXED = {
    "projectId": "fid-project",
    "projectNumber": "123456789012",
    "organizationID": "123450001",
    "folderID": "123450002",
    "uniqueId": "u8k3zq2",
    "networkID": "net-u8k3zq2",
}
_ADMIN = (
    *("owner", "resourcemanager.organizationAdmin", "resourcemanager.folderAdmin", "resourcemanager.projectCreator"),
    *("resourcemanager.projectMover", "resourcemanager.projectDeleter", "orgpolicy.policyAdmin", "iam.securityAdmin"),
    *("iam.organizationRoleAdmin", "iam.denyAdmin", "secretmanager.admin", "resourcemanager.tagAdmin"),
)
SEED: dict[str, Any] = {
    "organizations": [
        {
            "name": "organizations/123450001",
            "displayName": "example.com",
            "iam": {f"roles/{role}": ["user:owner@example.com"] for role in _ADMIN},
        }
    ],
    "folders": [{"name": "folders/123450002", "displayName": "test", "parent": "organizations/123450001"}],
    "projects": [
        {
            "projectId": "fid-project",
            "projectNumber": "123456789012",
            "parent": "organizations/123450001",
            "services": ["secretmanager.googleapis.com", "bigquerydatatransfer.googleapis.com"],
        }
    ],
}


@dataclass
class Replay:
    """One sequence: names that were met, and what differed."""

    names: dict[str, str] = field(default_factory=lambda: dict(_FIXED))
    kept: dict[str, str] = field(default_factory=dict)  # what stands here for a hidden value: the last etag met
    differences: list[str] = field(default_factory=list)

    def here(self, value: Any) -> Any:
        """A recorded request as it is sent here."""
        if isinstance(value, str):
            if value in self.kept:
                return self.kept[value]
            return _NAME.sub(lambda found: self.names.get(found[1], found[0]), value)
        if isinstance(value, list):
            return [self.here(item) for item in value]
        if isinstance(value, dict):
            return {name: self.here(item) for name, item in value.items()}
        return value

    def compare(self, recorded: Any, got: Any, at: str) -> None:
        """Note where an answer is another one."""
        if isinstance(recorded, dict) and isinstance(got, dict):
            for name in sorted(recorded.keys() | got.keys()):
                if f"{at}.{name}".endswith(".error.details"):
                    continue  # the harness took them away
                if name not in recorded or name not in got:
                    self.differences.append(f"{at}.{name} is {'extra' if name in got else 'absent'}")
                else:
                    self.compare(recorded[name], got[name], f"{at}.{name}")
        elif isinstance(recorded, list) and isinstance(got, list) and len(recorded) == len(got):
            for one, other in zip(recorded, got, strict=True):
                self.compare(one, other, f"{at}[]")
        elif isinstance(recorded, str) and isinstance(got, str):
            if not self._same(recorded, got):
                self.differences.append(f"{at}: recorded {self.here(recorded)!r}, here {got!r}")
        elif recorded != got or type(recorded) is not type(got):
            self.differences.append(f"{at}: recorded {recorded!r}, here {got!r}")

    def _same(self, recorded: str, got: str) -> bool:
        if recorded in HIDDEN:
            self.kept[recorded] = got
            return True
        pattern, new = "", []
        for index, part in enumerate(_NAME.split(recorded)):
            if index % 2 == 0:
                pattern += re.escape(part)
            elif part in self.names:
                pattern += re.escape(self.names[part])
            else:
                new.append(part)
                pattern += r"([\w.-]+)"
        found = re.fullmatch(pattern, got)
        if found:
            self.names.update({name: value for name, value in zip(new, found.groups(), strict=True) if name != "operationID"})
        return found is not None


def replay(sandbox: Running, steps: list[dict[str, Any]], ignored: dict[str, str]) -> list[str]:
    """What differs, as `METHOD PATH.field ...`; `ignored` = regular expressions of what need not be the same."""
    sandbox.control("reset", {})
    sandbox.control("clock", {"advance": "-1000d"})  # times that were to come when it was recorded
    sandbox.control("seed", SEED)
    run = Replay()
    for step in steps:
        run.names.pop("operationID", None)
        if "${operationID}" in step["path"]:
            run.names["operationID"] = run.kept.get("operation", "")
        reply = send(sandbox, step["method"], run.here(step["path"]), run.here(step["body"]))
        at = f"{step['method']} {step['path'].partition('?')[0]}"
        if reply.status != step["status"]:
            run.differences.append(f"{at}: recorded {step['status']}, here {reply.status}: {reply.body[:300]!r}")
            continue
        answer = reply.data if reply.body.strip() else None
        run.compare(step["reply"], answer, at)
        if isinstance(answer, dict) and str(answer.get("name", "")).startswith("operations/"):
            run.kept["operation"] = answer["name"].removeprefix("operations/")
    return [found for found in run.differences if not any(re.search(pattern, found) for pattern in ignored)]
