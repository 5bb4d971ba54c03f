"""The list of imported projects: per account, safe beside others, kept as a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

NEW = "new.person@example.net"


# --- import ---------------------------------------------------------------------------------------------------------------


def test_by_id_and_by_number(projects, listed) -> None:
    assert listed("import", "demo-project", "100000000002") == ["demo-project", "old-maps-site"]
    assert listed("list") == ["demo-project", "old-maps-site"]


def test_twice_is_once(projects, listed) -> None:
    projects("import", "demo-project")
    again = projects("import", "demo-project", "old-maps-site")
    assert "Imported 1 project; 1 was imported before." in again.err
    assert listed("list") == ["demo-project", "old-maps-site"]


def test_everything_that_is_active(projects, listed) -> None:
    projects("delete", "old-maps-site", "--yes")
    assert listed("import", "--all") == ["crowded-project", "demo-project", "suspended-project"]


def test_all_hits_of_a_search_however_many(served, projects, listed) -> None:
    served.seed(fleet={"projects": 620, "keysPerProject": 0})
    assert len(listed("import", "--search", "fleet")) == 620


def test_what_is_not_seen_is_named_and_the_rest_imported(projects, listed) -> None:
    done = projects("import", "demo-project", "somebody-elses", "never-was-here", "--format", "json")
    assert done.code == 3
    assert [each["projectId"] for each in done.json] == ["demo-project"]
    assert "somebody-elses, never-was-here" in done.error["message"]
    assert done.error["cause"] == "project-not-found-or-no-access"
    assert listed("list") == ["demo-project"]


def test_a_mistyped_id_is_met_with_what_was_probably_meant(projects) -> None:
    done = projects("import", "demo-projct", "--format", "json")
    assert (done.code, done.error["fix"][0]) == (1, "did you mean demo-project?")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing was named"),
        (["demo-project", "--all"], "do not go together"),
        (["--all", "--search", "x"], "do not go together"),
        (["no project"], "is not a project id"),
        (["--search", ""], "nothing to search for"),
        (["--search", "*"], "nothing to search for"),
    ],
)
def test_nonsense_is_wrong_usage(projects, served, arguments: list[str], said: str) -> None:
    done = projects("import", *arguments)
    assert (done.code, said in done.err) == (2, True), done.err


def test_a_dry_run_imports_nothing(projects) -> None:
    assert "would import 1 project" in projects("import", "demo-project", "--dry-run").err
    assert projects("list", "--export", "-").out == "# projects imported by owner@example.com\n# schemaVersion 1\n"


def test_each_account_has_its_own_list(projects, listed, served) -> None:
    served.projects("project-of-new", owner=NEW)
    projects("import", "demo-project")
    projects("import", "project-of-new", user=NEW)
    assert listed("list") == ["demo-project"]
    assert listed("list", user=NEW) == ["project-of-new"]


def test_the_sandboxs_list_is_not_googles(projects, config_home: Path) -> None:
    projects("import", "demo-project")
    assert json.loads((config_home / "sandbox-imports.json").read_text()) == {"owner@example.com": ["demo-project"]}
    assert not (config_home / "imports.json").exists()


# --- forget ---------------------------------------------------------------------------------------------------------------


def test_forgetting(projects, listed) -> None:
    projects("import", "--all")
    assert listed("forget", "demo-project", "old-maps-site") == ["demo-project", "old-maps-site"]
    assert listed("list") == ["crowded-project", "suspended-project"]


def test_forgetting_everything_asks(projects, listed) -> None:
    projects("import", "--all")
    assert projects("forget", "--all").code == 2
    assert len(listed("list")) == 4
    assert len(listed("forget", "--all", "--yes")) == 4
    assert "No project is imported yet" in projects("list").err


def test_forgetting_what_is_gone_needs_no_access_to_it(projects, served, listed) -> None:
    projects("import", "demo-project", "old-maps-site")
    served.control("reset", {})
    served.control("seed", {"projects": [{"projectId": "demo-project", "iam": {}}]})
    assert listed("forget", "demo-project") == ["demo-project"]


def test_forgetting_what_is_not_imported(projects) -> None:
    projects("import", "demo-project")
    done = projects("forget", "demo-projct", "--format", "json")
    assert (done.code, done.error["cause"], done.error["fix"]) == (1, "not-found", ["did you mean demo-project?"])
    partly = projects("forget", "demo-project", "old-maps-site")
    assert partly.code == 0
    assert "Warning: not imported, so not forgotten: old-maps-site" in partly.err


def test_forget_dry_run_and_nonsense(projects, listed) -> None:
    projects("import", "demo-project")
    assert "would forget 1 project: demo-project" in projects("forget", "demo-project", "--dry-run").err
    assert projects("forget").code == 2
    assert projects("forget", "demo-project", "--all").code == 2
    assert listed("list") == ["demo-project"]


# --- as a file ------------------------------------------------------------------------------------------------------------


HEAD = "# projects imported by owner@example.com\n# schemaVersion 1\n"


def test_exported_and_imported_elsewhere(projects, listed, tmp_path: Path) -> None:
    projects("import", "old-maps-site", "demo-project")
    path = str(tmp_path / "list.txt")
    assert projects("list", "--export", path).code == 0
    assert Path(path).read_text() == f"{HEAD}old-maps-site\ndemo-project\n"
    document = projects("list", "--export", "-", "--format", "json").out
    for text in (Path(path).read_text(), document):
        Path(path).write_text(text)
        projects("forget", "--all", "--yes")
        assert listed("import", "--file", path) == ["old-maps-site", "demo-project"]
    assert projects("list", "--export", path).code == 2  # it exists: asks
    assert projects("list", "--export", path, "--yes").code == 0


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_what_list_prints_can_be_imported(projects, listed, file, form: str) -> None:
    printed = projects("list", "--all", "--format", form).out
    assert sorted(listed("import", "--file", file(printed))) == listed("list", "--all")


def test_from_stdin(projects) -> None:
    done = projects("import", "--file", "-", "--format", "json", stdin="demo-project\n\n# a comment\nold-maps-site\n")
    assert [each["projectId"] for each in done.json] == ["demo-project", "old-maps-site"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no project"),
        ("# only a comment\n", "names no project"),
        ("# schemaVersion 2\ndemo-project\n", "has schemaVersion 2, and this keyadmin reads 1"),
        ('{"schemaVersion": 2, "projects": ["demo-project"]}', "has schemaVersion 2, and this keyadmin reads 1"),
        ("[1]", "should hold a list of project ids"),
        ('{"a": 1}', "should hold a list of project ids"),
        ("[", "is not JSON"),
        ("two words\n", "is not a project id"),
        ("name,id\nonly-a-name\n", "row 2 has no column 'id'"),
    ],
)
def test_a_file_that_is_no_list(projects, file, text: str, said: str) -> None:
    done = projects("import", "--file", file(text))
    assert (done.code, said in done.err) == (2, True), done.err


# --- beside others --------------------------------------------------------------------------------------------------------

MANY = """
import sys
from keyadmin.local import locks
from keyadmin.local.imports import Imports
locks.LOCK_TIMEOUT_S = 170  # a person waits ten seconds; here every process wants the lock all the time
for number in range(40):
    Imports("me", sandbox=True).add([f"project-{sys.argv[1]}-{number:02}"])
    if number % 4 == 3:
        Imports("me", sandbox=True).remove([f"project-{sys.argv[1]}-{number:02}"])
"""


def test_processes_that_edit_at_once_lose_nothing(home) -> None:
    running = [subprocess.Popen([sys.executable, "-c", MANY, str(number)], env=home) for number in range(4)]
    assert [each.wait(180) for each in running] == [0] * 4
    code = "from keyadmin.local.imports import Imports; print(len(Imports('me', sandbox=True).ids()))"
    done = subprocess.run([sys.executable, "-c", code], env=home, capture_output=True, text=True, check=True)
    assert int(done.stdout) == 4 * 30


def test_a_damaged_list_is_left_alone_and_named(projects, config_home: Path) -> None:
    config_home.mkdir(parents=True)
    path = config_home / "sandbox-imports.json"
    for text in ("{", "[]", '{"owner@example.com": "demo-project"}', '{"owner@example.com": [1]}'):
        path.write_text(text)
        for command in (("list",), ("import", "demo-project"), ("forget", "demo-project")):
            done = projects(*command)
            assert done.code == 1
            assert str(path) in done.err
            assert "Traceback" not in done.err
        assert path.read_text() == text
