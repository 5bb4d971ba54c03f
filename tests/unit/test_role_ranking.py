"""Which roles are advised: the permission's own service first, then the least power, then the fewest permissions.

The expected answer is worked out anew, straight from the data file and with nothing of the solver.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
from functools import cache
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.access import power
from keyadmin.access.power import Power
from keyadmin.access.roles import BASIC, Role, candidates, cover, permissions_of, smallest, smallest_role

RAW = json.loads(gzip.decompress(files("keyadmin.data").joinpath("predefined-roles.json.gz").read_bytes()))
NAMES: list[str] = RAW["permissions"]
TABLE = json.loads(files("keyadmin.data").joinpath("role-ranking.json").read_text("utf-8"))


@cache
def held(role: str) -> frozenset[str]:
    """A role's permissions, read off the file."""
    found: set[str] = set()
    for part in filter(None, RAW["roles"][role]["permissions"].split(",")):
        ends = [int(end, 16) for end in part.split("-")]
        found |= set(NAMES[ends[0] : ends[-1] + 1])
    return frozenset(found)


@cache
def rank(role: str) -> int:
    """The class of a role's worst permission, by another reading of the table."""
    classes = TABLE["classes"]

    def of(permission: str) -> int:
        verb = permission.split(".")[-1]
        if permission in TABLE["permissions"] or verb in TABLE["endings"]:
            return classes.index("highest")
        word = re.split(r"[A-Z]", verb)[0]
        return classes.index(TABLE["verbs"].get(word, "write"))

    return max((of(permission) for permission in held(role)), default=0)


def advisable(role: str) -> bool:
    entry = RAW["roles"][role]
    said = f"{role} {entry['title']} {entry['description']}".lower()
    special = "serviceagent" in said or "service agent" in said or role.startswith("roles/storage.legacy") or role in BASIC
    return entry["stage"] == "GA" and not special


def own(role: str, permission: str) -> bool:
    service = permission.split(".")[0]
    if service == "apikeys":
        return role.startswith("roles/serviceusage.apiKeys")
    if service == "resourcemanager":
        return role == "roles/browser" or role.startswith("roles/resourcemanager.")
    return role.startswith(f"roles/{service}.")


GOOD = [role for role in RAW["roles"] if advisable(role)]


@given(st.sampled_from(NAMES))
@settings(max_examples=400)
def test_any_permission_has_its_smallest_role(permission: str) -> None:
    holders = [role for role in GOOD if permission in held(role)]
    found = cover([permission])
    if not holders:
        assert found.basic or found.uncovered
        return
    nearest = [role for role in holders if own(role, permission)] or holders
    best = min((rank(role), len(held(role))) for role in nearest)
    (role,) = found.roles
    assert role in nearest
    assert (rank(role), len(held(role))) == best


@pytest.mark.parametrize(
    ("permission", "role", "place"),
    [
        ("resourcemanager.projects.get", "roles/browser", "project"),  # projectMover has fewer, and writes
        ("apikeys.keys.create", "roles/serviceusage.apiKeysAdmin", "project"),
        ("apikeys.keys.list", "roles/serviceusage.apiKeysViewer", "project"),
        ("serviceusage.services.use", "roles/serviceusage.serviceUsageConsumer", "project"),
        ("orgpolicy.policy.set", "roles/orgpolicy.policyAdmin", "organization"),
        ("orgpolicy.customConstraints.create", "roles/orgpolicy.policyAdmin", "organization"),
        ("orgpolicy.policy.get", "roles/orgpolicy.policyViewer", "project"),
        ("resourcemanager.projects.create", "roles/resourcemanager.projectCreator", "folder"),
        ("resourcemanager.folders.get", "roles/browser", "folder"),
        ("resourcemanager.organizations.get", "roles/resourcemanager.organizationViewer", "organization"),
        ("compute.instances.get", "roles/compute.vmExtensionPolicyViewer", "project"),
        ("secretmanager.versions.add", "roles/secretmanager.secretVersionAdder", "project"),
    ],
)
def test_what_people_ask_for(permission: str, role: str, place: str) -> None:
    found = smallest_role(permission)
    assert found.roles == (role,)
    assert found.place(role) == place


def test_a_role_for_organisations_stays_there_wherever_one_works() -> None:
    assert smallest_role("orgpolicy.policy.set", "folder").place("roles/orgpolicy.policyAdmin") == "organization"
    assert smallest_role("resourcemanager.projects.get", "organization").place("roles/browser") == "organization"


def test_service_agents_and_other_stages_are_never_advised() -> None:
    names = {role.name for role in candidates()}
    assert names == set(GOOD)
    assert "roles/apigee.serviceAgent" not in names
    assert not names & {role for role in RAW["roles"] if RAW["roles"][role]["stage"] != "GA"}
    assert "roles/container.hostServiceAgentUser" not in names


@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=6).map(frozenset))
@settings(max_examples=150)
def test_a_cover_holds_what_is_wanted_and_no_role_is_more_powerful_than_it_must_be(wanted: frozenset[str]) -> None:
    found = cover(wanted)
    assert wanted - frozenset(found.uncovered) <= frozenset().union(*(held(role) for role in found.roles))
    for role in set(found.roles) - set(BASIC):
        assert any(rank(role) <= least_power(name) for name in wanted if name in held(role))


def least_power(permission: str) -> int:
    """The class of the least powerful role that may be advised for a permission."""
    holders = [role for role in GOOD if permission in held(role)]
    return min(rank(role) for role in [role for role in holders if own(role, permission)] or holders)


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        ("a.b.get", Power.READ),
        ("a.b.list", Power.READ),
        ("a.b.searchAll", Power.READ),
        ("a.b.lookup", Power.READ),
        ("a.b.testIamPermissions", Power.READ),
        ("a.b.getIamPolicy", Power.READ),
        ("a.b.use", Power.USE),
        ("iam.serviceAccounts.actAs", Power.USE),
        ("a.b.create", Power.WRITE),
        ("a.b.update", Power.WRITE),
        ("a.b.enable", Power.WRITE),
        ("a.b.move", Power.WRITE),
        ("a.b.frobnicate", Power.WRITE),
        ("a.b.", Power.WRITE),
        ("a.b.undelete", Power.WRITE),
        ("a.b.delete", Power.DELETE),
        ("a.b.setIamPolicy", Power.HIGHEST),
        ("apikeys.keys.getKeyString", Power.HIGHEST),
        ("secretmanager.versions.access", Power.HIGHEST),
        ("iam.serviceAccounts.getAccessToken", Power.HIGHEST),
    ],
)
def test_the_class_of_a_verb(permission: str, expected: Power) -> None:
    assert power.power_of(permission) is expected


def test_the_table_is_sound_and_says_where_it_comes_from() -> None:
    classes = set(TABLE["classes"])
    assert [each.name.lower() for each in Power] == TABLE["classes"]
    assert {*TABLE["verbs"].values(), *TABLE["permissions"].values(), *TABLE["endings"].values(), TABLE["unknown"]} <= classes
    assert set(TABLE["permissions"]) <= set(NAMES)  # no exception for what does not exist
    for entry in (*TABLE["ownRoles"].values(), *TABLE["lowestPlace"].values(), TABLE["notOnProjects"]):
        assert entry["source"].startswith("https://")
    assert set(TABLE["lowestPlace"]) <= set(RAW["roles"])
    assert all(any(power.is_own(role, service) for role in RAW["roles"]) for service in TABLE["ownRoles"])


@given(
    st.lists(st.sets(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=1, max_size=9),
    st.data(),
)
@settings(max_examples=300)
def test_the_solver_is_exact_on_invented_roles(invented: list[set[str]], data: st.DataObject) -> None:
    """Every subset of the roles is tried: small sizes make ties and overlaps that the real data lacks."""
    roles = tuple(Role(f"roles/iam.r{place}", frozenset(holding)) for place, holding in enumerate(invented))
    reachable = sorted(frozenset().union(*(role.permissions for role in roles)))
    wanted = frozenset(data.draw(st.sets(st.sampled_from(reachable), min_size=1)))
    every = itertools.chain.from_iterable(itertools.combinations(roles, count) for count in range(1, len(roles) + 1))
    covering = (each for each in every if wanted <= frozenset().union(*(role.permissions for role in each)))
    found = smallest(wanted, roles)
    assert sum(role.size for role in found) == min(sum(role.size for role in chosen) for chosen in covering)
    assert wanted <= frozenset().union(*(role.permissions for role in found))


def test_every_stage_is_known_by_its_permissions() -> None:
    """A member's role counts whatever its stage; only advice is choosy."""
    assert permissions_of("roles/owner") >= {"apikeys.keys.create"}
    beta = next(role for role in RAW["roles"] if RAW["roles"][role]["stage"] == "BETA" and RAW["roles"][role]["permissions"])
    assert permissions_of(beta) == held(beta)
    assert permissions_of("projects/p/roles/custom") == frozenset()
