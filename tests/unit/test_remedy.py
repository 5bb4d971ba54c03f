"""The remedy: minimal by brute force, ties, last resorts, what is written for people."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.access.permissions import FEATURES, checked_member, feature_named
from keyadmin.access.remedy import member_of, remedy
from keyadmin.access.roles import BASIC, FAMILIES, Role, candidates, cover, smallest
from keyadmin.data import iam_roles
from keyadmin.model.problem import Exit, Problem

DATA = iam_roles()["roles"]
ALL = sorted(iam_roles()["permissions"])
REACHABLE = sorted(frozenset().union(*(role.permissions for role in candidates())))
CREATE = FEATURES["create-auth-key"]


def held(roles: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(DATA[name]["permissions"] for name in roles))


def brute_force(wanted: frozenset[str]) -> int:
    """The smallest sum of sizes by trying every set of roles: by the mask of wanted permissions that sets of roles cover.

    Shares nothing with the solver but the data.
    """
    names = sorted(wanted)
    full = (1 << len(names)) - 1
    best = {0: 0}
    for name, entry in DATA.items():
        family = name.removeprefix("roles/").split(".")[0]
        if family not in FAMILIES or entry["stage"] != "GA":
            continue
        mask = sum(1 << place for place, permission in enumerate(names) if permission in entry["permissions"])
        for covered, size in list(best.items()):
            joined = covered | mask
            best[joined] = min(best.get(joined, 1 << 60), size + entry["permission_count"])
    return best[full]


@given(st.sets(st.sampled_from(REACHABLE), max_size=12).map(frozenset))
@settings(max_examples=300, deadline=None)
def test_the_cover_is_minimal(wanted: frozenset[str]) -> None:
    found = cover(wanted)
    assert wanted <= held(found.roles)
    assert found.size == sum(DATA[name]["permission_count"] for name in found.roles) == brute_force(wanted)
    assert not found.basic
    assert not found.uncovered


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sets(st.sampled_from("abcdef"), min_size=1, max_size=4)), min_size=1, max_size=9),
    st.data(),
)
@settings(max_examples=300, deadline=None)
def test_the_solver_is_exact_on_invented_roles(invented: list[tuple[int, set[str]]], data: st.DataObject) -> None:
    """Every subset of the roles is tried: small sizes make ties and overlaps that the real data lacks."""
    roles = tuple(Role(f"roles/iam.r{place}", size, frozenset(held)) for place, (size, held) in enumerate(invented))
    reachable = sorted(frozenset().union(*(role.permissions for role in roles)))
    wanted = frozenset(data.draw(st.sets(st.sampled_from(reachable), min_size=1)))
    every = itertools.chain.from_iterable(itertools.combinations(roles, count) for count in range(1, len(roles) + 1))
    best = min(
        sum(role.size for role in chosen)
        for chosen in every
        if wanted <= frozenset().union(*(role.permissions for role in chosen))
    )
    found = smallest(wanted, roles)
    assert sum(role.size for role in found) == best
    assert wanted <= frozenset().union(*(role.permissions for role in found))


def test_candidates_are_ga_roles_of_the_families_only() -> None:
    assert candidates()
    for role in candidates():
        assert role.name.removeprefix("roles/").split(".")[0] in FAMILIES
        assert DATA[role.name]["stage"] == "GA"
        assert role.name not in BASIC


def test_a_role_of_the_permission_s_own_service_wins_a_tie() -> None:
    strange = Role("roles/iam.aaa", 3, frozenset({"apikeys.keys.get"}))
    own = Role("roles/serviceusage.zzz", 3, frozenset({"apikeys.keys.get"}))
    assert smallest(frozenset({"apikeys.keys.get"}), (strange, own)) == (own,)
    assert smallest(frozenset({"apikeys.keys.get"}), (own, strange)) == (own,)


def test_a_smaller_stranger_wins_over_a_larger_role_of_the_own_service() -> None:
    strange = Role("roles/iam.aaa", 2, frozenset({"apikeys.keys.get"}))
    own = Role("roles/serviceusage.zzz", 3, frozenset({"apikeys.keys.get"}))
    assert smallest(frozenset({"apikeys.keys.get"}), (strange, own)) == (strange,)


def test_the_five_permissions_take_44_not_12_000() -> None:
    found = cover(CREATE.permissions)
    assert found.size == brute_force(frozenset(CREATE.permissions)) < 50
    assert set(CREATE.permissions) <= held(found.roles)


def test_basic_roles_are_a_last_resort_and_marked() -> None:
    only_basic = next(name for name in ALL if name not in REACHABLE and name in DATA["roles/owner"]["permissions"])
    found = cover({only_basic, "apikeys.keys.create"})
    assert len(found.basic) == 1
    assert found.basic[0] in BASIC
    assert {only_basic, "apikeys.keys.create"} <= held(found.roles)
    smaller = BASIC[: BASIC.index(found.basic[0])]
    assert all(only_basic not in DATA[name]["permissions"] for name in smaller)
    assert any("last resort" in note for note in remedy(CREATE, "demo-project", "user:a@example.com", [only_basic]).notes)


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
        "audit enable-api"
    )
    assert " ".join(FEATURES) == names
    known = set(ALL)
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
