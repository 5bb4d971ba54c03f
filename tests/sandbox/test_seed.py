"""Seeds: what they bring, how they merge, what is refused and where; the default one; the fleet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest

from .conftest import Running
from .wire import KEYS, create, send

OWNER = {"roles/owner": ["user:owner@example.com"]}
GEMINI = "generativelanguage.googleapis.com"
MINE = "/v2/projects/my-project/locations/global/keys"


def _project(**more: Any) -> dict[str, Any]:
    return {"projects": [{"projectId": "my-project", "iam": OWNER} | more]}


def test_the_default_seed(sandbox: Running) -> None:
    """What contract and README promise: one organisation, one folder, projects in the states that people meet."""
    demo = send(sandbox, "GET", "/v3/projects/demo-project").data
    assert (demo["state"], demo["parent"]) == ("ACTIVE", "folders/1001")
    assert send(sandbox, "GET", "/v3/folders/1001").data["parent"] == "organizations/1000"
    assert send(sandbox, "GET", "/v3/organizations/1000").data["displayName"] == "example.com"
    assert send(sandbox, "GET", KEYS).data == {"keys": []}
    assert send(sandbox, "GET", "/v1/projects/demo-project/services?filter=state:ENABLED").data.get("services", []) == []
    old = send(sandbox, "GET", "/v2/projects/old-maps-site/locations/global/keys").data["keys"]
    assert [("restrictions" in key, "serviceAccountEmail" in key) for key in old] == [(False, False)]
    services = send(sandbox, "GET", "/v1/projects/old-maps-site/services?filter=state:ENABLED").data["services"]
    assert GEMINI in {service["config"]["name"] for service in services}
    crowded = send(sandbox, "GET", "/v2/projects/crowded-project/locations/global/keys").data["keys"]
    assert 290 <= len(crowded) < 300
    assert send(sandbox, "GET", "/v2/projects/suspended-project/locations/global/keys").status in (200, 403)
    assert send(sandbox, "GET", "/v3/projects/somebody-elses").status == 403
    assert send(sandbox, "GET", "/v3/projects/no-such-project").status == 403


def test_a_seed_in_full(start_sandbox: Callable[..., Running]) -> None:
    seed = {
        "organizations": [
            {"name": "organizations/1", "displayName": "o.example", "iam": {"roles/viewer": ["user:v@o.example"]}}
        ],
        "folders": [{"name": "folders/2", "displayName": "Team", "parent": "organizations/1"}],
        "projects": [
            {
                "projectId": "my-project",
                "projectNumber": 123456789012,
                "displayName": "Mine",
                "parent": "folders/2",
                "createTime": "2025-01-31T12:00:00Z",
                "services": [GEMINI],
                "iam": OWNER,
                "serviceAccounts": ["gemini-robot"],
                "secrets": {"kept": ["first", "second"]},
                "keys": [
                    {
                        "keyId": "bound",
                        "displayName": "bound",
                        "createTime": "2025-02-01T00:00:00.5Z",
                        "serviceAccountEmail": "gemini-robot@my-project.iam.gserviceaccount.com",
                        "restrictions": {"apiTargets": [{"service": GEMINI}]},
                        "annotations": {"team": "bots"},
                        "lastUsed": "2025-03-01T00:00:00Z",
                    },
                    {"keyId": "gone", "displayName": "gone", "deleteTime": "2999-01-01T00:00:00Z"},
                ],
            }
        ],
        "customRoles": {"organizations/1/roles/keyMaker": ["apikeys.keys.create"]},
        "orgPolicies": {"organizations/1": {"iam.managed.disableServiceAccountApiKeyCreation": False}},
        "gemini": {"rejectStandardKeys": False},
    }
    sandbox = start_sandbox(seed=seed)
    assert send(sandbox, "GET", "/v3/projects/demo-project").status == 403
    project = send(sandbox, "GET", "/v3/projects/123456789012").data
    assert (project["projectId"], project["displayName"], project["parent"]) == ("my-project", "Mine", "folders/2")
    assert project["createTime"].startswith("2025-01-31T12:00:00")
    key = send(sandbox, "GET", f"{MINE}/bound").data
    assert key["createTime"].startswith("2025-02-01T00:00:00.5")
    assert (key["annotations"], key["serviceAccountEmail"][:13]) == ({"team": "bots"}, "gemini-robot@")
    assert [one["displayName"] for one in send(sandbox, "GET", MINE).data["keys"]] == ["bound"]
    assert len(send(sandbox, "GET", f"{MINE}?showDeleted=true").data["keys"]) == 2
    secret = send(sandbox, "GET", "/v1/projects/my-project/secrets/kept/versions/latest:access").data
    assert secret["payload"]["data"] == "c2Vjb25k"
    viewer = {"Authorization": "Bearer v@o.example"}
    assert send(sandbox, "GET", "/v3/projects/my-project", None, viewer).status == 200
    standard = create(sandbox, "standard", {"restrictions": {"apiTargets": [{"service": GEMINI}]}}, "my-project")
    models = send(sandbox, "GET", "/v1beta/models?pageSize=1", None, {"x-goog-api-key": standard["keyString"]})
    assert models.status == 200, models.body


def test_the_same_seed_twice_changes_nothing(sandbox: Running) -> None:
    seed = _project(
        services=[GEMINI],
        serviceAccounts=["gemini-robot"],
        keys=[{"keyId": "one", "displayName": "one", "createTime": "2025-01-01T00:00:00Z"}],
    )

    def picture() -> Any:
        key = send(sandbox, "GET", f"{MINE}/one").data
        key_string = send(sandbox, "GET", f"{MINE}/one/keyString").data
        accounts = send(sandbox, "GET", "/v1/projects/my-project/serviceAccounts").data
        return (
            {k: v for k, v in key.items() if k != "etag"},
            key_string,
            accounts,
            send(sandbox, "GET", "/v3/projects/my-project").data["name"],
        )

    sandbox.control("seed", seed)
    first = picture()
    sandbox.control("seed", seed)
    assert picture() == first
    assert len(send(sandbox, "GET", MINE).data["keys"]) == 1


def test_a_seed_is_merged_by_id(sandbox: Running) -> None:
    sandbox.control("seed", _project(keys=[{"keyId": "one", "displayName": "one"}]))
    sandbox.control("seed", {"projects": [{"projectId": "my-project", "displayName": "Renamed", "keys": [{"keyId": "two"}]}]})
    assert send(sandbox, "GET", "/v3/projects/my-project").data["displayName"] == "Renamed"
    assert {key["name"][-3:] for key in send(sandbox, "GET", MINE).data["keys"]} == {"one", "two"}
    assert send(sandbox, "GET", KEYS).status == 200


BAD: list[tuple[Any, str]] = [
    ({"projects": {}}, "projects: expected list"),
    ({"projects": [1]}, "projects[0]: expected an object"),
    ({"projects": [{}]}, "projects[0].projectId: is missing"),
    ({"nonsense": 1}, "nonsense: unknown field"),
    (_project(nonsense=1), "projects[0].nonsense: unknown field"),
    (_project(state="GONE"), "projects[0].state: expected ACTIVE"),
    (_project(createTime="yesterday"), "projects[0].createTime"),
    (_project(parent="folders/9"), "projects[0].parent: there is no folders/9"),
    (_project(projectNumber="100000000001"), "projects[0].projectNumber: 100000000001 belongs to demo-project"),
    (_project(services="all"), "projects[0].services: expected list"),
    (_project(projectNumber="x"), "projects[0].projectNumber"),
    (_project(projectId="a/b"), "projects[0].projectId"),
    (_project(serviceAccounts=["a b"]), "projects[0].serviceAccounts[0]"),
    (_project(secrets={"a/b": []}), "projects[0].secrets"),
    (_project(createTime="9999-12-31T23:59:59Z"), "projects[0].createTime"),
    (_project(keys=[{"deleteTime": "9999-12-31T23:59:59Z"}]), "projects[0].keys[0].deleteTime"),
    (_project(keys=[{"lastUsed": 5}]), "projects[0].keys[0].lastUsed"),
    (_project(services=[1]), "projects[0].services[0]"),
    (_project(iam={"roles/owner": "me"}), "projects[0].iam.roles/owner: expected a list"),
    (_project(secrets={"a": [1]}), "projects[0].secrets.a"),
    (_project(keys=[{"displayName": "x" * 64}]), "projects[0].keys[0].displayName"),
    (_project(keys=[{"keyId": "NO"}]), "projects[0].keys[0].keyId"),
    (_project(keys=[{}, {"condition": "lost"}]), "projects[0].keys[1].condition"),
    (_project(keys=[{"restrictions": {"nonsense": {}}}]), "projects[0].keys[0].restrictions"),
    (_project(keys=[{"restrictions": []}]), "projects[0].keys[0].restrictions"),
    (_project(keys=[{"annotations": {"a": 1}}]), "projects[0].keys[0].annotations"),
    (_project(keys=[{"displayName": 5}]), "projects[0].keys[0].displayName"),
    (_project(keys=[{"displayName": "\ud800"}]), "not valid Unicode"),
    (_project(keys=[{"serviceAccountEmail": "x@y.z"}]), "projects[0].keys[0].serviceAccountEmail"),
    ({"organizations": [{"name": "organizations/x", "displayName": "x"}]}, "organizations[0].name"),
    ({"folders": [{"name": "folders/5", "displayName": "x"}]}, "folders[0].parent: is missing"),
    ({"customRoles": {"keyMaker": []}}, "customRoles.keyMaker"),
    ({"customRoles": {"organizations/1000/roles/x": "all"}}, "customRoles.organizations/1000/roles/x"),
    ({"orgPolicies": {"organizations/9": {}}}, "orgPolicies.organizations/9"),
    ({"orgPolicies": {"organizations/1000": {"x": "yes"}}}, "orgPolicies.organizations/1000"),
    ({"gemini": {"rejectStandardKeys": "no"}}, "gemini.rejectStandardKeys"),
    ({"fleet": {"projects": "many"}}, "fleet.projects"),
    ({"fleet": {"projects": -1}}, "fleet.projects"),
    ({"fleet": {"projects": 10**9}}, "fleet.projects"),
    ({"fleet": {"parent": "folders/9"}}, "fleet.parent"),
    ({"fleet": {"sise": 1}}, "fleet.sise: unknown field"),
]


@pytest.mark.parametrize(("seed", "place"), BAD, ids=[place for _, place in BAD])
def test_a_mistake_is_named_with_its_place_and_nothing_is_changed(sandbox: Running, seed: Any, place: str) -> None:
    good = {"projects": [{"projectId": "good-project", "iam": OWNER}, *seed.get("projects", [])]}
    if isinstance(seed.get("projects", []), list):
        seed = seed | good
        place = place.replace("projects[0]", "projects[1]")
    with pytest.raises(HTTPError) as caught:
        sandbox.control("seed", seed)
    error = json.loads(caught.value.read())["error"]
    assert (caught.value.code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert place in error["message"]
    assert send(sandbox, "GET", "/v3/projects/good-project").status == 403
    assert send(sandbox, "GET", "/v3/projects/my-project").status == 403


def test_a_fleet(sandbox: Running) -> None:
    sandbox.control("seed", {"fleet": {"projects": 30, "keysPerProject": 5, "parent": "organizations/1000"}})
    found = send(sandbox, "GET", "/v3/projects:search?query=id:fleet-*&pageSize=500").data["projects"]
    assert len(found) == 30
    assert {project["parent"] for project in found} == {"organizations/1000"}
    kinds, states, shown = set(), set(), 0
    for number in range(30):
        path = f"/v2/projects/fleet-{number:05}/locations/global/keys"
        keys = send(sandbox, "GET", f"{path}?showDeleted=true").data["keys"]
        shown += len(keys)
        kinds |= {"serviceAccountEmail" in key for key in keys}
        states |= {key.get("annotations", {}).get("keyadmin-state") for key in keys}
    assert shown == 150
    assert kinds == {True, False}
    assert {"stuck", "grace", None} <= states
    sandbox.control("seed", {"fleet": {"projects": 30, "keysPerProject": 5}})  # again: nothing doubled
    assert len(send(sandbox, "GET", "/v2/projects/fleet-00000/locations/global/keys?showDeleted=true").data["keys"]) == 5
