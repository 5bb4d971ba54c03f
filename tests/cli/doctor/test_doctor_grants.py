"""`doctor --message`, `--role-file` and `--apply`: the way out written down, and taken."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.access.permissions import FEATURES
from keyadmin.access.roles import permissions_of

DEV = "dev@example.com"
MEMBER = f"user:{DEV}"
FIVE = set(FEATURES["create-auth-key"].permissions)


def call(served: Any, path: str, body: Any) -> Any:
    """A REST call as the owner."""
    request = urllib.request.Request(
        f"{served.rest}{path}", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def policy_of(served: Any, project: str = "demo-project") -> dict[str, Any]:
    return dict(call(served, f"/v3/projects/{project}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}}))


def roles_of(policy: dict[str, Any], member: str) -> set[str]:
    return {each["role"] for each in policy["bindings"] if member in each["members"] and "condition" not in each}


# ---- message ---------------------------------------------------------------------------------------------------------


def test_the_message_alone_goes_to_stdout(run: Callable[..., Any]) -> None:
    result = run("doctor", "demo-project", "--message", user=DEV)
    assert result.code == 3
    for words in (MEMBER, "demo-project", *FIVE, "gcloud projects add-iam-policy-binding", "gcloud iam roles create"):
        assert words in result.out
    assert "keyadmin doctor demo-project --for create-auth-key" in result.out
    assert "permission:" not in result.out


def test_no_message_where_nothing_is_missing(run: Callable[..., Any]) -> None:
    result = run("doctor", "demo-project", "--message")
    assert result.code == 0
    assert result.out.strip() == ""
    assert "nothing to ask for" in result.err


def test_a_service_account_is_named_as_one(run: Callable[..., Any]) -> None:
    account = "robot@demo-project.iam.gserviceaccount.com"
    assert f"serviceAccount:{account}" in run("doctor", "demo-project", "--message", user=account).out


# ---- role file -------------------------------------------------------------------------------------------------------


def test_the_role_file_has_exactly_what_is_missing(run: Callable[..., Any], served: Any, tmp_path: Path) -> None:
    served.give(DEV, ["resourcemanager.projects.get", "apikeys.keys.create", "serviceusage.services.enable"])
    file = tmp_path / "role.yaml"
    result = run("doctor", "demo-project", "--role-file", str(file), user=DEV)
    assert result.code == 3
    document = yaml.safe_load(file.read_text("utf-8"))
    assert set(document) == {"title", "description", "stage", "includedPermissions"}
    assert document["includedPermissions"] == ["iam.serviceAccountApiKeyBindings.create", "iam.serviceAccounts.create"]
    assert "gcloud iam roles create" in result.err


def test_the_custom_role_is_one_that_iam_takes_and_that_mends_it(
    run: Callable[..., Any], doctor: Callable[..., Any], served: Any, tmp_path: Path
) -> None:
    file = tmp_path / "role.yaml"
    run("doctor", "demo-project", "--role-file", str(file), user=DEV)
    role = yaml.safe_load(file.read_text("utf-8"))
    made = call(served, "/v1/projects/demo-project/roles", {"roleId": "keyadminCreateAuthKey", "role": role})
    assert set(made["includedPermissions"]) == FIVE
    served.seed(projects=[{"projectId": "demo-project", "iam": {made["name"]: [MEMBER]}}])
    assert doctor("demo-project", user=DEV).ready
    assert run("keys", "create", "--name", "made", user=DEV).code == 0


def test_nothing_missing_writes_no_role_file(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "role.yaml"
    assert run("doctor", "demo-project", "--role-file", str(file)).code == 0
    assert not file.exists()


def test_a_file_that_exists_is_not_overwritten_unasked(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "role.yaml"
    file.write_text("mine")
    assert run("doctor", "demo-project", "--role-file", str(file), user=DEV).code == 2
    assert file.read_text() == "mine"
    assert run("doctor", "demo-project", "--role-file", str(file), "--yes", user=DEV).code == 3
    assert "includedPermissions" in file.read_text()


def test_a_role_file_that_is_only_tried_is_not_written(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "role.yaml"
    result = run("doctor", "demo-project", "--role-file", str(file), "--dry-run", "--format", "json", user=DEV)
    assert result.code == 3
    assert result.json[0]["missingPermissions"]
    assert "would write a custom role of 5 permissions" in result.err
    assert not file.exists()


def test_a_role_file_that_cannot_be_written(run: Callable[..., Any], tmp_path: Path) -> None:
    result = run("doctor", "demo-project", "--role-file", str(tmp_path / "no" / "such" / "folder.yaml"), user=DEV)
    assert result.code == 2
    assert "cannot be written" in result.err


# ---- apply -----------------------------------------------------------------------------------------------------------


def test_apply_grants_what_a_member_lacks(run: Callable[..., Any], doctor: Callable[..., Any], served: Any) -> None:
    result = run("doctor", "demo-project", "--apply", "--member", MEMBER, "--yes")
    assert result.code == 0
    assert "Changes to the allow policy of project demo-project" in result.err
    assert "demo-project: ready to" in result.out, "the report is of afterwards: nobody grants it twice"
    assert "To grant what is missing" not in result.out
    for role in roles_of(policy_of(served), MEMBER):
        assert f"+ {role}" in result.err
    assert doctor("demo-project", user=DEV).ready
    assert run("keys", "create", "--name", "made", user=DEV).code == 0


def test_apply_grants_no_more_than_the_smallest_roles(run: Callable[..., Any], served: Any) -> None:
    run("doctor", "demo-project", "--apply", "--member", MEMBER, "--yes")
    granted = roles_of(policy_of(served), MEMBER)
    assert sum(len(permissions_of(role)) for role in granted) == 44
    before = policy_of(served)
    again = run("doctor", "demo-project", "--apply", "--member", MEMBER, "--yes")
    assert again.code == 0
    assert "Nothing is missing" in again.err
    assert policy_of(served) == before  # not even the etag


def test_what_the_member_has_already_is_not_granted_again(run: Callable[..., Any], served: Any) -> None:
    served.seed(
        projects=[{"projectId": "demo-project", "iam": {"roles/serviceusage.apiKeysAdmin": [MEMBER]}}],
        folders=[
            {
                "name": "folders/1001",
                "displayName": "Products",
                "parent": "organizations/1000",
                "iam": {"roles/iam.serviceAccountCreator": [MEMBER]},
            }
        ],
    )
    run("doctor", "demo-project", "--apply", "--member", MEMBER, "--yes")
    assert roles_of(policy_of(served), MEMBER) == {
        "roles/serviceusage.apiKeysAdmin",  # as before
        "roles/iam.serviceAccountApiKeyBindingAdmin",
        "roles/serviceusage.serviceUsageAdmin",
    }


def test_other_bindings_conditions_and_audit_settings_stay(run: Callable[..., Any], served: Any) -> None:
    conditional = {
        "role": "roles/iam.serviceAccountCreator",
        "members": [MEMBER],
        "condition": {
            "title": "until spring",
            "description": "a trial",
            "expression": 'request.time < timestamp("2030-01-01T00:00:00Z")',
        },
    }
    audit = [
        {"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": ["user:a@example.com"]}]}
    ]
    before = policy_of(served)
    other = {"role": "roles/viewer", "members": ["group:all@example.com", "user:zoe@example.com"]}
    wanted = before | {"version": 3, "bindings": [*before["bindings"], other, conditional], "auditConfigs": audit}
    call(
        served, "/v3/projects/demo-project:setIamPolicy", {"policy": wanted, "updateMask": "bindings,etag,version,auditConfigs"}
    )
    before = policy_of(served)
    granted = run("doctor", "demo-project", "--apply", "--member", MEMBER, "--yes")
    assert granted.code == 3, "one permission is unknown"
    after = policy_of(served)
    assert after["auditConfigs"] == before["auditConfigs"] == audit
    for binding in before["bindings"]:
        assert binding in after["bindings"]
    added = [binding for binding in after["bindings"] if binding not in before["bindings"]]
    assert added
    assert all(binding["members"] == [MEMBER] and "condition" not in binding for binding in added)
    # whether a conditional grant holds is unknown: it is listed, and only what is certainly missing is granted
    assert "roles/iam.serviceAccountCreator" not in {binding["role"] for binding in added}
    assert "until spring" in granted.err


def test_a_conflict_is_read_and_written_again(run: Callable[..., Any], doctor: Callable[..., Any], served: Any) -> None:
    served.control("faults", {"method": "SetIamPolicy", "code": "ABORTED", "times": 2})
    assert run("doctor", "demo-project", "--apply", "--member", MEMBER, "--yes").code == 0
    assert doctor("demo-project", user=DEV).ready


def test_two_at_once_lose_no_grant(typed: Callable[..., Any], served: Any) -> None:
    members = [f"user:dev{number}@example.com" for number in range(4)]
    env = {"KEYADMIN_SANDBOX": served.rest}

    def grant(member: str) -> Any:
        return typed("doctor", "demo-project", "--apply", "--member", member, "--yes", env=env)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(grant, members))
    assert [each.code for each in results] == [0] * 4
    policy = policy_of(served)
    assert all(len(roles_of(policy, member)) == 4 for member in members)


def test_apply_asks_first(run: Callable[..., Any], served: Any) -> None:
    before = policy_of(served)
    assert run("doctor", "demo-project", "--apply", "--member", MEMBER).code == 2  # nobody to ask
    declined = run("doctor", "demo-project", "--apply", "--member", MEMBER, terminal=True, stdin="n\n")
    assert declined.code == 1
    assert "+ roles/" in declined.err
    assert policy_of(served) == before
    agreed = run("doctor", "demo-project", "--apply", "--member", MEMBER, terminal=True, stdin="y\n")
    assert agreed.code == 0
    assert policy_of(served) != before


def test_a_dry_run_grants_nothing(run: Callable[..., Any], served: Any) -> None:
    before = policy_of(served)
    result = run("doctor", "demo-project", "--apply", "--member", MEMBER, "--dry-run")
    assert "+ roles/" in result.err
    assert policy_of(served) == before


def test_who_may_not_set_the_policy_is_refused(run: Callable[..., Any], served: Any) -> None:
    served.give(DEV, sorted(FIVE))
    result = run("doctor", "demo-project", "--apply", "--member", "user:friend@example.com", "--yes", user=DEV)
    assert result.code == 1
    assert "resourcemanager.projects.getIamPolicy" in result.err
    assert roles_of(policy_of(served), "user:friend@example.com") == set()


def test_an_admin_without_the_feature_s_rights_can_grant_them_to_themselves(
    run: Callable[..., Any], doctor: Callable[..., Any], served: Any
) -> None:
    admin = "admin@example.com"
    served.seed(projects=[{"projectId": "demo-project", "iam": {"roles/resourcemanager.projectIamAdmin": [f"user:{admin}"]}}])
    assert not doctor("demo-project", user=admin).ready
    assert run("doctor", "demo-project", "--apply", "--member", f"user:{admin}", "--yes", user=admin).code == 0
    assert doctor("demo-project", user=admin).ready


@pytest.mark.parametrize("kind", ["group:devs@example.com", "serviceAccount:robot@demo-project.iam.gserviceaccount.com"])
def test_groups_and_service_accounts(run: Callable[..., Any], served: Any, kind: str) -> None:
    served.seed(projects=[{"projectId": "demo-project", "serviceAccounts": ["robot"]}])
    assert run("doctor", "demo-project", "--apply", "--member", kind, "--yes").code == 0
    assert len(roles_of(policy_of(served), kind)) == 4
