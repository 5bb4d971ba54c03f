"""rotate and migrate, as typed; the engine's own proofs are in tests/rotation."""

from __future__ import annotations

import pytest

GEMINI = "generativelanguage.googleapis.com"
ACCOUNT = "caller@demo-project.iam.gserviceaccount.com"


@pytest.fixture
def there(served):
    """demo-project with the auth key `web` and the standard key `old`."""
    restrictions = {"apiTargets": [{"service": GEMINI}]}
    keys = [
        {"keyId": "web", "displayName": "Web", "serviceAccountEmail": ACCOUNT, "restrictions": restrictions},
        {"keyId": "old", "displayName": "Old", "restrictions": restrictions},
    ]
    services = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com", "secretmanager.googleapis.com"]
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": services, "keys": keys}]})
    return served


def live(keys) -> dict[str, dict]:
    return {key["name"].rpartition("/")[2]: key for key in keys("list", "--all", "--format", "json").json}


def test_rotate_and_called_again_retire(keys, there, scratch) -> None:
    path = scratch / ".env"
    command = ["rotate", "web", "--to", f"env-file:{path}", "--sandbox", "--yes", "--format", "json"]
    first = keys(*command)
    assert first.code == 0, first.err
    out = first.json
    assert (out["generation"], out["state"], out["sandbox"]) == (2, "grace", True)
    assert out["predecessor"].endswith("/keys/web")
    assert {step["status"] for step in out["steps"]} <= {"done", "already", "skipped", "waiting"}
    string = keys("show", out["key"]).out.strip()
    assert path.read_text() == f"GEMINI_API_KEY={string}\n"
    assert string not in first.out + first.err
    again = keys(*command).json
    assert (again["generation"], again["state"]) == (2, "grace"), "within the grace period nothing more is made"
    there.control("clock", {"advance": "25h"})
    last = keys(*command)
    assert last.code == 0, last.err
    assert last.json["state"] == "retired"
    assert set(live(keys)) == {"old", out["key"].rpartition("/")[2]}


def test_a_key_that_sinks_hold_is_kept_where_the_new_one_was_handed_to_none(keys, there, scratch) -> None:
    path = scratch / ".env"
    sink = ["--to", f"env-file:{path}", "--sandbox"]
    for words in (sink, sink, [], []):
        there.control("clock", {"advance": "25h"})
        done = keys("rotate", "Web", *words, "--yes", "--format", "json")
        assert done.code == 0, done.err
    out = done.json
    second = out["predecessor"].rpartition("/")[2]
    assert (out["generation"], out["state"]) == (3, "grace")
    assert "was handed to sinks" in out["why"]
    assert path.read_text().strip() == f"GEMINI_API_KEY={keys('show', second).out.strip()}"
    assert "--to SINK" in done.err
    assert keys("rotate", "Web", "--force", "--yes", "--format", "json").json["state"] == "retired"


def test_rotate_in_words(keys, there) -> None:
    done = keys("rotate", "Web", "--grace", "0s", "--yes")
    assert done.code == 0, done.err
    assert "create" in done.out
    assert "no sink was given" in done.out
    assert "AQ." not in done.out + done.err


def test_a_display_name_that_successors_bear_too_means_the_newest_of_its_lineage(keys, there) -> None:
    gone = {"keyId": "gone", "displayName": "Web", "deleteTime": "2026-11-20T00:00:00Z"}
    there.control("seed", {"projects": [{"projectId": "demo-project", "keys": [gone]}]})
    first = keys("rotate", "Web", "--yes", "--format", "json")
    assert first.code == 0, first.err
    again = keys("rotate", "Web", "--yes", "--format", "json")
    assert again.code == 0, again.err
    assert (again.json["key"], again.json["state"]) == (first.json["key"], "grace")
    there.control("seed", {"projects": [{"projectId": "demo-project", "keys": [{"keyId": "twin", "displayName": "Web"}]}]})
    refused = keys("rotate", "Web", "--yes", "--format", "json")
    assert refused.error["cause"] == "invalid-argument"
    assert "CreateKey" not in there.methods()[-3:]


def test_a_successor_in_grace_is_not_replaced_when_it_is_named(keys, there) -> None:
    first = keys("rotate", "web", "--yes", "--format", "json").json
    there.control("clock", {"advance": "25h"})
    named = keys("rotate", first["key"], "--yes", "--format", "json")
    assert (named.json["generation"], named.json["state"]) == (2, "retired"), "what is under way is finished, and no more"


def test_rotate_to_stdout_is_one_document(keys, there) -> None:
    done = keys("rotate", "web", "--to", "stdout", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["keyString"] == keys("show", done.json["key"]).out.strip()


@pytest.mark.parametrize("form", ["table", "csv", "markdown"])
def test_rotate_to_stdout_prints_the_key_string_and_nothing_else(keys, there, form) -> None:
    done = keys("rotate", "web", "--to", "stdout", "--yes", "--format", form)
    assert done.code == 0, done.err
    new = next(name for name in live(keys) if name.startswith("ka-"))
    assert done.out == keys("show", new).out
    assert "grace" in done.err
    assert done.out.strip() not in done.err


def test_a_plan_knows_that_other_sinks_are_handed_to_anew(keys, there, scratch) -> None:
    assert keys("rotate", "web", "--to", f"env-file:{scratch / 'a'}", "--sandbox", "--yes").code == 0
    other = f"env-file:{scratch / 'b'}"
    planned = keys("rotate", "web", "--to", other, "--sandbox", "--dry-run")
    assert "publish (its sinks are others" in planned.err
    assert other in planned.err


def test_who_rotates_a_standard_key_is_told_that_it_will_not_work(keys, there) -> None:
    assert "keyadmin keys migrate old -p demo-project" in keys("rotate", "old", "--dry-run").err
    for words in (["rotate", "web"], ["migrate", "old"]):
        assert "takes none any more" not in keys(*words, "--dry-run").err


def test_migrate_makes_an_auth_key_of_a_standard_one(keys, there, scratch) -> None:
    assert keys("verify", "old").code == 3
    done = keys("migrate", "old", "--to", f"env-file:{scratch / 'x'}", "--sandbox", "--yes", "--format", "json")
    assert done.code == 0, done.err
    new = live(keys)[done.json["key"].rpartition("/")[2]]
    assert new["keyType"] == "auth"
    assert new["restrictions"] == {"apiTargets": [{"service": GEMINI}]}
    assert keys("verify", done.json["key"]).code == 0
    assert "AQ.SANDBOX-" in (scratch / "x").read_text()


def test_the_plan_of_a_migration_says_whose_the_key_is_and_what_is_missing(keys, there) -> None:
    permissions = [
        "apikeys.keys.list",
        "apikeys.keys.get",
        "resourcemanager.projects.get",
        "resourcemanager.projects.getIamPolicy",
    ]
    role = "organizations/1000/roles/looker"
    there.control("seed", {"customRoles": {role: permissions}})
    there.control("seed", {"projects": [{"projectId": "demo-project", "iam": {role: ["user:looker@example.com"]}}]})
    sink = "secret-manager:projects/demo-project/secrets/gemini"
    done = keys("migrate", "old", "--to", sink, "--dry-run", "--format", "json", user="looker@example.com")
    assert (done.code, done.error["permission"]) == (1, "secretmanager.versions.add"), "as the run would end"
    assert done.json["dryRun"] is True
    assert "user:owner@example.com" in done.json["owners"]
    assert (done.json["ready"], done.json["sinks"]) == (False, [sink])
    assert "apikeys.keys.create" in done.json["missing"]
    assert "secretmanager.versions.add in demo-project" in done.json["missing"]
    for words in ("Owners of project demo-project: ", "Missing: ", "deleted after the grace period"):
        assert words in done.err
    assert keys("migrate", "old", "--dry-run", "--format", "json").json["missing"] == []


@pytest.mark.parametrize(("verb", "key"), [("rotate", "web"), ("migrate", "old")])
def test_they_ask_and_can_be_planned(keys, there, verb, key) -> None:
    before = len(there.methods())
    assert keys(verb, key).code == 2
    assert len(there.methods()) == before
    declined = keys(verb, key, terminal=True, stdin="n\n")
    assert declined.code == 1
    assert "Rotate " in declined.err
    planned = keys(verb, key, "--dry-run")
    assert planned.code == 0
    assert "Dry run" in planned.err
    assert not {"CreateKey", "DeleteKey", "UpdateKey"} & set(there.methods()[before:])
    assert keys(verb, key, terminal=True, stdin="y\n").code == 0


@pytest.mark.parametrize("verb", ["rotate", "migrate"])
@pytest.mark.parametrize("wrong", [["web", "--grace", "never"], ["web", "--to", "nowhere"], []])
def test_wrong_usage(keys, served, verb, wrong) -> None:
    done = keys(verb, *wrong, "--yes", "--format", "json")
    assert done.code == 2
    assert served.methods() == []


@pytest.mark.parametrize(("verb", "key"), [("rotate", "web"), ("migrate", "old")])
def test_a_sandbox_key_leaves_the_sandbox_only_with_the_flag(keys, there, scratch, verb, key) -> None:
    words = [verb, key, "--to", f"env-file:{scratch / 'x'}", "--format", "json"]
    before = there.methods()
    assert keys(*words, "--dry-run").code == 2, "a plan says what would happen"
    done = keys(*words, "--yes")
    assert done.code == 2
    assert there.methods() == before, "it is said before anything is asked"
    assert not (scratch / "x").exists()


@pytest.mark.parametrize(("verb", "key"), [("rotate", "web"), ("migrate", "old")])
def test_without_permission_nothing_is_made(keys, there, verb, key) -> None:
    there.grant("reader@example.com", "apikeys.keys.get", "apikeys.keys.list", "resourcemanager.projects.get")
    done = keys(verb, key, "--yes", "--format", "json", user="reader@example.com")
    assert done.code == 1
    assert done.error["cause"] == "missing-iam-permission"
    assert set(live(keys)) == {"web", "old"}
