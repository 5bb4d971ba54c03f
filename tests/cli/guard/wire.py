"""The organisation's policies as they stand, asked for over plain HTTP: what keyadmin says of them is another matter."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


def ask(rest: str, method: str, path: str, body: Any = None, *, as_: str = "owner@example.com") -> tuple[int, Any]:
    """Status and document of a call."""
    request = urllib.request.Request(
        f"{rest}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {as_}"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or "{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "{}")


def policies(rest: str, node: str) -> dict[str, Any]:
    """What is set on a node, by constraint, without etags and times."""
    found = ask(rest, "GET", f"/v2/{node}/policies")[1].get("policies", [])
    return {
        each["name"].rpartition("/")[2]: {part: _plain(each[part]) for part in ("spec", "dryRunSpec") if part in each}
        for each in found
    }


def _plain(spec: Any) -> Any:
    return {name: value for name, value in spec.items() if name not in ("etag", "updateTime")}


def constraints(rest: str) -> list[str]:
    """The names of the organisation's custom constraints."""
    found = ask(rest, "GET", "/v2/organizations/1000/customConstraints")[1].get("customConstraints", [])
    return sorted(each["name"].rpartition("/")[2] for each in found)


def set_policy(rest: str, node: str, constraint: str, **parts: Any) -> None:
    """Set a policy as somebody else would."""
    body = {"name": f"{node}/policies/{constraint}", **parts}
    status, answer = ask(rest, "POST", f"/v2/{node}/policies", body)
    assert status == 200, answer


def make_constraint(rest: str, name: str, **more: Any) -> None:
    """Make a custom constraint as somebody else would."""
    body = {
        "name": f"organizations/1000/customConstraints/{name}",
        "resourceTypes": ["apikeys.googleapis.com/Key"],
        "methodTypes": ["CREATE"],
        "condition": "resource.displayName == 'forbidden'",
        "actionType": "DENY",
        "displayName": "Another's",
        "description": "Another's words.",
    }
    status, answer = ask(rest, "POST", "/v2/organizations/1000/customConstraints", body | more)
    assert status == 200, answer
