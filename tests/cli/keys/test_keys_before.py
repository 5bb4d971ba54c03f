"""What is looked at before a key is made: its sinks, and the keys beside which Gemini would be switched on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GEMINI = "generativelanguage.googleapis.com"


@pytest.fixture
def exposed(served: Any) -> Any:
    """A project with Gemini off and two keys that could call it."""
    keys = [{"keyId": "old-map", "displayName": "map"}, {"keyId": "old-site", "displayName": "site"}]
    services = ["apikeys.googleapis.com", "iam.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": keys}])
    return served


@pytest.mark.parametrize("line", [("create", "--name", "new"), ("clone", "old-map")], ids=["create", "clone"])
def test_gemini_is_not_switched_on_beside_open_keys_unasked(
    keys: Callable[..., Any], exposed: Any, line: tuple[str, ...]
) -> None:
    refused = keys(*line)
    assert refused.code == 2, refused.err
    assert "--allow-exposure" in refused.err
    assert "old-map" in refused.err
    declined = keys(*line, terminal=True, stdin="n\n")
    assert declined.code == 1
    changing = {"EnableService", "BatchEnableServices", "CreateServiceAccount", "CreateKey"}
    assert not changing & set(exposed.methods())
    dry = keys(*line, "--dry-run")
    assert dry.code == 0
    assert "old-map" in dry.err
    agreed = keys(*line, terminal=True, stdin="y\n")
    assert agreed.code == 0, agreed.err
    assert exposed.methods().count("CreateKey") == 1


def test_allow_exposure_answers_beforehand(keys: Callable[..., Any], exposed: Any) -> None:
    done = keys("create", "--name", "new", "--allow-exposure")
    assert done.code == 0, done.err
    assert "old-map" in done.err, "it is said all the same"


def test_where_it_cannot_be_seen_that_is_said_and_the_five_permissions_suffice(keys: Callable[..., Any], exposed: Any) -> None:
    five = (
        "resourcemanager.projects.get",
        "serviceusage.services.enable",
        "apikeys.keys.create",
        "iam.serviceAccounts.create",
        "iam.serviceAccountApiKeyBindings.create",
    )
    exposed.grant("maker@example.com", *five)
    done = keys("create", "--name", "new", "--no-verify", user="maker@example.com")
    assert done.code == 0, done.err
    assert "is not known" in done.err


BAD_SINKS = {
    "no folder": "env-file:{tmp}/nope/x.env",
    "a link": "env-file:{tmp}/link.env",
    "a folder": "env-file:{tmp}/folder",
    "no program": "exec:no-such-program-at-all --flag",
    "not executable": "exec:{tmp}/plain.txt",
    "no folder for file": "file:{tmp}/nope/key",
}


@pytest.mark.parametrize("kind", list(BAD_SINKS))
def test_a_bad_sink_is_refused_before_the_key_is_made(cli: Callable[..., Any], tmp_path: Path, kind: str) -> None:
    """Each try left a live key that nobody had."""
    (tmp_path / "real.env").write_text("A=1\n")
    os.symlink(tmp_path / "real.env", tmp_path / "link.env")
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain.txt").write_text("no program")
    sink = BAD_SINKS[kind].format(tmp=tmp_path)
    for _ in range(2):
        for dry in (("--dry-run",), ()):
            done = cli("--sandbox", "keys", "create", "--name", "x", "--to", sink, *dry)
            assert done.code == 1, done.err
            assert sink in done.err
    assert cli("--sandbox", "keys", "list", "--all", "--format", "json").json == []
    assert (tmp_path / "real.env").read_text() == "A=1\n"


def test_a_secret_that_may_not_be_written_is_refused_before_the_key_is_made(keys: Callable[..., Any], served: Any) -> None:
    services = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com", "secretmanager.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "secrets": {"gemini": ["old"]}}])
    maker = ("resourcemanager.projects.get", "apikeys.keys.create", "apikeys.keys.list", "serviceusage.services.get")
    more = ("serviceusage.services.enable", "iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create")
    served.grant("maker@example.com", *maker, *more)
    for secret, permission in (("gemini", "secretmanager.versions.add"), ("new-one", "secretmanager.versions.add")):
        sink = f"secret-manager:projects/demo-project/secrets/{secret}"
        done = keys("create", "--name", "x", "--to", sink, "--format", "json", user="maker@example.com")
        assert done.code == 1
        assert done.error["permission"] == permission
    assert "CreateKey" not in served.methods()
    assert keys("create", "--name", "x", "--to", "secret-manager:projects/demo-project/secrets/gemini").code == 0


@pytest.mark.parametrize("state", ["id taken", "id of a deleted key", "too many", "no permission", "policy"])
def test_a_dry_run_of_create_refuses_what_the_run_refuses(keys: Callable[..., Any], served: Any, state: str) -> None:
    services = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com", "orgpolicy.googleapis.com"]
    many = [{"keyId": f"k{number}"} for number in range(300 if state == "too many" else 0)]
    gone = {"keyId": "gone", "deleteTime": "2026-11-20T00:00:00Z"}
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": [{"keyId": "mine"}, gone, *many]}])
    line = {
        "id taken": ("--key-id", "mine"),
        "id of a deleted key": ("--key-id", "gone"),
        "too many": (),
        "no permission": (),
        "policy": ("--api-target", "translate.googleapis.com"),
    }[state]
    user = "owner@example.com"
    if state == "no permission":
        user = "reader@example.com"
        served.grant(user, "apikeys.keys.list", "resourcemanager.projects.get", "serviceusage.services.get")
    tries = [keys("create", "--name", "x", *line, *dry, "--format", "json", user=user) for dry in (("--dry-run",), ())]
    dry, real = tries
    assert (dry.code, dry.error) == (real.code, real.error)
    assert dry.code == 1


def test_projects_enable_asks_too(cli: Callable[..., Any], exposed: Any) -> None:
    env = {"KEYADMIN_SANDBOX": exposed.rest}
    refused = cli("projects", "enable", "demo-project", env=env)
    assert refused.code == 2
    assert "--allow-exposure" in refused.err
    assert cli("projects", "enable", "demo-project", env=env, terminal=True, stdin="n\n").code == 1
    assert not {"EnableService", "BatchEnableServices"} & set(exposed.methods())
    assert cli("projects", "enable", "demo-project", "translate.googleapis.com", env=env).code == 0, "no matter for Gemini"
    assert cli("projects", "enable", "demo-project", "--allow-exposure", env=env).code == 0


def test_a_project_that_is_being_deleted_is_said_to_be_one(
    keys: Callable[..., Any], cli: Callable[..., Any], served: Any
) -> None:
    env = {"KEYADMIN_SANDBOX": served.rest}
    assert cli("projects", "delete", "demo-project", "--yes", env=env).code == 0
    for dry in ((), ("--dry-run",)):
        done = keys("create", "--name", "x", *dry, "--format", "json")
        assert (done.code, done.error["cause"]) == (1, "project-not-active")
        assert "is being deleted" in done.error["message"]
        assert done.error["fix"] == ["bring it back: keyadmin projects undelete demo-project"]
        assert "does not exist" not in done.err
    assert not {"EnableService", "BatchEnableServices", "CreateServiceAccount", "CreateKey"} & set(served.methods())


STATES = ("used", "unused", "use unknown", "no permission", "deleted", "unread")
CHANGES: dict[str, tuple[str, ...]] = {
    "restrict": ("restrict", "web", "--allowed-ips", "192.0.2.1", "--yes"),
    "restrict by adding": ("restrict", "web", "--add-api-target", "translate.googleapis.com"),
    "unrestrict": ("unrestrict", "web", "--yes"),
    "rename": ("rename", "web", "other"),
    "annotate": ("annotate", "web", "a=b"),
    "delete": ("delete", "web", "--yes"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("change", list(CHANGES))
def test_a_dry_run_ends_as_the_run_does(keys: Callable[..., Any], served: Any, change: str, state: str) -> None:
    """The same exit code and the same error, word for word; and it changes nothing."""
    now = served.control("")["now"]
    key: dict[str, Any] = {"keyId": "web", "displayName": "web", "createTime": "2025-01-01T00:00:00Z"}
    key["restrictions"] = {"apiTargets": [{"service": GEMINI}]}
    key |= {"lastUsed": now} if state == "used" else {"deleteTime": now} if state == "deleted" else {}
    services = [GEMINI, "apikeys.googleapis.com", "monitoring.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": [key]}])
    user = "owner@example.com"
    allowed = {
        "use unknown": ("apikeys.keys.get", "apikeys.keys.update", "apikeys.keys.delete", "resourcemanager.projects.get"),
        "no permission": (
            "apikeys.keys.get",
            "apikeys.keys.list",
            "resourcemanager.projects.get",
            "monitoring.timeSeries.list",
        ),
        "unread": ("apikeys.keys.update", "apikeys.keys.delete"),
    }
    if state in allowed:
        user = "somebody@example.com"
        served.grant(user, *allowed[state])
    before = keys("describe", "web", "--format", "json").json
    dry = keys(*CHANGES[change], "--dry-run", "--format", "json", user=user)
    assert keys("describe", "web", "--format", "json").json == before
    real = keys(*CHANGES[change], "--format", "json", user=user)
    assert dry.code == real.code, (dry.err, real.err)
    if real.code:
        assert dry.error == real.error
    if state == "use unknown" and change in ("restrict", "delete"):
        assert "is not known" in dry.err


def test_keys_migrate_asks_too(keys: Callable[..., Any], exposed: Any) -> None:
    refused = keys("migrate", "old-map", "--to", "stdout", "--yes")
    assert refused.code == 2, refused.err
    assert "--allow-exposure" in refused.err
    assert keys("migrate", "old-map", "--to", "stdout", terminal=True, stdin="n\n").code == 1
    changing = {"EnableService", "BatchEnableServices", "CreateServiceAccount", "CreateKey", "UpdateKey"}
    assert not changing & set(exposed.methods())
    assert "old-site" in keys("migrate", "old-map", "--to", "stdout", "--dry-run").err
    agreed = keys("migrate", "old-map", "--to", "stdout", "--yes", "--allow-exposure", "--force")
    assert "CreateKey" in exposed.methods(), agreed.err
