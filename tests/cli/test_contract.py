"""Sentences of the contract about every command at once; new commands are met by walking the table."""

from __future__ import annotations

import pytest

from keyadmin.cli.app import ROOT
from keyadmin.cli.lazy import build

# What only reads, prints or serves; everything else changes something.
READING = {
    "doctor": True,  # --apply and --role-file change something
    "explain": False,
    "snippet": False,
    "completion": True,  # --install
    "scan": True,  # --revoke
    "config get": False,
    "config list": False,
    "env show": False,
    "guard plan": False,
    "guard status": False,
    "keys describe": False,
    "keys list": False,
    "keys lookup": False,
    "keys show": False,
    "keys usage": False,
    "keys verify": False,
    "projects describe": False,
    "projects list": False,
    "projects search": False,
    "rotation plan": False,
    "rotation status": False,
    "rotation schedule": False,
    "sandbox env": False,
    "sandbox serve": False,
    "audit": False,
    "audit diff": False,
    "audit history": False,
    "audit schedule": False,
}
KEY = "AIza" + "SyB" + "w9" * 16


COMMANDS = {" ".join(path): entry for path, entry in ROOT.leaves()}


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("chosen", ["flag", "variable"])
def test_a_line_says_sandbox_even_where_the_command_line_is_wrong(cli, words: str, chosen: str) -> None:
    flag, env = (["--sandbox"], {}) if chosen == "flag" else ([], {"KEYADMIN_SANDBOX": "1"})
    done = cli(*flag, *words.split(), "--no-such-option", "--quiet", env=env)
    assert done.code == 2
    assert "This is the embedded sandbox" in done.err


@pytest.mark.parametrize("where", [("--no-sandbox",), ()])
def test_nothing_says_sandbox_where_it_was_not_chosen(cli, where: tuple[str, ...]) -> None:
    env = {"KEYADMIN_SANDBOX": "1"} if where else {}
    assert "This is the" not in cli(*where, "keys", "list", "--no-such-option", env=env).err


def test_a_refused_key_string_says_sandbox_too(cli) -> None:
    done = cli("keys", "verify", KEY, "--format", "json", env={"KEYADMIN_SANDBOX": "true"})
    assert done.code == 2
    assert "sandbox" in done.err
    assert KEY not in done.err


@pytest.mark.parametrize("words", [words for words in COMMANDS if READING.get(words, True)])
def test_everything_that_changes_something_takes_dry_run(words: str) -> None:
    command = build(words.rpartition(" ")[2], COMMANDS[words])
    assert any("--dry-run" in parameter.opts for parameter in command.params)


@pytest.mark.parametrize(
    "words",
    [
        ("config", "set", "format", "json"),
        ("sandbox", "reset"),
        ("sandbox", "seed", "{seed}"),
        ("completion", "bash", "--install"),
        ("projects", "enable", "translate.googleapis.com"),
        ("projects", "disable", "translate.googleapis.com"),
        ("projects", "create", "a-new-project"),
        ("projects", "rename", "demo-project", "Other name"),
        ("projects", "delete", "demo-project"),
        ("projects", "use", "old-maps-site"),
        ("projects", "import", "demo-project"),
        ("keys", "create", "--name", "x"),
        ("keys", "delete", "worker-001", "-p", "crowded-project"),
        ("keys", "rotate", "worker-001", "-p", "crowded-project"),
        ("keys", "compromised", "worker-001", "-p", "crowded-project"),
        ("env", "unset", "--shell", "bash"),
        ("tokens", "create", "worker-001", "-p", "crowded-project"),
    ],
    ids=" ".join,
)
def test_a_dry_run_in_json_is_one_document(cli, tmp_path, words: tuple[str, ...]) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"projects": [{"projectId": "another-one"}]}')
    done = cli("--sandbox", *(word.format(seed=seed) for word in words), "--dry-run", "--format", "json")
    assert done.code == 0
    assert "Dry run" in done.err
    document = done.json
    assert isinstance(document, list) or document["dryRun"] is True
    assert isinstance(document, list) or document["sandbox"] is True


def test_a_seed_that_is_only_tried_changes_nothing(cli, tmp_path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"projects": [{"projectId": "another-one", "iam": {"roles/owner": ["user:owner@example.com"]}}]}')
    assert cli("--sandbox", "sandbox", "seed", str(seed), "--dry-run").code == 0
    assert cli("--sandbox", "projects", "describe", "another-one").code == 1
    done = cli("--sandbox", "sandbox", "seed", str(seed), "--format", "json")
    assert (done.code, done.json["sandbox"]) == (0, True)
    assert cli("--sandbox", "projects", "describe", "another-one").code == 0


def test_a_setting_that_is_only_tried_is_not_kept(cli, config_home) -> None:
    assert cli("config", "set", "format", "yaml", "--dry-run").code == 0
    assert not (config_home / "config.json").exists()
    done = cli("config", "set", "project", "some-project", "--format", "json")
    assert done.json == {"name": "project", "value": "some-project", "source": str(config_home / "config.json")}


def test_completion_that_is_only_tried_is_not_installed(cli, home, tmp_path) -> None:
    assert cli("completion", "bash", "--install", "--dry-run").code == 0
    assert not (tmp_path / ".bashrc").exists()


ON_A_KEY = {
    "describe": [],
    "show": [],
    "verify": [],
    "restrict": ["--allowed-ips", "192.0.2.1"],
    "unrestrict": ["--yes"],
    "rename": ["new name"],
    "annotate": ["a=b"],
    "delete": ["--yes"],
    "undelete": [],
}


@pytest.mark.parametrize("verb", ON_A_KEY)
@pytest.mark.parametrize("key", ["web", "projects/no-such-project/locations/global/keys/web"])
def test_an_unknown_project_is_said_to_be_one(cli, verb: str, key: str) -> None:
    done = cli("--sandbox", "keys", verb, key, *ON_A_KEY[verb], "-p", "no-such-project", "--format", "json")
    assert (done.code, done.out) == (1, "")
    assert done.error["cause"] == "project-not-found-or-no-access"
    assert done.error["project"] == "no-such-project"


@pytest.mark.parametrize("project", ["crowded-project", "100000000003"])
def test_errors_name_the_project_by_its_id(cli, project: str) -> None:
    for number in range(4):
        made = cli("--sandbox", "keys", "create", "--standard", "--name", f"number {number}", "-p", project)
        assert made.code == 0
    done = cli("--sandbox", "keys", "create", "--standard", "--name", "one too many", "-p", project, "--format", "json")
    assert done.code == 1
    assert (done.error["cause"], done.error["project"]) == ("key-quota-exceeded", "crowded-project")
    assert not any("100000000003" in step for step in done.error["fix"])


def test_an_id_that_was_listed_before_is_not_mistyped(cli) -> None:
    assert cli("--sandbox", "projects", "list", "--all").code == 0
    stranger = {"KEYADMIN_SANDBOX_USER": "stranger@example.com"}
    assert "did you mean" not in cli("--sandbox", "keys", "list", "-p", "demo-project", env=stranger).err
    assert "did you mean demo-project" in cli("--sandbox", "keys", "list", "-p", "demo-projekt").err


def test_application_default_credentials_are_not_loaded_in_the_sandbox(cli, tmp_path) -> None:
    wrong = tmp_path / "adc.json"
    wrong.write_text("no credentials at all")
    there = {"GOOGLE_APPLICATION_CREDENTIALS": str(wrong), "GOOGLE_CLOUD_QUOTA_PROJECT": "no-such-project"}
    for words in (["keys", "create", "--name", "x"], ["keys", "list"], ["projects", "list", "--all"], ["doctor"]):
        done = cli("--sandbox", *words, env=there)
        assert done.code == 0, done.err
    assert cli("keys", "list", "-p", "some-project", env=there).code == 4


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "--name", "x", "-p", "crowded-project"),
        ("keys", "clone", "worker-001", "--name", "y", "-p", "crowded-project"),
        ("keys", "list", "-p", "crowded-project"),
        ("keys", "describe", "worker-001", "-p", "crowded-project"),
        ("keys", "show", "worker-001", "-p", "crowded-project"),
        ("keys", "verify", "worker-001", "-p", "crowded-project"),
        ("keys", "usage", "worker-001", "-p", "crowded-project"),
        ("keys", "rename", "worker-001", "n", "-p", "crowded-project"),
        ("keys", "restrict", "worker-001", "--allowed-ips", "192.0.2.1", "-p", "crowded-project"),
        ("keys", "unrestrict", "worker-001", "-p", "crowded-project", "--yes"),
        ("keys", "annotate", "worker-001", "a=b", "-p", "crowded-project"),
        ("keys", "delete", "worker-001", "--yes", "-p", "crowded-project"),
        ("projects", "list"),
        ("projects", "search", "demo"),
        ("projects", "describe", "demo-project"),
        ("projects", "create", "a-new-project"),
        ("projects", "rename", "demo-project", "Other name"),
        ("projects", "import", "demo-project"),
        ("projects", "delete", "demo-project", "--yes"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_json_of_keys_and_projects_says_sandbox(cli, words: tuple[str, ...]) -> None:
    done = cli("--sandbox", *words, "--format", "json")
    assert done.code == 0, done.err
    objects = done.json if isinstance(done.json, list) else [done.json]
    assert objects
    assert all(each["sandbox"] is True for each in objects)
    assert words[:2] == ("keys", "show") or not any("keyString" in each for each in objects)
