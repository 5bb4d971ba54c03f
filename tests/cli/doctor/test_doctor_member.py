"""doctor --member: somebody else's permissions as far as the caller may read them; what is unknown is said and not granted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MEMBER = "user:newcomer@example.com"
BEFORE_2026 = ["resourcemanager.projects.get", "serviceusage.services.enable", "apikeys.keys.create"]
NEW = ["iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create"]


def binding(place: str, role: str, member: str = MEMBER) -> dict[str, Any]:
    """A seed of one binding on a project, folder or organisation."""
    iam = {role: [member]}
    if place.startswith("folders/"):
        return {"folders": [{"name": place, "displayName": "Engineering", "parent": "organizations/1000", "iam": iam}]}
    if place.startswith("organizations/"):
        return {"organizations": [{"name": place, "displayName": "example.com", "iam": iam}]}
    return {"projects": [{"projectId": place, "iam": iam}]}


def diagnosed(run: Callable[..., Any], *more: str, user: str = "owner@example.com") -> Any:
    done = run("doctor", "demo-project", "--member", MEMBER, *more, "--format", "json", user=user)
    assert done.out, done.err
    return done.json[0], done


def statuses(found: Any) -> dict[str, str]:
    return {each["permission"]: each["status"] for each in found["checks"] if "permission" in each and each["required"]}


@pytest.mark.parametrize(
    ("place", "role"),
    [
        ("demo-project", "projects/demo-project/roles/keyMaker"),
        ("demo-project", "organizations/1000/roles/keyMaker"),
        ("folders/1001", "organizations/1000/roles/keyMaker"),
        ("organizations/1000", "organizations/1000/roles/keyMaker"),
    ],
)
def test_a_custom_role_of_before_2026_lacks_two_permissions(
    run: Callable[..., Any], served: Any, place: str, role: str
) -> None:
    served.seed(customRoles={role: BEFORE_2026})
    served.seed(**binding("organizations/1000", "roles/iam.organizationRoleViewer", "user:owner@example.com"))
    served.seed(**binding(place, role))
    found, done = diagnosed(run)
    assert done.code == 3
    assert found["principal"] == "newcomer@example.com"
    assert found["missingPermissions"] == NEW
    assert found["remedy"]["roles"] == ["roles/iam.serviceAccountApiKeyBindingAdmin", "roles/iam.serviceAccountCreator"]
    assert all("newcomer@example.com" in command for command in found["remedy"]["commands"] if "member" in command)
    own = run("doctor", "demo-project", "--format", "json", user="newcomer@example.com").json[0]
    assert own["missingPermissions"] == found["missingPermissions"]
    assert own["remedy"]["roles"] == found["remedy"]["roles"]
    message = run("doctor", "demo-project", "--member", MEMBER, "--message")
    assert "Please grant user:newcomer@example.com" in message.out


def test_apply_grants_exactly_that(run: Callable[..., Any], served: Any) -> None:
    served.seed(customRoles={"projects/demo-project/roles/keyMaker": BEFORE_2026})
    served.seed(**binding("demo-project", "projects/demo-project/roles/keyMaker"))
    done = run("doctor", "demo-project", "--member", MEMBER, "--apply", "--yes")
    assert done.code == 0, done.err
    added = [line.split()[1] for line in done.err.splitlines() if line.strip().startswith("+ ")]
    assert added == ["roles/iam.serviceAccountApiKeyBindingAdmin", "roles/iam.serviceAccountCreator"]
    assert "demo-project: ready" in done.out, "the state after, not the one before"
    assert "To grant what is missing" not in done.out
    assert run("keys", "create", "--name", "made", user="newcomer@example.com").code == 0


@pytest.mark.parametrize("member", ["group:makers@example.com", "domain:example.com"])
def test_what_a_group_may_grant_is_unknown_and_not_granted(run: Callable[..., Any], served: Any, member: str) -> None:
    served.seed(**binding("demo-project", "roles/iam.serviceAccountCreator", member))
    found, done = diagnosed(run)
    assert statuses(found)["iam.serviceAccounts.create"] == "unknown"
    assert "iam.serviceAccounts.create" not in found["missingPermissions"]
    assert member in done.out
    granted = run("doctor", "demo-project", "--member", MEMBER, "--apply", "--yes")
    assert "roles/iam.serviceAccountCreator" not in [line.split()[1] for line in granted.err.splitlines() if "+ " in line]
    assert member in granted.err


def test_a_custom_role_that_may_not_be_read_is_unknown(run: Callable[..., Any], served: Any) -> None:
    served.seed(customRoles={"organizations/1000/roles/keyMaker": BEFORE_2026})
    served.seed(**binding("demo-project", "organizations/1000/roles/keyMaker"))
    reader = ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy"]
    served.give("admin@example.com", reader)
    found, done = diagnosed(run, user="admin@example.com")
    assert set(statuses(found).values()) == {"unknown"}
    assert found["missingPermissions"] == []
    assert any("organizations/1000" in note for note in found["unknown"]), "the policies above were not read either"
    assert done.code == 3
    applied = run("doctor", "demo-project", "--member", MEMBER, "--apply", "--yes", user="admin@example.com")
    assert applied.code == 3
    assert "nothing is granted" in applied.err


def test_a_policy_that_may_not_be_read_is_unknown_and_not_missing(run: Callable[..., Any], served: Any) -> None:
    served.give("viewer@example.com", ["resourcemanager.projects.get"])
    found, done = diagnosed(run, user="viewer@example.com")
    assert set(statuses(found).values()) == {"unknown"}
    assert done.code == 3
    applied = run(
        "doctor", "demo-project", "--member", MEMBER, "--apply", "--yes", "--format", "json", user="viewer@example.com"
    )
    assert applied.code == 1
    assert applied.error["permission"] == "resourcemanager.projects.getIamPolicy"


def test_everything_held_is_ready_and_what_was_not_read_is_said(run: Callable[..., Any], served: Any) -> None:
    served.seed(**binding("organizations/1000", "roles/owner"))
    found, done = diagnosed(run)
    assert done.code == 0, done.out
    assert found["ready"]
    assert "roles/owner on organizations/1000" in done.out
    assert any("deny policies" in note for note in found["unknown"])
    words = run("doctor", "demo-project", "--member", MEMBER)
    assert "deny policies" in words.out


def test_addresses_are_the_same_in_any_case(run: Callable[..., Any], served: Any) -> None:
    served.seed(**binding("demo-project", "roles/owner", "user:newcomer@example.com"))
    done = run("doctor", "demo-project", "--member", "user:Newcomer@Example.com", "--format", "json")
    assert done.json[0]["ready"]
    assert run("doctor", "demo-project", "--apply").code == 2


READER = ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy"]


@pytest.mark.parametrize("above", [[], ["folders/1001"]], ids=["nothing-above", "all-but-the-organisation"])
def test_what_a_policy_above_may_grant_is_not_certainly_missing(run: Callable[..., Any], served: Any, above: list[str]) -> None:
    """The admin of a project who may not read above it: the member may hold all of it from there."""
    served.seed(**binding("demo-project", "roles/browser"))
    served.seed(projects=[{"projectId": "demo-project", "parent": "folders/1001"}])
    served.give("admin@example.com", READER)
    for place in above:
        served.give("admin@example.com", ["resourcemanager.folders.get", "resourcemanager.folders.getIamPolicy"], on=place)
    found, done = diagnosed(run, user="admin@example.com")
    assert done.code == 3
    seen = statuses(found)
    assert seen.pop("resourcemanager.projects.get") == "ok"
    assert set(seen.values()) == {"unknown"}
    assert found["missingPermissions"] == []
    place = "organizations/1000" if above else "folders/1001"
    details = [each["detail"] for each in found["checks"] if each["status"] == "unknown" and each.get("permission")]
    assert all(place in detail and "may read it" in detail for detail in details)
    assert any(place in note for note in found["unknown"])
    before = served.control("requests")
    applied = run("doctor", "demo-project", "--member", MEMBER, "--apply", "--yes", user="admin@example.com")
    assert applied.code == 3
    assert "nothing is granted" in applied.err
    assert "by typing: keyadmin doctor demo-project --for create-auth-key" in applied.err
    assert "Or grant it all the same: gcloud projects add-iam-policy-binding demo-project" in applied.err
    assert place in applied.err
    assert "SetIamPolicy" not in served.methods()[len(before) :]
    everything = run("doctor", "demo-project", "--member", MEMBER, "--apply", "--yes")
    assert everything.code == 0, "who may read all policies grants what is missing"


def test_the_question_says_what_it_leaves_out(run: Callable[..., Any], served: Any) -> None:
    served.seed(**binding("demo-project", "roles/iam.serviceAccountCreator", "group:makers@example.com"))
    asked = run("doctor", "demo-project", "--member", MEMBER, "--apply", terminal=True, stdin="n\n")
    assert asked.code == 1
    (question,) = [line for line in asked.err.splitlines() if "[y/N]" in line]
    assert "iam.serviceAccounts.create" in question
    assert "apikeys.keys.create" not in question
