"""The remedy: last resorts, custom roles, what is written for people. Which roles are the smallest: test_role_ranking."""

from __future__ import annotations

import shlex

import pytest
import yaml

from keyadmin.access.permissions import FEATURES, checked_member, feature_named
from keyadmin.access.remedy import member_of, remedy
from keyadmin.access.roles import BASIC, cover, permissions_of
from keyadmin.model.problem import Exit, Problem

CREATE = FEATURES["create-auth-key"]
ONLY_BASIC = "agentregistry.bindings.create"


def test_the_five_permissions_take_44_not_12_000() -> None:
    assert cover(CREATE.permissions).size == 44


def test_basic_roles_are_a_last_resort_and_marked() -> None:
    found = remedy(CREATE, "demo-project", "user:a@example.com", [ONLY_BASIC])
    assert found.cover.basic[0] in BASIC
    assert any("last resort" in note for note in found.notes)


def test_what_no_role_holds_is_said() -> None:
    found = remedy(CREATE, "demo-project", "user:a@example.com", ["apikeys.keys.create", "nonsense.things.do"])
    assert found.cover.uncovered == ("nonsense.things.do",)
    assert found.to_json()["uncovered"] == ["nonsense.things.do"]
    assert "nonsense.things.do" in found.message
    assert not any("--role=roles/" in command for command in found.commands)  # half a remedy is none
    assert any("gcloud iam roles create" in command for command in found.commands)


def test_nothing_missing_needs_no_remedy() -> None:
    found = remedy(CREATE, "demo-project", "user:a@example.com", [])
    assert (found.roles, found.commands, found.message) == ((), (), "")
    assert found.custom_role.permissions == ()


def test_the_custom_role_has_exactly_what_is_missing() -> None:
    missing = ["iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create"]
    role = remedy(CREATE, "demo-project", "user:a@example.com", missing).custom_role
    document = yaml.safe_load(role.to_yaml())
    assert document["includedPermissions"] == sorted(missing)
    assert document["stage"] == "GA"
    assert document["title"] == role.title
    assert len(role.title) <= 100  # IAM's limit for titles
    assert role.role_id.isalnum()


def test_commands_are_safe_to_paste() -> None:
    found = remedy(CREATE, "demo-project", "user:it's $(odd)@example.com", CREATE.permissions)
    for command in found.commands:
        words = shlex.split(command)
        assert words[0] == "gcloud"
        if "--role" in command:
            assert "--member=user:it's $(odd)@example.com" in words


def test_the_message_says_who_where_what_why_how_and_how_to_check() -> None:
    found = remedy(CREATE, "demo-project", "user:dev@example.com", CREATE.permissions)
    for words in (
        "user:dev@example.com",
        "demo-project",
        "create an auth key",
        "keyadmin doctor demo-project --for create-auth-key",
    ):
        assert words in found.message
    for name in CREATE.permissions:
        assert name in found.message
    for command in found.commands:
        assert command in found.message
    assert "outside the organisation" not in found.message


def test_without_any_access_the_way_outside_is_shown() -> None:
    found = remedy(CREATE, "demo-project", "user:dev@example.com", CREATE.permissions, no_access=True)
    assert "outside the organisation" in found.message


def test_members() -> None:
    assert member_of("a@example.com") == "user:a@example.com"
    assert member_of("a@p.iam.gserviceaccount.com").startswith("serviceAccount:")
    assert "YOUR_ADDRESS" in member_of(None)
    for good in ("user:a@example.com", "serviceAccount:a@p.iam.gserviceaccount.com", "group:g@example.com"):
        assert checked_member(good) == good
    for bad in ("a@example.com", "user:", "user:a", "domain:example.com", "user:a b@example.com", "allUsers", ""):
        with pytest.raises(Problem) as caught:
            checked_member(bad)
        assert caught.value.exit is Exit.USAGE


def test_features_are_the_contract_s() -> None:
    names = (
        "import list create-auth-key create-standard-key rename restrict show delete undelete lookup verify rotate migrate "
        "audit fix hand-over enable-api"
    )
    assert " ".join(FEATURES) == names
    known = permissions_of("roles/owner")
    for feature in FEATURES.values():
        assert set(feature.permissions) | set(feature.studio) <= known
        assert len(set(feature.permissions)) == len(feature.permissions)
    assert set(CREATE.permissions) == {
        "resourcemanager.projects.get",
        "apikeys.keys.create",
        "serviceusage.services.enable",
        "iam.serviceAccounts.create",
        "iam.serviceAccountApiKeyBindings.create",
    }
    with pytest.raises(Problem):
        feature_named("nonsense")
