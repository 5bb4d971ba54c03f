"""Migrations and rotations in a plan: where the policy has sinks, by the engine of rotation run; undo names their rollback."""

from __future__ import annotations

import shlex

from tests.cli.fix.conftest import GEMINI, MAPS, Fixing

READS = ("resourcemanager.projects.get", "monitoring.timeSeries.list", "apikeys.keys.list", "apikeys.keys.get")
POLICY = """[[rule]]
projects = ["shop", "lab"]
sinks = ["secret-manager:projects/{project}/secrets/gemini-{lineage}"]
"""


def with_policy(fixing: Fixing, text: str = POLICY) -> list[str]:
    path = fixing.folder / "policy.toml"
    path.write_text(text)
    return ["--policy", str(path)]


def test_a_standard_key_for_gemini_is_migrated_where_the_policy_has_a_sink(fixing: Fixing) -> None:
    policy = with_policy(fixing)
    plan = fixing.plan("--projects", "shop", "--key", "gemini", *policy)
    assert [(each["kind"], each["after"]) for each in plan["changes"]] == [("migrate", None)]
    done = fixing.apply(*policy, "--format", "json")
    assert done.code == 0, done.err
    assert [each["status"] for each in done.json["changes"]] == ["under way"]
    assert "1 rotation under way" in done.err
    assert fixing.key("gemini")["annotations"]["keyadmin-fix"] == plan["run"]
    assert fixing.targets("gemini") == [GEMINI], "the old key works until the grace is over"
    fixing.served.control("clock", {"advance": "25h"})
    again = fixing.apply(*policy, "--format", "json")
    assert again.code == 0, again.err
    assert [each["status"] for each in again.json["changes"]] == ["done"]
    assert fixing.targets("gemini") is None
    found = fixing.type("audit", "--projects", "shop", "--rule", "standard-key", "--format", "json")
    assert not [each for each in found.json["findings"] if each["severity"] == "high" and each["key"].endswith("/gemini")]


def test_sinks_come_from_the_policy_and_never_from_the_plan(fixing: Fixing) -> None:
    fixing.plan("--projects", "shop", "--key", "gemini", *with_policy(fixing))
    done = fixing.apply()
    assert done.code == 3
    assert "no policy was named" in done.err
    other = with_policy(fixing, POLICY.replace('"shop", "lab"', '"lab"'))
    again = fixing.apply(*other)
    assert again.code == 3
    assert "no rule of the policy has sinks for it" in again.err
    assert "CreateKey" not in fixing.served.methods()


def test_a_stranger_s_change_stops_a_migration(fixing: Fixing) -> None:
    policy = with_policy(fixing)
    fixing.plan("--projects", "shop", "--key", "gemini", *policy)
    fixing.stranger("gemini")
    done = fixing.apply(*policy)
    assert done.code == 3
    assert "somebody else changed" in done.err
    assert "CreateKey" not in fixing.served.methods()


def test_a_migration_that_would_be_refused_is_not_begun(fixing: Fixing) -> None:
    """Begun it would go on with whatever somebody else makes of the key meanwhile."""
    policy = with_policy(fixing)
    fixing.plan("--projects", "shop", "--key", "gemini", *policy)
    fixing.served.grant("helper@example.com", *READS, project="shop")
    assert fixing.apply(*policy, user="helper@example.com").code == 3
    assert fixing.steps("gemini") == ["failed"]
    assert "keyadmin-fix" not in fixing.key("gemini").get("annotations", {})
    assert "rotation rollback" not in fixing.undo().err, "nothing was replaced"


def test_an_undo_names_the_rollback_and_does_not_do_it(fixing: Fixing) -> None:
    policy = with_policy(fixing, POLICY + 'keys = ["the gemini"]\n')
    fixing.plan("--projects", "shop", "--key", "gemini", "--key", "map", *policy)
    assert fixing.apply(*policy).code == 0
    back = fixing.undo()
    assert back.code == 0, back.err
    assert fixing.targets("map") == []
    line = next(each for each in back.err.splitlines() if "rotation rollback" in each)
    assert "gemini" in line
    command = shlex.split(line[line.index("keyadmin ") + 9 :])
    assert command[:3] == ["rotation", "rollback", "gemini"]
    live = [key for key in fixing.api("/v2/projects/shop/locations/global/keys")["keys"] if key["name"].endswith("-2")]
    assert len(live) == 1, "the new key is left"


def test_an_old_auth_key_is_rotated(fixing: Fixing) -> None:
    account = "app@lab.iam.gserviceaccount.com"
    fixing.seed("lab", fixing.seed_key("worn", GEMINI, use=[(GEMINI, 1, 50)], serviceAccountEmail=account))
    policy = with_policy(fixing)
    plan = fixing.plan("--projects", "lab", "--key", "worn", *policy)
    assert [each["kind"] for each in plan["changes"]] == ["rotate"]
    done = fixing.apply(*policy, "--format", "json")
    assert done.code == 0, done.err
    assert [each["status"] for each in done.json["changes"]] == ["under way"]


def test_an_old_key_in_a_page_is_left_to_who_publishes_it(fixing: Fixing) -> None:
    """The policy's sinks take no key into a web page or an app: deleted after the grace, the old one would stop it."""
    page = {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}}
    fixing.seed("lab", fixing.seed_key("page", MAPS, use=[(MAPS, 1, 50)], restrictions=page))
    policy = with_policy(fixing)
    done = fixing.type("audit", "fix", "--projects", "lab", "--key", "page", *policy, "--out", str(fixing.folder / "plan.json"))
    assert done.code == 0, done.err
    plan = fixing.read()
    assert plan["changes"] == []
    (left,) = [each for each in plan["left"] if each["key"].endswith("/page")]
    assert "publish the page or the app" in left["why"]
    assert left["command"] == "keyadmin keys clone page -p lab"
