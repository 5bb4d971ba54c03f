"""IAM v1 as google-api-python-client and the gcloud command call it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from keyadmin.access.explain import explain
from keyadmin.model.cause import Cause

from .clients import Gcloud, discovered
from .conftest import Running

DEMO = "projects/demo-project"
EMAIL = "robot-one@demo-project.iam.gserviceaccount.com"
NAME = f"{DEMO}/serviceAccounts/{EMAIL}"
PROJECT = "--project=demo-project"


@pytest.fixture
def accounts(sandbox: Running) -> Any:
    return discovered("iam", "v1", sandbox).projects().serviceAccounts()


def _create(accounts: Any, **fields: str) -> Any:
    return accounts.create(name=DEMO, body={"accountId": "robot-one", "serviceAccount": fields}).execute()


def test_discovery_client_walks_through_an_account(accounts: Any) -> None:
    made = _create(accounts, displayName="Robot")
    unique_id = made["uniqueId"]
    assert made == {
        "name": NAME,
        "projectId": "demo-project",
        "uniqueId": unique_id,
        "email": EMAIL,
        "displayName": "Robot",
        "etag": "MDEwMjE5MjA=",
        "oauth2ClientId": unique_id,
    }
    assert list(made) == ["name", "projectId", "uniqueId", "email", "displayName", "etag", "oauth2ClientId"]
    assert accounts.get(name=NAME).execute() == made
    assert accounts.list(name=DEMO, pageSize=1).execute() == {"accounts": [made]}
    body = {"serviceAccount": {"description": "one"}, "updateMask": "description"}
    assert accounts.patch(name=NAME, body=body).execute() == {"name": NAME, "description": "one"}  # recorded
    assert accounts.update(name=NAME, body={"displayName": "R"}).execute()["displayName"] == "R"
    assert accounts.disable(name=NAME, body={}).execute() == {}
    assert accounts.get(name=NAME).execute()["disabled"] is True
    assert accounts.enable(name=NAME, body={}).execute() == {}
    assert accounts.delete(name=NAME).execute() == {}
    assert accounts.list(name=DEMO).execute() == {}
    restored = accounts.undelete(name=f"{DEMO}/serviceAccounts/{unique_id}", body={}).execute()
    assert restored["restoredAccount"]["uniqueId"] == unique_id


def test_discovery_client_keeps_a_policy(accounts: Any) -> None:
    _create(accounts)
    assert accounts.getIamPolicy(resource=NAME).execute() == {"etag": "ACAB"}
    binding = {"role": "roles/iam.serviceAccountUser", "members": ["user:friend@example.com"]}
    policy = accounts.setIamPolicy(resource=NAME, body={"policy": {"bindings": [binding]}}).execute()
    assert policy == {"version": 1, "etag": policy["etag"], "bindings": [binding]}
    assert accounts.getIamPolicy(resource=NAME, options_requestedPolicyVersion=3).execute() == policy
    held = accounts.testIamPermissions(resource=NAME, body={"permissions": ["iam.serviceAccounts.get"]}).execute()
    assert held == {"permissions": ["iam.serviceAccounts.get"]}


def test_discovery_client_sees_errors_as_google_words_them(accounts: Any) -> None:
    _create(accounts)
    with pytest.raises(HttpError) as caught:
        _create(accounts)
    message = "Service account robot-one already exists within project projects/demo-project."
    assert json.loads(caught.value.content) == {
        "error": {
            "code": 409,
            "message": message,
            "errors": [{"message": message, "domain": "global", "reason": "alreadyExists"}],
            "status": "ALREADY_EXISTS",
            "details": [{"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceName": NAME}],
        }
    }


def test_discovery_client_keeps_roles_of_projects_and_organisations(sandbox: Running) -> None:
    sandbox.control(
        "seed",
        {
            "organizations": [
                {"name": "organizations/1000", "iam": {"roles/iam.organizationRoleAdmin": ["user:owner@example.com"]}}
            ]
        },
    )
    iam = discovered("iam", "v1", sandbox)
    for holder, parent in ((iam.projects(), DEMO), (iam.organizations(), "organizations/1000")):
        roles = holder.roles()
        role = {"title": "Key maker", "includedPermissions": ["apikeys.keys.create"], "stage": "BETA"}
        made = roles.create(parent=parent, body={"roleId": "keyMaker", "role": role}).execute()
        assert made == {"name": f"{parent}/roles/keyMaker", **role, "etag": made["etag"]}
        assert roles.list(parent=parent, view="FULL").execute() == {"roles": [made]}
        body = {"description": "makes keys", "etag": made["etag"]}
        changed = roles.patch(name=made["name"], updateMask="description", body=body).execute()
        assert changed == made | {"description": "makes keys", "etag": changed["etag"]}
        with pytest.raises(HttpError) as caught:
            roles.patch(name=made["name"], updateMask="description", body=body).execute()
        assert caught.value.status_code == 409
        assert roles.delete(name=made["name"], etag=changed["etag"]).execute()["deleted"] is True
        assert roles.list(parent=parent).execute() == {}
        assert "deleted" not in roles.undelete(name=made["name"], body={}).execute()


def test_discovery_client_reads_predefined_roles(sandbox: Running) -> None:
    roles = discovered("iam", "v1", sandbox).roles()
    names = []
    request = roles.list(pageSize=50)
    while request is not None:
        answer = request.execute()
        names += [role["name"] for role in answer["roles"]]
        request = roles.list_next(request, answer)
    assert len(names) > 150
    role = roles.get(name="roles/serviceusage.apiKeysViewer").execute()
    assert role["title"] == "API Keys Viewer"
    assert "apikeys.keys.list" in role["includedPermissions"]


def test_gcloud_creates_lists_and_describes_accounts(sandbox: Running, tmp_path: Path) -> None:
    gcloud = Gcloud(sandbox, tmp_path)
    made = gcloud("iam", "service-accounts", "create", "robot-one", "--display-name=Robot", PROJECT)
    assert (made.returncode, made.stderr) == (0, "Created service account [robot-one].\n")
    again = gcloud("iam", "service-accounts", "create", "robot-one", PROJECT)
    assert again.returncode == 1
    assert "already exists within project projects/demo-project" in again.stderr
    listed = json.loads(gcloud("iam", "service-accounts", "list", PROJECT, "--format=json").stdout)
    assert [(account["email"], account["displayName"], account["disabled"]) for account in listed] == [(EMAIL, "Robot", False)]
    described = gcloud("iam", "service-accounts", "describe", EMAIL, PROJECT, "--format=json")
    assert json.loads(described.stdout)["uniqueId"] == listed[0]["uniqueId"]
    missing = gcloud("iam", "service-accounts", "describe", "no-such@demo-project.iam.gserviceaccount.com", PROJECT)
    assert missing.returncode == 1
    assert "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist)" in missing.stderr
    gone = gcloud("iam", "service-accounts", "delete", EMAIL, PROJECT)
    assert gone.returncode == 0, gone.stderr


def test_gcloud_binds_a_member_to_an_account_and_impersonates_it(sandbox: Running, tmp_path: Path) -> None:
    gcloud = Gcloud(sandbox, tmp_path)
    assert gcloud("iam", "service-accounts", "create", "robot-one", PROJECT).returncode == 0
    bound = gcloud(
        *("iam", "service-accounts", "add-iam-policy-binding", EMAIL, PROJECT, "--format=json"),
        *("--member=user:owner@example.com", "--role=roles/iam.serviceAccountTokenCreator"),
    )
    assert bound.returncode == 0, bound.stderr
    assert json.loads(bound.stdout)["bindings"][0]["members"] == ["user:owner@example.com"]
    listed = gcloud("iam", "service-accounts", "list", PROJECT, f"--impersonate-service-account={EMAIL}")
    assert listed.returncode == 1
    assert "Permission 'iam.serviceAccounts.list' denied" in listed.stderr
    log = sandbox.control("requests")
    assert [(call["method"].rpartition(".")[2], call["principal"]) for call in log[-2:]] == [
        ("GenerateAccessToken", "owner@example.com"),
        ("ListServiceAccounts", EMAIL),
    ]


def test_gcloud_keeps_custom_roles(sandbox: Running, tmp_path: Path) -> None:
    gcloud = Gcloud(sandbox, tmp_path)
    permissions = "apikeys.keys.create,resourcemanager.projects.get"
    made = gcloud("iam", "roles", "create", "keyMaker", PROJECT, "--title=Key maker", f"--permissions={permissions}")
    assert made.returncode == 0, made.stderr
    assert "API is not enabled for permissions: [apikeys.keys.create]" in made.stderr.replace("\n", " ")
    changed = gcloud("iam", "roles", "update", "keyMaker", PROJECT, "--add-permissions=apikeys.keys.list", "--stage=GA")
    assert changed.returncode == 0, changed.stderr
    described = gcloud("iam", "roles", "describe", "keyMaker", PROJECT, "--format=json")
    role = json.loads(described.stdout)
    assert role["includedPermissions"] == ["apikeys.keys.create", "apikeys.keys.list", "resourcemanager.projects.get"]
    assert role["stage"] == "GA"
    listed = gcloud("iam", "roles", "list", PROJECT, "--format=value(name)")
    assert listed.stdout.split() == [f"{DEMO}/roles/keyMaker"]
    assert gcloud("iam", "roles", "delete", "keyMaker", PROJECT).returncode == 0
    assert gcloud("iam", "roles", "undelete", "keyMaker", PROJECT).returncode == 0
    predefined = gcloud("iam", "roles", "describe", "roles/serviceusage.apiKeysAdmin", "--format=value(title)")
    assert predefined.stdout == "API Keys Admin\n"
    testable = gcloud(
        "iam", "list-testable-permissions", f"//cloudresourcemanager.googleapis.com/{DEMO}", "--format=value(name)"
    )
    assert "apikeys.keys.create" in testable.stdout.split()
    grantable = gcloud("iam", "list-grantable-roles", f"//cloudresourcemanager.googleapis.com/{DEMO}", "--format=value(name)")
    assert {"roles/owner", f"{DEMO}/roles/keyMaker"} <= set(grantable.stdout.split())


@pytest.mark.parametrize("constraint", ["iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation"])
def test_the_printed_exception_lifts_an_inherited_constraint(
    sandbox: Running, accounts: Any, tmp_path: Path, constraint: str
) -> None:
    """What `explain` prints where the constraint is set at the organisation, typed as it stands."""
    _create(accounts)
    sandbox.control("seed", {"orgPolicies": {"organizations/1000": {constraint: True}}})
    with pytest.raises(HttpError) as refused:
        accounts.keys().create(name=NAME, body={}).execute()
    found = explain(f"{refused.value.content.decode()} on {DEMO}")
    assert found.cause is Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY
    commands = [line.partition("    #")[0] for line in found.fix if "gcloud org-policies" in line]
    assert len(commands) == 2
    environment = Gcloud(sandbox, tmp_path / "gcloud").environment
    for command in commands:
        words = command.replace("CONSTRAINT", constraint)
        done = subprocess.run(["sh", "-c", words], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    assert accounts.keys().create(name=NAME, body={}).execute()["privateKeyData"]


def test_gcloud_reads_and_sets_organisation_policies(sandbox: Running, tmp_path: Path) -> None:
    gcloud = Gcloud(sandbox, tmp_path)
    constraint = "iam.managed.disableServiceAccountApiKeyCreation"
    effective = gcloud("org-policies", "describe", constraint, "--effective", PROJECT, "--format=json")
    assert json.loads(effective.stdout) == {
        "name": f"projects/100000000001/policies/{constraint}",
        "spec": {"rules": [{"enforce": True}]},
    }
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"name": f"{DEMO}/policies/{constraint}", "spec": {"rules": [{"enforce": False}]}}))
    for enforce in (False, True):
        file.write_text(json.dumps({"name": f"{DEMO}/policies/{constraint}", "spec": {"rules": [{"enforce": enforce}]}}))
        done = gcloud("org-policies", "set-policy", str(file))
        assert done.returncode == 0, done.stderr
        effective = gcloud("org-policies", "describe", constraint, "--effective", PROJECT, "--format=json")
        assert json.loads(effective.stdout)["spec"]["rules"] == [{"enforce": enforce}]
    listed = gcloud("org-policies", "list", PROJECT, "--format=value(constraint)")
    assert listed.stdout.split() == [constraint]
    assert gcloud("org-policies", "delete", constraint, PROJECT).returncode == 0
