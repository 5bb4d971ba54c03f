"""What was shown and confirmed is what is done: while a question stands, keys appear, change and go."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Terminal
from tests.cli.rotation.conftest import World, rule

SINK = "secret-manager:projects/{project}/secrets/{name}"


class Asked(Terminal):
    """A person who answers yes after something happened."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def readline(self, *limit: Any) -> str:  # type: ignore[override]
        self._meanwhile()
        self._meanwhile = lambda: None
        return "y\n"


def confirmed(world: World, *words: str, meanwhile: Callable[[], None] = lambda: None) -> Any:
    """Type a command at a terminal; something happens while its question stands."""
    return world.type(*words, terminal=True, stdin=Asked(meanwhile))


def lists(world: World, work: Callable[[], Any]) -> tuple[Any, int]:
    """What came of it, and how many lists of keys it took, by the sandbox's own log."""
    before = len(world.sandbox.control("requests"))
    done = work()
    methods = [each["method"].rpartition(".")[2] for each in world.sandbox.control("requests")[before:]]
    return done, methods.count("ListKeys")


def annotate(world: World, key_id: str, project: str = "shop-a") -> None:
    """Somebody changes a key past keyadmin."""
    url = f"{world.sandbox.rest}/v2/projects/{project}/locations/global/keys/{key_id}?updateMask=annotations"
    body = json.dumps({"annotations": {"team": "mine"}}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="PATCH")
    urllib.request.urlopen(request, timeout=60).close()


def deleted(world: World, project: str = "shop-a") -> set[str]:
    return {name for name, key in world.keys(project).items() if "deleteTime" in key}


def others(count: int, **key: Any) -> list[dict[str, Any]]:
    """Keys beside web-0."""
    return [{"keyId": f"web-{number}", "displayName": f"web {number}"} | key for number in range(1, count + 1)]


EMERGENCY = ("rotation", "run", "--emergency")


def test_a_key_that_appears_while_the_question_stands_is_not_touched(world: World) -> None:
    """One was asked about, three appeared: four were rotated, and four old ones deleted."""
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    done = confirmed(world, *EMERGENCY, meanwhile=lambda: world.seed("shop-a", *others(3)))
    assert done.code == 0, done.err
    assert "Rotate 1 key in 1 project now" in done.err
    assert deleted(world) == {"web-0"}
    assert {name for name in world.keys("shop-a") if name.startswith("web-")} == {f"web-{number}" for number in range(4)}


def test_a_migration_takes_what_was_shown_alone(world: World) -> None:
    old = {"serviceAccountEmail": None}
    world.seed("shop-a", old)
    world.policy(rule("shop-a"))
    done = confirmed(world, "rotation", "migrate", meanwhile=lambda: world.seed("shop-a", *others(2, **old)))
    assert done.code == 0, done.err
    assert len([name for name in world.keys("shop-a") if name.startswith("ka-")]) == 1


def test_one_key_that_changed_meanwhile_is_a_conflict(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    done = confirmed(world, *EMERGENCY, "--format", "json", meanwhile=lambda: annotate(world, "web-0"))
    assert done.code == 1, done.err
    assert done.error["cause"] == "conflict"
    assert "web-0 of project shop-a was changed after it was shown" in done.error["message"]
    assert (list(world.keys("shop-a")), world.writes()) == (["web-0"], ["UpdateKey"]), "that of somebody else alone"


def test_of_several_the_others_are_done(world: World) -> None:
    world.seed("shop-a", {}, {}, {})
    world.policy(rule("shop-a"))
    done = confirmed(world, *EMERGENCY, "--format", "json", meanwhile=lambda: annotate(world, "web-1"))
    assert (done.code, done.error["cause"]) == (3, "conflict")
    assert deleted(world) == {"web-0", "web-2"}
    (failed,) = [row for row in done.json if "cause" in row]
    assert failed["key"].endswith("/web-1")


@pytest.mark.parametrize("command", [EMERGENCY, ("rotation", "migrate")], ids=" ".join)
def test_they_list_as_often_as_the_plan(world: World, command: tuple[str, ...]) -> None:
    standard = {"serviceAccountEmail": None} if "migrate" in command else {}
    for project in ("shop-a", "shop-b"):
        world.seed(project, standard, standard)
    world.policy(rule("shop-a", "shop-b"))
    _, planned = lists(world, lambda: world.rotation("plan"))
    done, counted = lists(world, lambda: confirmed(world, *command))
    assert done.code == 0, done.err
    assert counted == planned == 2


ONE = [("keys", "rotate"), ("keys", "migrate"), ("keys", "compromised"), ("rotation", "rollback")]


def prepared(world: World, command: tuple[str, ...]) -> str:
    """shop-a with a key that the command is about; its id."""
    world.seed("shop-a", {"serviceAccountEmail": None} if "migrate" in command else {})
    if "rollback" in command:
        assert world.type("keys", "rotate", "web-0", "-p", "shop-a", "--yes").code == 0
    return "web-0"


@pytest.mark.parametrize("command", ONE, ids=" ".join)
def test_one_key_is_listed_as_often_as_by_its_dry_run(world: World, command: tuple[str, ...]) -> None:
    key = prepared(world, command)
    words = (*command, key, "-p", "shop-a")
    dry, planned = lists(world, lambda: world.type(*words, "--dry-run"))
    assert dry.code == 0, dry.err
    done, counted = lists(world, lambda: confirmed(world, *words))
    assert done.code == 0, done.err
    assert counted == planned == (2 if "migrate" in command else 1), "doctor counts a project's keys before a migration"


@pytest.mark.parametrize("command", ONE, ids=" ".join)
def test_one_key_that_changed_is_left_alone(world: World, command: tuple[str, ...]) -> None:
    key = prepared(world, command)
    before, writes = deleted(world), len(world.writes())
    words = (*command, key, "-p", "shop-a", "--format", "json")
    done = confirmed(world, *words, meanwhile=lambda: annotate(world, key))
    assert done.code == 1, done.err
    assert done.error["cause"] == "conflict"
    assert "after it was shown" in done.error["message"]
    assert (deleted(world), len(world.writes())) == (before, writes + 1), "that of somebody else alone"


def test_a_successor_that_somebody_made_meanwhile_is_not_taken_for_ours(world: World) -> None:
    world.seed("shop-a", {})
    lineage = world.rotation("status", "web-0", "-p", "shop-a", "--format", "json").json[0]["lineage"]

    def make() -> None:
        url = f"{world.sandbox.rest}/v2/projects/shop-a/locations/global/keys?keyId=ka-{lineage}-2"
        body = json.dumps({"displayName": "theirs"}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
        urllib.request.urlopen(request, timeout=60).close()

    done = confirmed(world, "keys", "rotate", "web-0", "-p", "shop-a", "--format", "json", meanwhile=make)
    assert done.code == 1, done.err
    assert done.error["cause"] == "conflict"
    assert f"ka-{lineage}-2 of project shop-a was made after it was shown" in done.error["message"]
    assert deleted(world) == set()


# ---- one project, named by its id and by its number ------------------------------------------------------------------------


def of_case(world: World) -> None:
    """A project whose number is known, in an organisation."""
    organisation = {
        "name": "organizations/1000",
        "displayName": "example.com",
        "iam": {"roles/owner": ["user:owner@example.com"], "roles/browser": ["user:owner@example.com"]},
    }
    world.sandbox.control("seed", {"organizations": [organisation]})
    world.seed("shop-prod", {"keyId": "dup3", "displayName": "dup3"}, projectNumber="888", parent="organizations/1000")


LONG = 'keys = ["dup3"]\ngrace = "7d"\nsinks = ["secret-manager:projects/shop-prod/secrets/dup3-a"]\n'
SHORT = '[[rule]]\norganizations = ["organizations/1000"]\nkeys = ["dup3"]\ngrace = "0s"\nsinks = []\n'


@pytest.mark.parametrize("first", ['projects = ["888"]', 'projects = ["shop-prod"]', 'projects = ["shop-*", "888"]'])
def test_the_first_rule_that_meets_a_project_counts_with_all_its_terms(world: World, first: str) -> None:
    of_case(world)
    world.policy(f"[[rule]]\n{first}\n{LONG}{SHORT}")
    (row,) = world.rotation("plan", "--format", "json").json
    assert (row["project"], row["rule"]) == ("shop-prod", "rule 1")
    assert row["sinks"] == ["secret-manager:projects/shop-prod/secrets/dup3-a"]
    done = world.rotation("run", "--format", "json")
    assert done.code == 0, done.err
    assert deleted(world, "shop-prod") == set(), "the grace is that of the first rule: 7 days"
    assert world.rotation("run").code == 0
    world.advance("25h")
    assert world.rotation("run").code == 0
    assert deleted(world, "shop-prod") == set()


def test_a_project_that_is_named_by_its_number_alone_goes_by_its_id(world: World) -> None:
    of_case(world)
    world.policy('[[rule]]\nprojects = ["888"]\nsinks = ["secret-manager:projects/{project}/secrets/one"]\n')
    (row,) = world.rotation("plan", "--format", "json").json
    assert (row["project"], row["sinks"]) == ("shop-prod", ["secret-manager:projects/shop-prod/secrets/one"])


def test_a_later_rule_by_number_changes_nothing(world: World) -> None:
    of_case(world)
    world.policy(f'[[rule]]\nprojects = ["shop-prod"]\n{LONG}[[rule]]\nprojects = ["888"]\nsinks = []\ngrace = "0s"\n')
    (row,) = world.rotation("plan", "--format", "json").json
    assert row["rule"] == "rule 1"


def test_a_key_shares_no_sink_with_itself(world: World) -> None:
    of_case(world)
    sink = 'sinks = ["secret-manager:projects/shop-prod/secrets/dup-{lineage}"]'
    world.policy(f'[[rule]]\nprojects = ["shop-prod", "888"]\nkeys = ["dup3"]\n{sink}\n')
    done = world.rotation("plan", "--format", "json")
    assert (done.code, len(done.json)) == (0, 1), done.err


def test_a_number_that_may_not_be_looked_up_is_told_by_the_keys(world: World) -> None:
    """Without resourcemanager.projects.get two names of one project are two listings and one project all the same."""
    of_case(world)
    rotates = ["apikeys.keys.list", "apikeys.keys.get"]
    world.grant("robot@example.com", "rotator", *rotates, projects=["shop-prod"])
    world.policy(f'[[rule]]\nprojects = ["888"]\n{LONG}[[rule]]\nprojects = ["shop-prod"]\nsinks = []\ngrace = "0s"\n')
    done = world.rotation("plan", "--format", "json", user="robot@example.com")
    assert done.code == 0, done.err
    assert [(row["project"], row["rule"]) for row in done.json] == [("shop-prod", "rule 1")]


def test_two_keys_that_share_a_secret_by_id_and_by_number_are_seen(world: World) -> None:
    of_case(world)
    world.seed("shop-b", {})
    world.policy(
        '[[rule]]\nprojects = ["shop-prod"]\nsinks = ["secret-manager:projects/888/secrets/one"]\n'
        '[[rule]]\nprojects = ["shop-b"]\nsinks = ["secret-manager:projects/shop-prod/secrets/one"]\n'
    )
    done = world.rotation("plan", "--format", "json")
    assert done.code == 2
    assert "two keys would go to the sink" in done.error["message"]


def test_a_migration_of_a_project_named_twice_counts_it_once(world: World) -> None:
    of_case(world)
    world.seed("shop-prod", {"keyId": "old", "displayName": "old", "serviceAccountEmail": None})
    words = ("migrate", "--projects", "shop-prod,888", "--to", SINK, "--dry-run", "--format", "json")
    done = world.rotation(*words)
    assert [row["key"].rpartition("/")[2] for row in done.json] == ["old"]
    assert "migrate 1 key in 1 project" in done.err
