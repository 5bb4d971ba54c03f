"""Every permission that the sandbox asks for: one who holds all others is refused, and told which one is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Running, start
from .permission_calls import ALL, CONSTRAINT, DENY, FOLDER, HOME, KEY_CREATION, KEYS, ORG, POOL, ROBOT, ROWS, P
from .wire import Reply, send

WORLD = "all@example.com"
SERVICES = ["apikeys", "secretmanager", "iam", "iamcredentials", "orgpolicy", "cloudasset", "monitoring", "logging"]


def role(permission: str) -> str:
    """The custom role of one who lacks a permission (without its service)."""
    return f"{ORG}/roles/without{''.join(part.title() for part in permission.split('.'))}"


def seed() -> dict[str, Any]:
    roles = {role(lost): [each for each in ALL if each != lost] for lost in ALL}
    members = {role(lost): [f"user:{caller(lost)}"] for lost in ALL}
    whole = {f"{ORG}/roles/all": [f"user:{WORLD}"], "roles/resourcemanager.tagAdmin": [f"user:{WORLD}"]}
    on = [f"{name}.googleapis.com" for name in SERVICES]
    project = {"parent": FOLDER, "services": on, "iam": {"roles/owner": [f"user:{WORLD}"]}}
    return {
        "organizations": [{"name": ORG, "displayName": "example.com", "iam": members | whole}],
        "customRoles": roles | {f"{ORG}/roles/all": ALL, f"{ORG}/roles/reader": ["resourcemanager.projects.get"]},
        "folders": [
            {"name": FOLDER, "displayName": "one", "parent": ORG},
            {"name": HOME, "displayName": "two", "parent": ORG},
            {"name": "folders/2002", "displayName": "empty", "parent": ORG},
            {"name": "folders/2003", "displayName": "gone", "parent": ORG},
        ],
        "projects": [
            project | {"projectId": "p-one", "keys": [{"keyId": "web"}, {"keyId": "gone"}], "secrets": {"s": ["value"]}},
            project | {"projectId": "p-two"},
            project | {"projectId": "p-gone", "state": "DELETE_REQUESTED"},
        ],
    }


def caller(permission: str) -> str:
    """Who holds all permissions but one."""
    return f"without-{permission.lower().replace('.', '-')}@example.com"


def ask(sandbox: Running, who: str, verb: str, path: str, body: Any = None) -> Reply:
    return send(sandbox, verb, path, body, {"Authorization": f"Bearer {who}"})


def made(sandbox: Running, path: str, body: Any) -> Any:
    """What the holder of all permissions makes; operations are read to their end."""
    reply = ask(sandbox, WORLD, "POST", path, body)
    assert reply.status == 200, (path, reply.body)
    if "/operations/" not in f"/{reply.data.get('name', '')}":
        return reply.data
    found = ask(sandbox, WORLD, "GET", f"{path[:3]}/{reply.data['name']}")
    return found.data.get("response", {}) if found.status == 200 else {}


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Running, dict[str, str]]]:
    """A sandbox that holds one of everything, and the names that it gave."""
    sandbox = start()
    sandbox.control("seed", seed())
    names = {"string": ask(sandbox, WORLD, "GET", f"{KEYS}/web/keyString").data["keyString"]}
    ask(sandbox, WORLD, "DELETE", f"{KEYS}/gone")
    ask(sandbox, WORLD, "DELETE", "/v3/folders/2003")
    made(sandbox, f"/v1/{P}/serviceAccounts", {"accountId": "robot-one"})
    gone = made(sandbox, f"/v1/{P}/serviceAccounts", {"accountId": "gone-one"})
    ask(sandbox, WORLD, "DELETE", f"/v1/{gone['name']}")
    names |= {"gone_account": gone["uniqueId"]}
    names["account_key"] = made(sandbox, f"/v1/{P}/serviceAccounts/{ROBOT}/keys", {})["name"]
    names["tag_key"] = made(sandbox, "/v3/tagKeys", {"parent": ORG, "shortName": "stage"})["name"]
    names["tag_value"] = made(sandbox, "/v3/tagValues", {"parent": names["tag_key"], "shortName": "a"})["name"]
    made(sandbox, f"{POOL}?workloadIdentityPoolId=pool-one", {})
    rule = {"deniedPrincipals": ["principalSet://goog/public:all"], "deniedPermissions": ["example.googleapis.com/a.b"]}
    made(sandbox, f"{DENY}?policyId=first", {"rules": [{"denyRule": rule}]})
    constraint = {"name": f"{CONSTRAINT[4:]}/custom.first", "resourceTypes": ["apikeys.googleapis.com/Key"]}
    constraint |= {"methodTypes": ["CREATE"], "condition": "true", "actionType": "ALLOW", "displayName": "x"}
    made(sandbox, CONSTRAINT, constraint)
    policy = {"name": f"{P}/policies/{KEY_CREATION}", "spec": {"rules": [{"enforce": False}]}}
    made(sandbox, f"/v2/{P}/policies", policy)
    yield sandbox, names
    sandbox.stop()


@pytest.mark.parametrize(("permission", "verb", "path", "body"), ROWS, ids=[row[0] for row in ROWS])
def test_one_who_holds_all_others_is_refused(
    world: tuple[Running, dict[str, str]], permission: str, verb: str, path: str, body: Any
) -> None:
    sandbox, names = world
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
        body = json.loads(json.dumps(body).replace(f"{{{name}}}", value))
    lost = permission.partition(":")[0]
    reply = ask(sandbox, caller(lost), verb, path, body)
    assert reply.status == 403, (reply.status, reply.body)
    assert lost.partition(".")[2] in reply.body.decode().replace("iam.googleapis.com/", "iam."), reply.body
