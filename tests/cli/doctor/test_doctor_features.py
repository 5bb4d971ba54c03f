"""For every feature: the permissions that doctor names suffice for the command, and without any one of them it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keyadmin.access.permissions import FEATURES, GUARD

DEV = "dev@example.com"
ON = ["apikeys.googleapis.com", "generativelanguage.googleapis.com", "iam.googleapis.com"]
NAME = "projects/demo-project/locations/global/keys/{}"
AUTH, STANDARD, GONE = NAME.format("auth-key"), NAME.format("standard-key"), NAME.format("gone-key")


@dataclass
class World:
    """A project in which there is something to do, and the means to do it as somebody."""

    served: Any
    typed: Callable[..., Any]
    folder: Path
    strings: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, user: str = DEV, **options: Any) -> Any:
        return self.typed(*arguments, user=user, **options)

    def fill(self) -> None:
        """An auth key, a standard key and a deleted key, made by the owner; the APIs on."""
        self.served.seed(
            gemini={"rejectStandardKeys": False},
            projects=[
                {
                    "projectId": "demo-project",
                    "services": ON,
                    "serviceAccounts": ["keyadmin-gemini"],
                    "keys": [
                        {
                            "keyId": "auth-key",
                            "displayName": "auth key",
                            "restrictions": {"apiTargets": [{"service": ON[1]}]},
                            "serviceAccountEmail": "keyadmin-gemini@demo-project.iam.gserviceaccount.com",
                        },
                        {
                            "keyId": "standard-key",
                            "displayName": "standard key",
                            "restrictions": {"apiTargets": [{"service": ON[1]}]},
                        },
                        {"keyId": "gone-key", "displayName": "gone key"},
                    ],
                }
            ],
        )
        owner = "owner@example.com"
        assert self.run("keys", "delete", GONE, "--yes", user=owner).code == 0
        self.strings["auth"] = self.run("keys", "show", AUTH, user=owner).out.strip()


def create(world: World) -> Any:
    return world.run("keys", "create", "--name", "made")


def create_standard(world: World) -> Any:
    return world.run("keys", "create", "--name", "made", "--standard")


def lookup(world: World) -> Any:
    return world.run("keys", "lookup", "-", stdin=world.strings["auth"])


def _in_two_runs(world: World, *command: str) -> Any:
    """Made, handed over and marked; after the grace period read back and retired. The first run that fails, else the last."""
    sink = f"env-file:{world.folder / 'rotated.env'}"
    first = world.run("--sandbox", "keys", *command, "--to", sink, "--yes")
    if first.code != 0:
        return first
    world.served.control("clock", {"advance": "25h"})
    return world.run("--sandbox", "keys", *command, "--to", sink, "--yes")


def rotate(world: World) -> Any:
    return _in_two_runs(world, "rotate", AUTH)


def migrate(world: World) -> Any:
    return _in_two_runs(world, "migrate", STANDARD)


def fix(world: World) -> Any:
    """A key narrowed and a key deleted, then both put back. The first run that fails, else the last."""
    words = ("--projects", "demo-project", "--yes", "--observe", "0s", "--format", "json")
    done = world.run("audit", "fix", *words)
    return done if done.code else world.run("audit", "undo", done.json["run"], "--yes")


COMMANDS: dict[str, Callable[[World], Any]] = {
    "import": lambda world: world.run("projects", "import", "demo-project"),
    "list": lambda world: world.run("keys", "list", "-p", "demo-project"),
    "create-auth-key": create,
    "create-standard-key": create_standard,
    "rename": lambda world: world.run("keys", "rename", AUTH, "another name"),
    "restrict": lambda world: world.run("keys", "restrict", AUTH, "--allowed-ips", "192.0.2.1", "--force", "--yes"),
    "show": lambda world: world.run("keys", "show", AUTH),
    "delete": lambda world: world.run("keys", "delete", AUTH, "--yes", "--force"),
    "undelete": lambda world: world.run("keys", "undelete", GONE),
    "lookup": lookup,
    "verify": lambda world: world.run("keys", "verify", AUTH),
    "rotate": rotate,
    "migrate": migrate,
    "audit": lambda world: world.run("audit", "--projects", "demo-project", "--fail-on", "none"),
    "fix": fix,
    "hand-over": lambda world: world.run("keys", "hand-over", AUTH, "--to", "stdout"),
    "enable-api": lambda world: world.run("projects", "enable", "translate.googleapis.com", "-p", "demo-project"),
}
PAIRS = [(name, permission) for name, feature in FEATURES.items() for permission in feature.permissions]


@pytest.fixture
def world(served: Any, run: Callable[..., Any], tmp_path: Path) -> World:
    return World(served, run, tmp_path)


def prepared(world: World, name: str) -> None:
    """A fresh project for what makes everything itself, a filled one for the rest."""
    if not name.startswith("create"):
        world.fill()
    if name == "audit":  # whether the Gemini API is on is asked where a key may call every API
        world.served.seed(projects=[{"projectId": "demo-project", "keys": [{"keyId": "open-key", "displayName": "open key"}]}])
    if name == "fix":
        old = {"createTime": "2024-01-01T00:00:00Z"}
        use = [{"service": "translate.googleapis.com", "at": world.served.control("")["now"]}]
        keys = [{"keyId": "used", "displayName": "used", "use": use, **old}, {"keyId": "idle", "displayName": "idle", **old}]
        world.served.seed(projects=[{"projectId": "demo-project", "services": ["monitoring.googleapis.com"], "keys": keys}])
    if name in ("import", "enable-api"):
        command = {"import": "import", "enable-api": "enable"}[name]
        if world.run("projects", command, "--help").code != 0:
            pytest.skip("the command is not there yet")


def test_every_feature_has_its_command() -> None:
    assert set(COMMANDS) == set(FEATURES)


@pytest.mark.parametrize("name", list(FEATURES))
def test_the_permissions_suffice(world: World, doctor: Callable[..., Any], name: str) -> None:
    prepared(world, name)
    world.served.give(DEV, list(FEATURES[name].permissions))
    found = doctor("demo-project", "--for", name, user=DEV)
    assert found.ready, found.checks
    assert found.code == 0
    done = COMMANDS[name](world)
    assert done.code == 0, done.err


@pytest.mark.parametrize(("name", "without"), PAIRS)
def test_without_any_one_it_fails(world: World, doctor: Callable[..., Any], name: str, without: str) -> None:
    prepared(world, name)
    if (name, without) == ("migrate", "serviceusage.services.enable"):
        world.served.control("reset", {})  # what enables is needed where something is off
        world.served.seed(projects=[{"projectId": "demo-project", "keys": [{"keyId": "standard-key", "displayName": "s"}]}])
    if (name, without) == ("migrate", "iam.serviceAccounts.create"):
        world.served.control("reset", {})  # what makes the service account is needed where there is none
        world.served.seed(
            gemini={"rejectStandardKeys": False},
            projects=[{"projectId": "demo-project", "services": ON, "keys": [{"keyId": "standard-key", "displayName": "s"}]}],
        )
    world.served.give(DEV, [each for each in FEATURES[name].permissions if each != without])
    found = doctor("demo-project", "--for", name, user=DEV)
    assert not found.ready
    assert found.code == 3
    assert found.missing == {without}
    done = COMMANDS[name](world)
    assert done.code != 0, f"{name} works without {without}"


@pytest.mark.parametrize("name", list(FEATURES))
def test_the_roles_of_the_remedy_suffice(world: World, doctor: Callable[..., Any], name: str) -> None:
    prepared(world, name)
    remedy = doctor("demo-project", "--for", name, user=DEV).whole["remedy"]
    assert remedy["roles"]
    assert "lastResort" not in remedy
    world.served.seed(projects=[{"projectId": "demo-project", "iam": {role: [f"user:{DEV}"] for role in remedy["roles"]}}])
    assert doctor("demo-project", "--for", name, user=DEV).ready
    done = COMMANDS[name](world)
    assert done.code == 0, done.err


LIST, LIST_KEYS = "cloudasset.assets.listResource", "cloudasset.assets.listApikeysKeys"
SEARCH, ORG = "cloudasset.assets.searchAllResources", "organizations/1000"


def test_what_an_audit_goes_without_is_looked_for_and_not_required(world: World, doctor: Callable[..., Any]) -> None:
    prepared(world, "audit")
    optional = [each.name for each in FEATURES["audit"].optional]
    assert {SEARCH, LIST, "monitoring.timeSeries.list"} <= set(optional)
    world.served.give(DEV, list(FEATURES["audit"].permissions))
    found = doctor("demo-project", "--for", "audit", user=DEV)
    assert found.ready
    assert found.missing == set()
    for name in optional:
        check = found.checks[f"permission:{name}"]
        assert (check["status"], check["required"]) == ("missing", False)
    assert f"nor {LIST_KEYS}" in found.checks[f"permission:{LIST}"]["detail"]
    assert f"permission:{LIST_KEYS}" not in found.checks


@pytest.mark.parametrize("name", [LIST, LIST_KEYS])
def test_either_permission_lists_the_inventory_and_counts_on_the_organisation(
    world: World, doctor: Callable[..., Any], name: str
) -> None:
    prepared(world, "audit")
    needed = [*FEATURES["audit"].permissions, "resourcemanager.projects.get"]
    world.served.give(DEV, [*needed, name, SEARCH])
    for wanted in (LIST, SEARCH):
        check = doctor("demo-project", "--for", "audit", user=DEV).checks[f"permission:{wanted}"]
        assert check["status"] == "missing", "on the project alone it does not list the organisation's inventory"
        held = name if wanted == LIST else SEARCH
        assert check["detail"].startswith(f"{'' if held == wanted else f'{held} is '}held on the project, not on {ORG}; ")
    world.served.give(DEV, [name, SEARCH], on=ORG)
    checks = doctor("demo-project", "--for", "audit", user=DEV).checks
    for wanted, held in ((LIST, name), (SEARCH, SEARCH)):
        check = checks[f"permission:{wanted}"]
        assert check["status"] == "ok"
        assert f"held on {ORG}" in check["detail"]
        assert (f"({held})" in check["detail"]) == (held != wanted)


def test_whether_the_organisation_grants_it_may_not_be_known(world: World, doctor: Callable[..., Any]) -> None:
    """Its ancestors are not shown to who may not read the project."""
    prepared(world, "audit")
    world.served.give(DEV, [*FEATURES["audit"].permissions, SEARCH])
    check = doctor("demo-project", "--for", "audit", user=DEV).checks[f"permission:{SEARCH}"]
    assert (check["status"], check["required"]) == ("unknown", False)
    assert "on its organisation not known" in check["detail"]


def test_what_guard_goes_without_is_looked_for(world: World, doctor: Callable[..., Any]) -> None:
    world.served.seed(projects=[{"projectId": "demo-project", "parent": ORG}])
    world.served.give(DEV, ["resourcemanager.projects.get"])
    world.served.give(DEV, list(GUARD.permissions), on=ORG)
    check = doctor("demo-project", "--for", "guard", user=DEV).checks[f"permission:{SEARCH}"]
    assert (check["status"], check["required"]) == ("missing", False)
    assert "without it no constraint is deleted" in check["detail"]


def test_somebody_else_s_grant_on_the_project_does_not_count_for_the_organisation(
    world: World, doctor: Callable[..., Any]
) -> None:
    prepared(world, "audit")
    world.served.give(DEV, [SEARCH])
    line = ("demo-project", "--for", "audit", "--member", f"user:{DEV}")
    check = doctor(*line).checks[f"permission:{SEARCH}"]
    assert (check["status"], check["required"]) == ("missing", False)
    assert "not above it" in check["detail"]
    world.served.give(DEV, [SEARCH], on=ORG)
    check = doctor(*line).checks[f"permission:{SEARCH}"]
    assert check["status"] == "ok", check
