"""`projects list` and `projects use` against the embedded sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

OWNER = {"roles/owner": ["user:owner@example.com"]}


@pytest.fixture
def seeded(cli, tmp_path: Path) -> Callable[[int], None]:
    """Put a number of projects, `many-000` and on, into the sandbox."""

    def seed(count: int) -> None:
        path = tmp_path / "seed.json"
        path.write_text(json.dumps({"projects": [{"projectId": f"many-{number:03}", "iam": OWNER} for number in range(count)]}))
        assert cli("sandbox", "seed", str(path)).code == 0

    return seed


@pytest.fixture
def imports(config_home: Path) -> Callable[[list[str]], None]:
    """Write the sandbox's import list of the owner."""

    def write(ids: list[str]) -> None:
        config_home.mkdir(parents=True, exist_ok=True)
        (config_home / "sandbox-imports.json").write_text(json.dumps({"owner@example.com": ids}))

    return write


def ids(done) -> list[str]:
    assert done.code == 0, done.err
    return [each["projectId"] for each in done.json]


def test_with_no_import_list_the_projects_one_sees_are_listed(cli) -> None:
    done = cli("--sandbox", "projects", "list", "--format", "json")
    assert "demo-project" in ids(done)
    assert "No project is imported yet" in done.err


def test_a_project_is_the_rest_project_and_its_number_and_says_sandbox(cli) -> None:
    done = cli("--sandbox", "projects", "list", "--format", "json")
    demo = next(each for each in done.json if each["projectId"] == "demo-project")
    assert demo["sandbox"] is True
    assert demo["name"] == f"projects/{demo['projectNumber']}"
    assert demo["projectNumber"].isdigit()
    assert demo["state"] == "ACTIVE"
    assert demo["createTime"].endswith("Z")
    assert demo["parent"].split("/")[0] in ("folders", "organizations")
    assert {"displayName", "etag"} <= set(demo)


def test_imported_projects_are_listed_in_their_order(cli, seeded, imports) -> None:
    seeded(3)
    imports(["many-002", "demo-project"])
    done = cli("--sandbox", "projects", "list", "--format", "json")
    assert ids(done) == ["many-002", "demo-project"]
    assert "No project is imported" not in done.err


def test_googles_import_list_does_not_count_in_the_sandbox(cli, config_home: Path) -> None:
    config_home.mkdir(parents=True)
    (config_home / "imports.json").write_text('{"owner@example.com": ["many-000"]}')
    assert "demo-project" in ids(cli("--sandbox", "projects", "list", "--format", "json"))


def test_at_most_50_are_listed_and_the_rest_is_said_even_when_quiet(cli, seeded, imports) -> None:
    seeded(51)
    imports([f"many-{number:03}" for number in range(50)])
    whole = cli("--sandbox", "projects", "list", "--format", "json")
    assert len(ids(whole)) == 50
    assert "not shown" not in whole.err
    imports([f"many-{number:03}" for number in range(51)])
    cut = cli("--sandbox", "projects", "list", "--quiet", "--format", "json")
    assert len(ids(cut)) == 50
    assert "1 more projects are not shown; --all" in cut.err


def test_without_imports_the_limit_holds_too_and_all_lifts_it(cli, seeded) -> None:
    seeded(60)
    cut = cli("--sandbox", "projects", "list", "--format", "json")
    assert len(ids(cut)) == 50
    assert "more projects are not shown; --all" in cut.err
    whole = cli("--sandbox", "projects", "list", "--all", "--format", "json")
    assert len(ids(whole)) > 60
    assert ids(whole) == sorted(ids(whole))
    assert "not shown" not in whole.err


def test_an_imported_project_that_is_gone_is_said_and_the_others_listed(cli, imports) -> None:
    imports(["never-was-here", "demo-project"])
    done = cli("--sandbox", "projects", "list", "--format", "json")
    assert ids(done) == ["demo-project"]
    assert "Warning: the imported project never-was-here does not exist any more, or you cannot see it" in done.err


def test_a_table_for_people(cli) -> None:
    lines = cli("--sandbox", "projects", "list").out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "NUMBER", "STATE", "PARENT"]
    assert any(line.startswith("demo-project ") for line in lines)


def test_somebody_without_any_project_gets_an_empty_list(cli) -> None:
    nobody = {"KEYADMIN_SANDBOX": "1", "KEYADMIN_SANDBOX_USER": "nobody@example.org"}
    done = cli("projects", "list", "--format", "json", env=nobody)
    assert (done.code, done.out) == (0, "[]\n")
    said = cli("projects", "list", env=nobody).err
    assert "No projects.\nYou see no project yet. Make one with a key: keyadmin projects default\n" in said


def test_use_makes_a_project_the_default_after_looking_it_up(cli, seeded) -> None:
    seeded(1)
    assert cli("--sandbox", "projects", "use", "many-000").code == 0
    assert cli("--sandbox", "config", "get", "project").out == "many-000\n"
    assert cli("config", "get", "project").out == "\n"
    refused = cli("--sandbox", "projects", "use", "mistyped-id", "--format", "json")
    assert refused.code == 1
    assert refused.error["cause"] == "project-not-found-or-no-access"
    assert cli("--sandbox", "config", "get", "project").out == "many-000\n"


def test_use_takes_a_number_and_keeps_the_id(cli) -> None:
    listed = cli("--sandbox", "projects", "list", "--format", "json").json
    number = next(each["projectNumber"] for each in listed if each["projectId"] == "demo-project")
    cli("--sandbox", "projects", "use", number)
    assert cli("--sandbox", "config", "get", "project").out == "demo-project\n"
    assert cli("--sandbox", "projects", "use", "no project").code == 2


# --- against a served sandbox ---------------------------------------------------------------------------------------------

NEW = "new.person@example.net"
GEMINI = "generativelanguage.googleapis.com"


def test_apis_and_keys_on_request(served, projects) -> None:
    by_id = {each["projectId"]: each for each in projects("list", "--apis", "--keys", "--format", "json").json}
    assert (by_id["demo-project"]["geminiApi"], by_id["demo-project"]["keyCount"]) == ("DISABLED", 0)
    assert (by_id["crowded-project"]["geminiApi"], by_id["crowded-project"]["keyCount"]) == ("ENABLED", 296)
    assert "geminiApi" not in projects("list", "--format", "json").json[0]
    header, *rows = projects("list", "--apis", "--keys").out.splitlines()
    assert header.split()[-3:] == ["GEMINI", "API", "KEYS"]
    assert next(row for row in rows if row.startswith("demo-project")).split()[-2:] == ["off", "0"]


def test_what_may_not_be_seen_of_a_project_is_unknown(served, projects) -> None:
    served.grant(NEW, "resourcemanager.projects.get")
    done = projects("list", "--apis", "--keys", "--format", "json", user=NEW)
    assert [(each["geminiApi"], each["keyCount"]) for each in done.json] == [("unknown", "unknown")]
    assert "The keys of 1 project could not be checked" in done.err
    assert projects("list", "--apis", "--keys", user=NEW).out.split()[-2:] == ["unknown", "unknown"]


def test_beyond_200_projects_the_inventory_tells_where_keys_were_made_lately(served, projects, listed) -> None:
    served.seed(fleet={"projects": 300, "keysPerProject": 0, "parent": "folders/1001"})
    served.projects("zz-new-keys", parent="folders/1001", keys=[{"displayName": "new"}], services=["apikeys.googleapis.com"])
    served.projects("zz-outside", keys=[{"displayName": "new"}], services=["apikeys.googleapis.com"])
    before = len(served.methods())
    found = listed("list")
    assert set(found[:2]) == {"zz-new-keys", "zz-outside"}
    called = served.methods()[before:]
    assert called.count("SearchAllResources") == 1
    assert called.count("ListKeys") == 1  # of the one project outside the organisation


def test_without_the_inventory_it_is_said_what_was_not_looked_at(served, projects) -> None:
    served.seed(fleet={"projects": 300, "keysPerProject": 0})
    served.fault("SearchAllResources", "PERMISSION_DENIED", times=9)
    before = len(served.methods())
    done = projects("list")
    assert "The keys of 104 projects could not be checked" in done.err
    assert served.methods()[before:].count("ListKeys") == 200


@pytest.mark.parametrize("number", [0, 1, 50, 51, 5000])
def test_with_so_many_projects(served, projects, number: int) -> None:
    """As somebody new to keyadmin types it: list, list --all, import, list."""
    if number:
        served.seed(fleet={"projects": number, "keysPerProject": 0})
    user = "owner@example.com" if number else NEW
    if number:
        for each in ("demo-project", "old-maps-site", "crowded-project", "suspended-project"):
            projects("delete", each, "--yes")
    everything = projects("list", "--all", "--format", "json", user=user)
    assert everything.code == 0
    assert len([each for each in everything.json if each["state"] == "ACTIVE"]) == number
    first = projects("list", "--format", "json", user=user)
    assert len(first.json) == min(50, number + (4 if number else 0))
    assert ("projects default" in first.err) is (number == 0)
    assert ("keyadmin projects import" in first.err) is (number > 0)
    imported = projects("import", "--all", "--format", "json", user=user)
    assert len(imported.json) == number
    after = projects("list", "--format", "json", user=user)
    assert len(after.json) == min(50, number)
    assert ("not shown" in after.err) is (number > 50)
    assert f"{number - 50} more projects are not shown" in after.err or number <= 50


def test_export_goes_with_nothing_else(projects) -> None:
    for other in ("--all", "--apis", "--keys"):
        assert projects("list", "--export", "-", other).code == 2


def test_a_failure_of_one_imported_project_is_no_missing_project(served, projects, listed) -> None:
    projects("import", "demo-project", "old-maps-site")
    served.fault("GetProject", "INTERNAL", times=99)
    done = projects("list", "--format", "json")
    assert done.code == 1
    assert "does not exist any more" not in done.err
