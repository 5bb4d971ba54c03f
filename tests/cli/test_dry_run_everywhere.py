"""A dry run is the plan, for every command that takes --dry-run, in every state that it may find."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli.app import PROGRAM, ROOT
from keyadmin.cli.lazy import LazyGroup, group
from keyadmin.cli.printed import command_paths, use_table
from tests.cli.dry_runs import CASES, ELSEWHERE, LINES, SENSELESS, STATES
from tests.cli.test_advice_typed import Neighbours

GEMINI = "generativelanguage.googleapis.com"
READER = "reader@example.com"
CAN_READ = (
    "resourcemanager.projects.get",
    "apikeys.keys.get",
    "apikeys.keys.list",
    "serviceusage.services.get",
    "serviceusage.services.list",
    "monitoring.timeSeries.list",
)
LOOKED = ("demo-project", "stopped-project")
ROOTED = (
    "audit accept",
    "rotation init",
    "rotation schedule",
    "audit schedule",
    "config set",
    "completion",
    "env set",
    "env unset",
    "env restore",
)
"""Commands that change files: what they may not write is what they lack."""


def dry_commands() -> set[str]:
    """Every command of the table that takes --dry-run."""
    use_table({name: each.target for name, each in ROOT.entries.items()})
    out = set()
    for path in command_paths():
        node: Any = group(PROGRAM, ROOT)
        for word in path.split():
            node = node.get_command(None, word) if isinstance(node, LazyGroup) else node
        if any("--dry-run" in getattr(parameter, "opts", ()) for parameter in node.params):
            out.add(path)
    return out


def test_every_dry_run_is_compared_with_its_run_in_every_state() -> None:
    demanded = {(command, state) for command in dry_commands() for state in STATES}
    known = {*CASES, *ELSEWHERE, *SENSELESS}
    missing = sorted(demanded - known)
    assert not missing, f"put these into LINES, ELSEWHERE or SENSELESS of tests/cli/dry_runs.py: {missing}"
    assert not sorted({command for command, _ in known} - dry_commands()), "these commands take no --dry-run"
    assert not sorted({*SENSELESS} & {*ELSEWHERE}), "tested, and said to make no sense"


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_what_is_tested_elsewhere_is_there(place: str) -> None:
    path, _, name = place.partition("::")
    assert f"def {name}(" in Path(__file__).parents[2].joinpath(path).read_text()


def seed(served: Any, state: str) -> None:
    """Keys of all kinds, a project that is being deleted, somebody who may read; and the state."""
    account = "robot@demo-project.iam.gserviceaccount.com"
    now = served.control("")["now"]
    used = {"lastUsed": now} if state in ("used", "use unknown") else {}
    targets = {"apiTargets": [{"service": GEMINI}]}
    old = {"createTime": "2025-01-01T00:00:00Z", "restrictions": targets} | used
    web = {"keyId": "web", "displayName": "web", "serviceAccountEmail": account} | old
    keys = [web, {"keyId": "old", "displayName": "old"} | old, {"keyId": "gone", "deleteTime": "2026-11-20T00:00:00Z"}]
    keys += [{"keyId": f"k{number}"} for number in range(298 if state == "too many" else 0)]
    services = ["apikeys", "iam", "translate", "monitoring", "generativelanguage", "cloudresourcemanager"]
    on = [f"{name}.googleapis.com" for name in services]
    stopped = {"projectId": "stopped-project", "state": "DELETE_REQUESTED", "iam": {"roles/owner": ["user:owner@example.com"]}}
    served.seed(projects=[{"projectId": "demo-project", "services": on, "keys": keys}, stopped])
    if state == "no permission":
        served.grant(READER, *CAN_READ)
        served.grant(READER, *CAN_READ, project="stopped-project")
    if state == "use unknown":
        served.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})


def standing(served: Any, folder: Path) -> dict[str, Any]:
    """Everything: keys, bindings, states, APIs, service accounts, and every file of the user's."""
    around, out = Neighbours(served.rest), {}
    for project in LOOKED:
        out[project] = around.ask(f"/v3/projects/{project}")
        out[f"iam {project}"] = around.ask(f"/v3/projects/{project}:getIamPolicy", {})
    out["keys"] = around.keys("demo-project")
    out["apis"] = around.ask("/v1/projects/demo-project/services?filter=state:ENABLED&pageSize=200")
    out["accounts"] = around.ask("/v1/projects/demo-project/serviceAccounts")
    passing = ("/cache/", "sandbox.db", ".lock", "/data/")  # what is remembered of a look, and locks
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part in str(path) for part in passing):
            out[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return out


def between(served: Any, folder: Path, command: str) -> None:
    """What somebody else does after the first dry run."""
    around, project = Neighbours(served.rest), "projects/demo-project"
    keys = f"/v2/{project}/locations/global/keys"
    around.ask(f"{keys}/web", method="DELETE")
    around.ask(f"{keys}/gone:undelete", {})
    around.ask(f"{keys}/old?updateMask=displayName", {"displayName": "older"}, method="PATCH")
    around.ask(f"/v1/{project}/services/translate.googleapis.com:disable", {})
    around.ask("/v3/projects/stopped-project:undelete", {})
    if command == "projects undelete":
        around.ask(f"/v3/{project}", method="DELETE")
    (folder / "start.env").write_text("OTHER=1\n")
    (folder / "keyadmin.toml").write_text("# somebody's\n")
    (folder / "seed.json").write_text("no JSON")


def unwritable(folder: Path, home: Path) -> None:
    """Files where folders should be: root, too, is refused there."""
    for path in (folder / "units", home / "config"):
        path.write_text("a file")
    (folder / "start.env").unlink()
    (folder / "start.env").mkdir()
    (folder / "keyadmin.toml").mkdir()


@pytest.mark.parametrize(("command", "state"), CASES, ids=[f"{command}, {state}" for command, state in CASES])
def test_a_dry_run_ends_as_the_run_does_and_changes_nothing(
    cli: Callable[..., Any], served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, state: str
) -> None:
    seed(served, state)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_PROJECT": "demo-project", "SHELL": "/bin/bash"}
    prepared(cli, env, folder, command)
    if state == "no permission":
        env["KEYADMIN_SANDBOX_USER"] = READER
        if command in ROOTED:
            unwritable(folder, tmp_path)
    words = (*command.split(), *LINES[command], "--sandbox", "--format", "json")
    if state == "changed in between":
        assert cli(*words, "--dry-run", env=env).code in (0, 1, 2, 3)
        between(served, folder, command)
    before = standing(served, tmp_path)
    dry = cli(*words, "--dry-run", env=env)
    assert standing(served, tmp_path) == before, "a dry run changes nothing"
    real = cli(*words, env=env)
    assert dry.code == real.code, (dry.out, dry.err, real.out, real.err)
    if real.code and '{"error"' in real.err:
        assert dry.error == real.error
    assert "Traceback" not in dry.err + real.err


def prepared(cli: Callable[..., Any], env: dict[str, str], folder: Path, command: str) -> None:
    """The files that the words name."""
    (folder / "start.env").write_text("GEMINI_API_KEY=AQ.SANDBOX-" + "o" * 42 + "\n")
    (folder / "seed.json").write_text(json.dumps({"projects": [{"projectId": "more-project"}]}))
    if command == "env restore":
        assert cli("env", "unset", *LINES["env unset"], "--sandbox", env=env).code == 0
    if command == "audit undo":
        plan = str(folder / "plan.json")
        fix = ("audit", "fix", *LINES["audit fix"][:-1])
        assert cli(*fix, "--out", plan, env=env).code in (0, 3)
        assert cli("audit", "fix", "--apply", plan, "--observe", "0s", "--yes", env=env).code in (0, 3)
    if command == "scan":
        (folder / "leak.txt").write_text(cli("keys", "show", "web", env=env).out)
    if command == "rotation migrate":
        (folder / "keyadmin.toml").write_text('[[rule]]\nprojects = ["demo-project"]\nkeys = ["old"]\nsinks = []\n')
    if command == "projects forget":
        assert cli("projects", "import", "demo-project", env=env).code == 0


BAD_PLACES = {
    "a folder": "folder",
    "below a file": "plain/x.env",
    "no such folder": "nowhere/x.env",
    "a link": "link.env",
}


@pytest.mark.parametrize("place", list(BAD_PLACES))
@pytest.mark.parametrize("verb", [("set", "web"), ("unset",)], ids=lambda verb: verb[0])
def test_where_nothing_can_be_written_the_dry_run_says_so_in_the_same_words(
    cli: Callable[..., Any], served: Any, tmp_path: Path, verb: tuple[str, ...], place: str
) -> None:
    seed(served, "unused")
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("")
    (tmp_path / "link.env").symlink_to(tmp_path / "plain")
    words = ("env", *verb, "--file", str(tmp_path / BAD_PLACES[place]), "--shell", "dotenv", "--sandbox", "--format", "json")
    dry, real = (cli(*words, *more, env={"KEYADMIN_SANDBOX": served.rest}) for more in (("--dry-run",), ()))
    assert dry.code == real.code
    if real.code:
        assert dry.error == real.error


def test_where_nothing_would_be_done_the_dry_run_says_that(cli: Callable[..., Any], served: Any, tmp_path: Path) -> None:
    seed(served, "unused")
    file, env = tmp_path / "start.env", {"KEYADMIN_SANDBOX": served.rest}
    more = ("--file", str(file), "--shell", "dotenv", "--sandbox")
    assert "as it is: GEMINI_API_KEY is not set there" in cli("env", "unset", *more, "--dry-run", env=env).err
    assert "would set GEMINI_API_KEY" in cli("env", "set", "web", *more, "--dry-run", env=env).err
    assert cli("env", "set", "web", *more, env=env).code == 0
    assert "as it is: GEMINI_API_KEY is set so already" in cli("env", "set", "web", *more, "--dry-run", env=env).err
    assert "would take GEMINI_API_KEY out of" in cli("env", "unset", *more, "--dry-run", env=env).err
    assert cli("env", "unset", *more, env=env).code == 0
    assert "back as it was" in cli("env", "restore", str(file), "--dry-run", env=env).err
    assert cli("env", "restore", str(file), env=env).code == 0
    assert "back as it was" in cli("env", "restore", str(file), "--number", "1", "--dry-run", env=env).err


def test_who_may_not_grant_is_told_by_the_dry_run(cli: Callable[..., Any], served: Any) -> None:
    seed(served, "unused")
    policies = [f"resourcemanager.{kind}.getIamPolicy" for kind in ("projects", "folders", "organizations")]
    role = "organizations/1000/roles/policyReader"
    above = [{"name": "organizations/1000", "iam": {role: [f"user:{READER}"]}}]
    served.seed(
        customRoles={
            role: [
                *CAN_READ,
                *policies,
                "iam.roles.get",
                *(f"resourcemanager.{each}.get" for each in ("folders", "organizations")),
            ]
        },
        organizations=above,
    )
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": READER}
    words = ("doctor", *LINES["doctor"], "--format", "json")
    dry, real = (cli(*words, *more, env=env) for more in (("--dry-run",), ()))
    assert dry.code == real.code == 1, (dry.err, real.err)
    assert (dry.code, dry.error) == (real.code, real.error)
    assert dry.error["permission"] == "resourcemanager.projects.setIamPolicy"


@pytest.mark.parametrize("state", ["active", "being deleted"])
def test_an_id_that_is_taken_is_seen_by_the_dry_run(cli: Callable[..., Any], served: Any, state: str) -> None:
    seed(served, "unused")
    taken = "demo-project" if state == "active" else "stopped-project"
    words = ("projects", "create", taken, "--format", "json")
    dry, real = (cli(*words, *more, env={"KEYADMIN_SANDBOX": served.rest}) for more in (("--dry-run",), ()))
    assert (dry.code, dry.error) == (real.code, real.error)
    assert dry.error["cause"] == "already-exists"


def test_a_dry_run_names_what_would_go(cli: Callable[..., Any], served: Any) -> None:
    """What the run asks about is said by the dry run too."""
    sites = {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}}
    key = {"keyId": "web", "restrictions": sites | {"apiTargets": [{"service": GEMINI}]}}
    served.seed(projects=[{"projectId": "demo-project", "services": [GEMINI, "apikeys.googleapis.com"], "keys": [key]}])
    words = ("keys", "restrict", "web", "--allowed-referrers", "https://b.example/*", "-p", "demo-project", "--dry-run")
    dry = cli(*words, env={"KEYADMIN_SANDBOX": served.rest})
    assert dry.code == 0
    assert "site https://a.example/* will no longer be allowed to use it" in dry.err
