"""Every command's output by its schema: whole documents, lines, columns of CSV, `--fields`. `cli` holds each to its schema."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli.app import ROOT
from keyadmin.cli.documents import FORMS
from keyadmin.cli.fields import choose, columns
from keyadmin.model.problem import Exit, Problem
from tests.cli.dry_runs import LINES
from tests.cli.json_documents import check, validator
from tests.cli.test_dry_run_everywhere import prepared, seed

READ = {
    "explain": ("API key not valid",),
    "audit": ("--projects", "demo-project"),
    "audit diff": ("old.json", "new.json"),
    "audit history": (),
    "keys list": ("--all", "--usage"),
    "keys describe": ("web", "old"),
    "keys usage": (),
    "keys show": ("web",),
    "keys verify": ("web",),
    "keys lookup": ("--key-from-env", "STRING"),
    "rotation plan": ("--policy", "policy.toml", "--all"),
    "rotation status": (),
    "guard plan": ("--rehearse",),
    "guard status": (),
    "projects list": ("--all", "--apis", "--keys"),
    "projects search": ("demo",),
    "projects describe": (),
    "env show": (),
    "snippet": ("python",),
    "sandbox env": (),
    "config get": ("project",),
    "config list": (),
}
CHANGE = LINES | {
    "keys rotate": ("web", "--yes"),
    "keys compromised": ("web", "--yes"),
    "guard apply": ("--yes",),
    "guard remove": ("--yes",),
    "rotation run": ("--policy", "policy.toml", "--yes"),
    "rotation adopt": ("web",),
    "rotation rollback": ("web", "--yes"),
    "completion": ("bash",),
}
FOREGROUND = {"sandbox serve"}
RULE = '[[rule]]\nprojects = ["demo-project"]\nkeys = ["web"]\nmax-age = "30d"\nsinks = []\n'


@pytest.fixture
def here(cli: Any, served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`here("keys list", "--format", "json")`: a command in a folder with all that its words name."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_PROJECT": "demo-project", "SHELL": "/bin/bash"}

    def start(words: str) -> None:
        seed(served, "used" if words in READ else "unused")
        prepared(cli, env, folder, words)
        if words == "projects default":
            env["KEYADMIN_SANDBOX_USER"] = "new.person@example.net"
        if words == "env show":
            (folder / ".env").write_text((folder / "start.env").read_text())
        (folder / "policy.toml").write_text(RULE)
        if words == "audit diff":
            for name in ("old.json", "new.json"):
                report = cli("audit", "--projects", "demo-project", "--max-age", "1d" if name[0] == "n" else "900d", env=env)
                assert report.code in (0, 3)
                cli("audit", "--projects", "demo-project", "--output", name, "--fail-on", "none", env=env)
                served.control("clock", {"advance": "100d"})
        if words in ("audit history", "keys lookup"):
            cli("audit", env=env)
            env["STRING"] = cli("keys", "show", "web", env=env).out.strip()
        if words == "rotation rollback":
            assert cli("keys", "rotate", "web", "--yes", env=env).code == 0

    def run(words: str, *more: str, begin: bool = False) -> Any:
        if begin:
            start(words)
        given = READ.get(words) or CHANGE.get(words, ())
        return cli(*words.split(), *given, *more, "--sandbox", env=env)

    return run


def test_every_command_has_a_schema_and_no_other() -> None:
    commands = {" ".join(path) for path, _ in ROOT.leaves()}
    assert commands == set(FORMS), "put the command into keyadmin/cli/documents.py"
    assert commands == {*READ, *CHANGE, *FOREGROUND}, "say here what is typed of it"


@pytest.mark.parametrize("words", sorted(CHANGE))
def test_json_is_as_the_schema_says(here: Callable[..., Any], words: str) -> None:
    """`cli` compares; here it is seen that there is something to compare."""
    done = here(words, "--format", "json", begin=True)
    assert done.code in (0, 3), done.err
    assert done.json, "nothing that a schema could be wrong about"


@pytest.mark.parametrize("words", sorted(READ))
def test_every_form_of_output_is_as_the_schema_says(here: Callable[..., Any], words: str) -> None:
    """JSON and its lines; the columns of CSV; the fields that are chosen, in their order."""
    document = here(words, "--format", "json", begin=True).json
    assert document, "nothing that a schema could be wrong about"
    assert here(words, "--format", "jsonl").out
    if words == "sandbox env":
        return
    names = [".".join(path) for path in columns(words)]
    assert next(csv.reader(io.StringIO(here(words, "--format", "csv").out))) == names
    chosen = (names[-1].split(".")[0], names[0]) if "." in names[-1] else (names[1], names[0])
    rows = here(words, "--fields", ",".join(chosen), "--format", "json").json
    for row in rows if isinstance(rows, list) else [rows]:
        assert list(row) == [name for name in chosen if name in row]
    header = here(words, "--fields", ",".join(chosen), "--format", "csv").out.split("\n")[0].split(",")
    assert tuple(dict.fromkeys(name.split(".")[0] for name in header)) == chosen


@pytest.mark.parametrize("words", sorted(FORMS))
def test_the_project_is_among_the_first_columns(words: str) -> None:
    """Where somebody who opens the file in a spreadsheet sees it."""
    found = columns(words)
    assert ("project",) not in found or found.index(("project",)) < 6


@pytest.mark.parametrize("words", sorted(FORMS))
def test_a_field_that_is_not_there_is_named_with_the_nearest(words: str) -> None:
    for name in (".".join(path) for path in columns(words)):
        assert choose(words, name, lines=False).paths
        with pytest.raises(Problem, match="--fields: there is no field") as raised:
            choose(words, f"{name}x", lines=False)
        assert raised.value.exit is Exit.USAGE
        assert name.split(".")[-1] in raised.value.fix[0]
        assert raised.value.fix[1].startswith("the fields: ")


@pytest.mark.parametrize("words", ["keys list", "guard plan", "config get project"])
def test_a_wrong_field_is_wrong_usage(cli: Any, words: str) -> None:
    done = cli(*words.split(), "--fields", "name,projct", "--sandbox", "--format", "json")
    assert done.code == 2
    assert "there is no field" in done.error["message"]


def test_a_page_has_no_fields(cli: Any) -> None:
    done = cli("audit", "--fields", "rule", "--format", "html", "--sandbox")
    assert done.code == 2
    assert "--fields and --format html do not go together" in done.err


def test_nested_fields_keep_their_place(cli: Any, served: Any) -> None:
    seed(served, "unused")
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_PROJECT": "demo-project"}
    words = ("keys", "describe", "web", "--fields", "restrictions.apiTargets.service,name")
    found = cli(*words, "--format", "json", env=env).json
    assert found["restrictions"] == {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]}
    assert list(found) == ["restrictions", "name"]
    table = cli(*words, env=env).out.split("\n")
    assert table[0].split() == ["restrictions.apiTargets.service", "generativelanguage.googleapis.com"]


def test_lists_maps_and_formulas_in_csv(cli: Any, served: Any) -> None:
    targets = [{"service": "b.googleapis.com", "methods": ["x", "y"]}, {"service": "a.googleapis.com"}]
    key = {"keyId": "k", "displayName": "=1+1", "restrictions": {"apiTargets": targets}, "annotations": {"a": "-1", "b": "2"}}
    served.seed(projects=[{"projectId": "demo-project", "services": ["apikeys.googleapis.com"], "keys": [key]}])
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_PROJECT": "demo-project"}
    row = next(csv.DictReader(io.StringIO(cli("keys", "list", "--all", "--format", "csv", env=env).out)))
    assert row["restrictions.apiTargets.service"] == "b.googleapis.com;a.googleapis.com"
    assert row["restrictions.apiTargets.methods"] == "x,y;"
    assert row["annotations"] == "a=-1;b=2"
    assert row["displayName"] == "'=1+1"
    assert row["studioVisible"] == "false"
    assert int(row["ageDays"]) >= 0


def test_key_strings_in_names_are_masked_in_csv(cli: Any, served: Any) -> None:
    string = "AIza" + "SyB" + "w9" * 16
    served.seed(projects=[{"projectId": "demo-project", "keys": [{"keyId": "k", "displayName": f"old {string}"}]}])
    for more in ((), ("--fields", "displayName")):
        out = cli("keys", "list", "--all", "--format", "csv", *more, env={"KEYADMIN_SANDBOX": served.rest}).out
        assert "old AIza" in out
        assert string not in out


def test_an_empty_list_has_the_columns_all_the_same(cli: Any, served: Any) -> None:
    done = cli("keys", "list", "-p", "demo-project", "--format", "csv", env={"KEYADMIN_SANDBOX": served.rest})
    assert done.out == ",".join(".".join(path) for path in columns("keys list")) + "\n"


def test_an_undescribed_field_is_noticed() -> None:
    good = {"name": "format", "value": None, "source": None}
    check("config list", "json", json.dumps([good]), "")
    for wrong in (good | {"more": 1}, {"name": "format"}, good | {"value": 3}):
        with pytest.raises(AssertionError, match="config list"):
            check("config list", "json", json.dumps([wrong]), "")
        with pytest.raises(AssertionError, match="config list"):
            check("config list", "jsonl", json.dumps(wrong), "")
    with pytest.raises(AssertionError, match="error"):
        check("config list", "json", "", '{"error": {"cause": "no-such-cause", "message": "", "fix": []}}')


def test_what_a_served_sandbox_says_is_as_its_schema_says(server: str) -> None:
    ready = {"rest": server, "grpc": "127.0.0.1:1", "pid": 1}
    assert validator("sandbox-serve").is_valid(ready)
    assert not validator("sandbox-serve").is_valid(ready | {"more": 1})
