"""What the API Keys service accepts, limits, refuses, keeps and forgets."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Running
from .wire import KEYS, create, done, send

GEMINI = "generativelanguage.googleapis.com"
CROWDED = "/v2/projects/crowded-project/locations/global/keys"
WORKERS = "workers@crowded-project.iam.gserviceaccount.com"
ONLY_GEMINI = {"apiTargets": [{"service": GEMINI}]}


def _refused(reply: Any, status: int, name: str, *words: str) -> None:
    assert (reply.status, reply.data["error"]["status"]) == (status, name), reply.body
    for word in words:
        assert word in reply.data["error"]["message"]


@pytest.mark.parametrize("key_id", ["a", "a1", "my-key", "a" + "b" * 62, "ka-abcdefghij-1"])
def test_ids_that_are_taken(shared_sandbox: Running, key_id: str) -> None:
    shared_sandbox.control("reset", {})
    assert create(shared_sandbox, key_id)["name"] == f"projects/100000000001/locations/global/keys/{key_id}"


@pytest.mark.parametrize(
    "key_id", ["A", "1a", "-a", "a-", "a_b", "a.b", "a" + "b" * 63, "c3d9b1f0-4f4e-4c1e-9d53-6a3c8f0b2f11", "é"]
)
def test_ids_that_are_refused(shared_sandbox: Running, key_id: str) -> None:
    from urllib.parse import quote

    _refused(send(shared_sandbox, "POST", f"{KEYS}?keyId={quote(key_id)}", {}), 400, "INVALID_ARGUMENT", "key id")


def test_without_an_id_it_is_the_uid(sandbox: Running) -> None:
    key = create(sandbox)
    assert key["name"].endswith(f"/keys/{key['uid']}")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", key["uid"])
    named = create(sandbox, "named")
    assert named["uid"] not in named["name"]


def test_fields_that_are_empty_are_absent(sandbox: Running) -> None:
    assert list(create(sandbox, "bare")) == ["@type", "name", "keyString", "createTime", "uid", "updateTime", "etag"]
    assert list(send(sandbox, "GET", f"{KEYS}/bare").data) == ["name", "createTime", "uid", "updateTime", "etag"]
    assert send(sandbox, "GET", "/v2/projects/somebody-elses/locations/global/keys").status == 403
    done(sandbox, send(sandbox, "DELETE", f"{KEYS}/bare"))
    assert send(sandbox, "GET", KEYS).body == b'{\n  "keys": []\n}\n'


def test_names_carry_the_project_number_whatever_was_asked(sandbox: Running) -> None:
    create(sandbox, "k")
    for project in ("demo-project", "100000000001"):
        name = send(sandbox, "GET", f"/v2/projects/{project}/locations/global/keys/k").data["name"]
        assert name == "projects/100000000001/locations/global/keys/k"


def test_a_key_that_is_not_there(sandbox: Running) -> None:
    name = "projects/demo-project/locations/global/keys/missing"
    for method, path in (("GET", ""), ("GET", "/keyString"), ("PATCH", ""), ("DELETE", ""), ("POST", ":undelete")):
        _refused(send(sandbox, method, f"/v2/{name}{path}", {}), 404, "NOT_FOUND", f'key "{name}" not found')


def test_a_location_other_than_global(sandbox: Running) -> None:
    _refused(send(sandbox, "GET", "/v2/projects/demo-project/locations/europe-west1/keys"), 400, "INVALID_ARGUMENT", "global")


def test_the_display_name_has_63_characters_at_most(sandbox: Running) -> None:
    assert create(sandbox, None, {"displayName": "é" * 63})["displayName"] == "é" * 63
    _refused(send(sandbox, "POST", KEYS, {"displayName": "é" * 64}), 400, "INVALID_ARGUMENT", "63")


def test_300_keys_a_project_and_deleted_ones_do_not_count(sandbox: Running) -> None:
    for number in range(4):
        create(sandbox, f"more-{number}", project="crowded-project")
    full = send(sandbox, "POST", CROWDED, {})
    _refused(full, 429, "RESOURCE_EXHAUSTED", "300")
    assert full.reason == "RESOURCE_QUOTA_EXCEEDED"
    done(sandbox, send(sandbox, "DELETE", f"{CROWDED}/more-0"))
    create(sandbox, "one-more", project="crowded-project")
    assert len(send(sandbox, "GET", CROWDED).data["keys"]) == 300


def test_a_deleted_key_keeps_its_id_until_it_is_purged(sandbox: Running) -> None:
    key = create(sandbox, "mine")
    done(sandbox, send(sandbox, "DELETE", f"{KEYS}/mine"))
    _refused(send(sandbox, "POST", f"{KEYS}?keyId=mine", {}), 409, "ALREADY_EXISTS")
    sandbox.control("clock", {"advance": "29d"})
    assert [one["name"] for one in send(sandbox, "GET", f"{KEYS}?showDeleted=True").data["keys"]] == [key["name"]]
    _refused(send(sandbox, "POST", f"{KEYS}?keyId=mine", {}), 409, "ALREADY_EXISTS")
    found = f"/v2/keys:lookupKey?keyString={key['keyString']}"
    assert list(send(sandbox, "GET", found).data) == ["parent", "name"]
    sandbox.control("clock", {"advance": "25h"})
    assert send(sandbox, "GET", f"{KEYS}?showDeleted=true").data["keys"] == []
    _refused(send(sandbox, "GET", f"{KEYS}/mine"), 404, "NOT_FOUND")
    _refused(send(sandbox, "POST", f"{KEYS}/mine:undelete", {}), 404, "NOT_FOUND")
    assert send(sandbox, "GET", found).data == {"parent": "projects/100000000001/locations/global"}
    assert create(sandbox, "mine")["keyString"] != key["keyString"]


def test_deleting_and_undeleting_twice(sandbox: Running) -> None:
    create(sandbox, "k")
    _refused(send(sandbox, "POST", f"{KEYS}/k:undelete", {}), 400, "FAILED_PRECONDITION")
    deleted = done(sandbox, send(sandbox, "DELETE", f"{KEYS}/k"))
    _refused(send(sandbox, "DELETE", f"{KEYS}/k"), 400, "FAILED_PRECONDITION")
    _refused(send(sandbox, "PATCH", f"{KEYS}/k", {"displayName": "x"}), 400, "FAILED_PRECONDITION")
    back = done(sandbox, send(sandbox, "POST", f"{KEYS}/k:undelete", {}))
    assert ("deleteTime" in deleted, "deleteTime" in back) == (True, False)


def test_etags(sandbox: Running) -> None:
    key = create(sandbox, "k")
    stale = {"displayName": "x", "etag": 'W/"AAAAAAAAAAAAAAAAAAAAAA=="'}
    _refused(send(sandbox, "PATCH", f"{KEYS}/k?updateMask=displayName", stale), 409, "ABORTED", "etag")
    fresh = done(sandbox, send(sandbox, "PATCH", f"{KEYS}/k?updateMask=displayName", stale | {"etag": key["etag"]}))
    from urllib.parse import quote

    _refused(send(sandbox, "DELETE", f"{KEYS}/k?etag={quote(key['etag'])}"), 409, "ABORTED")
    done(sandbox, send(sandbox, "DELETE", f"{KEYS}/k?etag={quote(fresh['etag'])}"))


def test_operations_carry_the_key_string_after_create_and_delete_only(sandbox: Running) -> None:
    key = create(sandbox, "k")
    assert key["keyString"]
    assert "keyString" not in done(sandbox, send(sandbox, "PATCH", f"{KEYS}/k", {"displayName": "x"}))
    assert done(sandbox, send(sandbox, "DELETE", f"{KEYS}/k"))["keyString"] == key["keyString"]
    assert "keyString" not in done(sandbox, send(sandbox, "POST", f"{KEYS}/k:undelete", {}))
    _refused(send(sandbox, "GET", "/v2/operations/akmf.p7-1-x"), 404, "NOT_FOUND")


def test_check_existing_usage(sandbox: Running) -> None:
    """CHECK refuses where the key was used in the last seven days; SKIP and the default do not look."""
    seed = {
        "projectId": "used-lately",
        "iam": {"roles/owner": ["user:owner@example.com"]},
        "keys": [
            {"keyId": "busy", "displayName": "busy", "lastUsed": "2026-01-01T00:00:00Z"},
            {"keyId": "idle", "displayName": "idle"},
        ],
    }
    now = sandbox.control("")["now"]
    seed["keys"][0]["lastUsed"] = now  # type: ignore[index]
    sandbox.control("seed", {"projects": [seed]})
    keys = "/v2/projects/used-lately/locations/global/keys"
    for method in ("PATCH", "DELETE"):
        reply = send(sandbox, method, f"{keys}/busy?checkExistingUsage=CHECK", {} if method == "PATCH" else None)
        _refused(reply, 400, "FAILED_PRECONDITION", "7 days")
        done(sandbox, send(sandbox, "PATCH", f"{keys}/{'busy'}?checkExistingUsage=SKIP", {"displayName": "x"}))
        done(sandbox, send(sandbox, "PATCH", f"{keys}/idle?checkExistingUsage=CHECK", {"displayName": "x"}))
    _refused(send(sandbox, "DELETE", f"{keys}/busy?checkExistingUsage=PERHAPS"), 400, "INVALID_ARGUMENT")
    sandbox.control("clock", {"advance": "8d"})
    done(sandbox, send(sandbox, "DELETE", f"{keys}/busy?checkExistingUsage=CHECK"))


def test_restrictions_are_checked_and_given_back_in_one_form(sandbox: Running) -> None:
    android = {
        "sha1Fingerprint": "da:39:a3:ee:5e:6b:4b:0d:32:55:bf:ef:95:60:18:90:af:d8:07:09",
        "packageName": "com.example.app",
    }
    key = create(sandbox, None, {"restrictions": {"androidKeyRestrictions": {"allowedApplications": [android]}}})
    stored = key["restrictions"]["androidKeyRestrictions"]["allowedApplications"]
    assert stored == [{"sha1Fingerprint": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "packageName": "com.example.app"}]
    bad: list[dict[str, Any]] = [
        {"serverKeyRestrictions": {"allowedIps": ["300.1.1.1"]}},
        {"androidKeyRestrictions": {"allowedApplications": [{"sha1Fingerprint": "12", "packageName": "com.example.app"}]}},
        {"androidKeyRestrictions": {"allowedApplications": [android | {"packageName": "no spaces"}]}},
        {"serverKeyRestrictions": {"allowedIps": [f"10.0.{n // 256}.{n % 256}" for n in range(1201)]}},
        {"apiTargets": [{"service": "not a service"}]},
    ]
    for restrictions in bad:
        _refused(send(sandbox, "POST", KEYS, {"restrictions": restrictions}), 400, "INVALID_ARGUMENT")


def test_auth_keys_need_their_account_the_binding_permission_and_the_policys_leave(sandbox: Running) -> None:
    body = {"serviceAccountEmail": WORKERS, "restrictions": ONLY_GEMINI}
    done(sandbox, send(sandbox, "DELETE", f"{CROWDED}/worker-000"))
    key = create(sandbox, "bound", body, "crowded-project")
    assert key["keyString"].startswith("AQ.SANDBOX-")
    assert list(key)[-1] == "serviceAccountEmail"
    missing = body | {"serviceAccountEmail": "nobody@crowded-project.iam.gserviceaccount.com"}
    _refused(send(sandbox, "POST", CROWDED, missing), 404, "NOT_FOUND")
    for targets in ([], [{"service": "maps-backend.googleapis.com"}], [{"service": GEMINI}, {"service": "a.googleapis.com"}]):
        reply = send(sandbox, "POST", CROWDED, body | {"restrictions": {"apiTargets": targets}})
        _refused(reply, 400, "FAILED_PRECONDITION", "iam.managed.disableServiceAccountApiKeyCreation")
        assert reply.reason == "CUSTOM_ORG_POLICY_VIOLATION"
    sandbox.control("seed", {"orgPolicies": {"organizations/1000": {"iam.managed.disableServiceAccountApiKeyCreation": False}}})
    create(sandbox, "unrestricted", {"serviceAccountEmail": WORKERS}, "crowded-project")


FIVE = (
    *("resourcemanager.projects.get", "apikeys.keys.list", "apikeys.keys.create"),
    *("iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create"),
)


@pytest.mark.parametrize("lacking", ["apikeys.keys.create", "iam.serviceAccountApiKeyBindings.create"])
def test_creating_an_auth_key_with_one_permission_too_few(sandbox: Running, lacking: str) -> None:
    _seed_maker(sandbox, [permission for permission in FIVE if permission != lacking])
    body = {"serviceAccountEmail": "bot@made-project.iam.gserviceaccount.com", "restrictions": ONLY_GEMINI}
    path = "/v2/projects/made-project/locations/global/keys"
    reply = send(sandbox, "POST", path, body, {"Authorization": "Bearer maker@example.com"})
    _refused(reply, 403, "PERMISSION_DENIED", lacking)
    assert reply.reason == "IAM_PERMISSION_DENIED"
    _seed_maker(sandbox, list(FIVE))
    assert send(sandbox, "POST", path, body, {"Authorization": "Bearer maker@example.com"}).status == 200


def _seed_maker(sandbox: Running, permissions: list[str]) -> None:
    role = "organizations/1000/roles/keyMaker"
    project = {"projectId": "made-project", "parent": "organizations/1000", "serviceAccounts": ["bot"]}
    sandbox.control(
        "seed", {"customRoles": {role: permissions}, "projects": [project | {"iam": {role: ["user:maker@example.com"]}}]}
    )


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "", "apikeys.keys.create"),
        ("GET", "", "apikeys.keys.list"),
        ("GET", "/worker-000", "apikeys.keys.get"),
        ("GET", "/worker-000/keyString", "apikeys.keys.getKeyString"),
        ("PATCH", "/worker-000", "apikeys.keys.update"),
        ("DELETE", "/worker-000", "apikeys.keys.delete"),
        ("POST", "/worker-000:undelete", "apikeys.keys.undelete"),
    ],
)
def test_each_call_needs_its_own_permission(sandbox: Running, method: str, path: str, permission: str) -> None:
    reply = send(sandbox, method, CROWDED + path, {}, {"Authorization": "Bearer nobody@example.net"})
    _refused(reply, 403, "PERMISSION_DENIED", permission, "(or it may not exist)")
    info = reply.data["error"]["details"][0]
    assert (info["reason"], info["domain"], info["metadata"]["permission"]) == (
        *("IAM_PERMISSION_DENIED", "iam.googleapis.com"),
        permission,
    )
    missing = send(sandbox, method, CROWDED.replace("crowded-project", "no-such-project") + path, {})
    _refused(missing, 403, "PERMISSION_DENIED", permission)


def test_lookup(sandbox: Running) -> None:
    key = create(sandbox, "k")
    path = f"/v2/keys:lookupKey?keyString={key['keyString']}"
    parent = "projects/100000000001/locations/global"
    assert send(sandbox, "GET", path).data == {"parent": parent, "name": f"{parent}/keys/k"}
    _refused(send(sandbox, "GET", path, None, {"Authorization": "Bearer nobody@example.net"}), 403, "PERMISSION_DENIED")
    _refused(send(sandbox, "GET", "/v2/keys:lookupKey?keyString=AQ.unknown"), 403, "PERMISSION_DENIED")
    _refused(send(sandbox, "GET", "/v2/keys:lookupKey"), 400, "INVALID_ARGUMENT")


def test_a_suspended_project_takes_no_new_key(sandbox: Running) -> None:
    _refused(send(sandbox, "POST", CROWDED.replace("crowded", "suspended"), {}), 403, "PERMISSION_DENIED", "has been suspended")
