"""`projects create`: side by side, refused before anything is made, gone on with when it was cut short."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until

OWNER = "owner@example.com"
NEW = "new.person@example.net"
ID = re.compile(r"gen-lang-client-\d{10}")


def made(served: Any) -> int:
    """How often CreateProject was called and answered with an operation."""
    calls = served.control("requests")
    return sum(each["method"].endswith("CreateProject") and each["status"] == "OK" for each in calls)


# --- what is made ---------------------------------------------------------------------------------------------------------


def test_an_id_in_ai_studios_style_is_chosen(projects) -> None:
    done = projects("create", "--format", "json")
    assert done.code == 0, done.err
    assert ID.fullmatch(done.json["projectId"])
    assert done.json["sandbox"] is True
    assert done.json["projectId"] in done.err


def test_id_name_and_parent_are_taken(projects) -> None:
    done = projects("create", "my-new-project", "--name", "My project", "--parent", "folders/1001", "--format", "json")
    found = done.json
    assert (found["projectId"], found["displayName"], found["parent"]) == ("my-new-project", "My project", "folders/1001")
    again = projects("describe", "my-new-project", "--format", "json").json
    assert again["displayName"] == "My project"
    assert [each["displayName"] for each in again["hierarchy"]] == ["Engineering", "example.com"]


@pytest.mark.parametrize(
    ("parent", "name"),
    [("Engineering", "folders/1001"), ("engineering", "folders/1001"), ("example.com", "organizations/1000")],
)
def test_folders_and_organisations_are_found_by_name(projects, parent: str, name: str) -> None:
    assert projects("create", "--parent", parent, "--format", "json").json["parent"] == name


def test_a_new_project_is_imported(projects, listed) -> None:
    projects("create", "my-new-project")
    assert listed("list") == ["my-new-project"]


def test_several_are_numbered_and_made_side_by_side(projects, served) -> None:
    served.control("latency", {"ms": 2000, "method": "CreateProject"})
    began = time.monotonic()
    done = projects("create", "--count", "6", "--name", "Lab", "--format", "json", "--verbose")
    assert time.monotonic() - began < 6 * 2
    assert [each["displayName"] for each in done.json] == [f"Lab {number}" for number in range(1, 7)]
    assert len({each["projectId"] for each in done.json}) == 6


def test_the_rows_of_a_file(projects, file) -> None:
    path = file("id,name,parent\nrow-project-one,First,Engineering\n,Second one,\nrow-project-three,,folders/1001\n")
    done = projects("create", "--file", path, "--format", "json")
    assert done.code == 0, done.err
    first, second, third = done.json
    assert (first["projectId"], first["displayName"], first["parent"]) == ("row-project-one", "First", "folders/1001")
    assert ID.fullmatch(second["projectId"])
    assert second["displayName"] == "Second one"
    assert (third["projectId"], third["displayName"]) == ("row-project-three", "row-project-three")


def test_a_file_without_header_and_a_parent_for_all(projects, file) -> None:
    done = projects(
        "create",
        "--file",
        file("row-project-one,First\nrow-project-two,Second\n"),
        "--parent",
        "Engineering",
        "--format",
        "json",
    )
    assert [(each["projectId"], each["displayName"], each["parent"]) for each in done.json] == [
        ("row-project-one", "First", "folders/1001"),
        ("row-project-two", "Second", "folders/1001"),
    ]


def test_with_key_makes_a_first_key_in_each_and_no_key_string_is_printed(projects) -> None:
    done = projects("create", "--count", "2", "--with-key", "my key", "--format", "json", "--verbose")
    assert done.code == 0, done.err
    for each in done.json:
        assert (each["key"]["displayName"], each["key"]["keyType"], each["key"]["verification"]) == ("my key", "auth", "ok")
        assert each["key"]["restrictions"] == {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]}
    assert "SANDBOX-" not in done.out + done.err


def test_a_dry_run_makes_nothing(projects, served) -> None:
    done = projects("create", "--count", "2", "--name", "Lab", "--parent", "Engineering", "--with-key", "k", "--dry-run")
    assert done.code == 0
    assert "named 'Lab 2' in folders/1001" in done.err
    assert "make an auth key named 'k' in each" in done.err
    assert not {"CreateProject", "BatchEnableServices", "CreateKey"} & set(served.methods())


# --- refused before anything is made --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["UPPER-case"], "lower-case"),
        (["short"], "6 to 30"),
        (["ends-in-hyphen-"], "no hyphen"),
        (["1st-project"], "the first a letter"),
        (["x" * 31], "6 to 30"),
        (["projects/with-prefix"], "cannot be a project's id"),
        (["good-project", "good-project"], "twice"),
        (["--name", "x" * 31], "has 31 characters"),
        (["--name", "abc"], "4 to 30"),
        (["--name", "Umlaut ä"], "without accents"),
        (["--name", "x" * 29, "--count", "10"], "has 31 characters"),
        (["--count", "11"], "at most 10 projects are made at a time, as in AI Studio"),
        (["--count", "0"], "at least 1"),
        (["--count", "2", "my-new-project"], "do not go together"),
        ([f"project-{number}" for number in range(11)], "at most 10"),
        (["--with-key", ""], "empty"),
        (["--with-key", "k" * 64], "at most 63"),
        (["--file", "no-such-file.csv"], "cannot be read"),
        (["--file", "rows.csv", "--name", "Name"], "--file goes with neither"),
        (["--parent", "projects/demo-project"], "is not a parent"),
    ],
)
def test_nonsense_is_refused_before_anything_is_made(projects, served, arguments: list[str], said: str) -> None:
    done = projects("create", *arguments)
    assert done.code == (1 if "cannot be read" in said else 2)
    assert said in done.err
    assert "Traceback" not in done.err
    assert "CreateProject" not in served.methods()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("id,name\ngood-project,Good\nBad,Name\n", "row 3: 'Bad' cannot be"),
        ("good-project,Good\nother-project," + "x" * 31 + "\n", "row 2: the name"),
        ("id\ngood-project\n\ngood-project\n", "row 4: the id 'good-project' is already in row 2"),
        ("id,name\na-project,Name,folders/1,more\n", "row 2: it has 4 cells"),
        ("id,colour\na-project,red\n", "a column 'colour'"),
        ("id,id\na-project,b-project\n", "twice"),
        ("", "has no rows"),
        ("id,name,parent\n", "has no rows"),
        ("".join(f"project-{number}\n" for number in range(11)), "has 11 rows: at most 10"),
        ('good-project,"unclosed\n', "is not CSV"),
        ("id,parent\ngood-project,Enginering\n", "row 2: you see no folder and no organisation named 'Enginering'"),
        ("id,parent\ngood-project,folders/x\n", "row 2: 'folders/x' is not a parent"),
    ],
)
def test_all_rows_are_checked_before_anything_is_made_and_the_bad_one_is_named(
    projects, served, file, rows: str, said: str
) -> None:
    done = projects("create", "--file", file(rows))
    assert done.code in (1, 2)
    assert said in done.err
    assert "CreateProject" not in served.methods()


def test_every_bad_row_is_named_at_once(projects, file) -> None:
    done = projects("create", "--file", file("id,name\nBad,Good name\ngood-project,x\n"), "--format", "json")
    assert "row 2: " in done.error["message"]
    assert "row 3: " in done.error["message"]


def test_a_file_that_is_no_text(projects, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"\xff\xfe\x00id")
    done = projects("create", "--file", str(tmp_path / "rows.csv"))
    assert "it is not UTF-8 text" in done.err


def test_several_folders_of_one_name_are_listed(projects, served) -> None:
    served.seed(folders=[{"name": "folders/1002", "displayName": "Engineering", "parent": "folders/1001"}])
    done = projects("create", "--parent", "Engineering")
    assert done.code == 2
    assert "folders/1001 (in organizations/1000), folders/1002 (in folders/1001)" in done.err


# --- refused by Google ----------------------------------------------------------------------------------------------------


def test_an_id_that_is_somebody_elses_is_taken(projects) -> None:
    done = projects("create", "somebody-elses", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "already-exists"
    assert done.error["message"] == "the project id somebody-elses is taken"


def test_a_project_that_was_there_before_is_not_touched(projects, served) -> None:
    done = projects("create", "demo-project", "--with-key", "x", "--format", "json")
    assert (done.code, done.error["cause"]) == (1, "already-exists")
    again = projects("create", "demo-project", "--with-key", "x", "--format", "json")
    assert (again.code, again.error["cause"]) == (1, "already-exists")
    assert not {"BatchEnableServices", "EnableService", "CreateKey"} & set(served.methods())


def test_a_project_that_is_being_deleted_is_said(projects) -> None:
    projects("delete", "demo-project", "--yes")
    done = projects("create", "demo-project")
    assert "exists already and is being deleted" in done.err
    assert "keyadmin projects undelete demo-project" in done.err


def test_the_quota_is_said_with_where_to_ask_and_the_rest_is_made_later(projects, served) -> None:
    served.control("quota", {"projects": 2})
    command = ("create", "--count", "3", "--name", "Lab", "--format", "json")
    done = projects(*command, user=NEW)
    assert done.code == 3
    assert len(done.json) == 2
    assert done.error["cause"] == "project-quota-exceeded"
    assert any("https://support.google.com/code/contact/project_quota_increase" in step for step in done.error["fix"])
    served.control("quota", {"projects": None})
    again = projects(*command, user=NEW)
    assert again.code == 0, again.err
    assert {each["projectId"] for each in done.json} < {each["projectId"] for each in again.json}
    assert len(again.json) == 3
    assert made(served) >= 3


def test_one_project_over_the_quota_is_a_plain_failure(projects, served) -> None:
    served.control("quota", {"projects": 0})
    done = projects("create", "--format", "json", user=NEW)
    assert (done.code, done.out) == (1, "")
    assert done.error["cause"] == "project-quota-exceeded"


def test_a_parent_without_permission_says_who_can_grant_it(projects) -> None:
    done = projects("create", "--parent", "folders/1001", "--format", "json", user=NEW)
    assert done.code == 1
    assert (done.error["cause"], done.error["permission"]) == ("missing-iam-permission", "resourcemanager.projects.create")
    assert "folders add-iam-policy-binding 1001 --member=user:new.person@example.net" in done.error["fix"][0]
    assert "roles/resourcemanager.projectCreator" in done.error["fix"][0]


def test_a_parent_that_nobody_sees(projects) -> None:
    done = projects("create", "--parent", "Enginering", "--format", "json")
    assert (done.code, done.error["cause"]) == (1, "not-found")
    assert done.error["fix"][0] == "did you mean 'Engineering' (folders/1001)?"


# --- some fail ------------------------------------------------------------------------------------------------------------


def test_one_that_fails_leaves_the_others_and_a_second_run_finishes_the_rest(projects, served) -> None:
    served.fault("CreateProject", "PERMISSION_DENIED", message="not today")
    command = ("create", "--count", "3", "--name", "Lab", "--format", "json")
    done = projects(*command)
    assert done.code == 3
    assert len(done.json) == 2
    assert "1 of 3 projects are not finished" in done.error["message"]
    assert any("run the same command again" in step for step in done.error["fix"])
    again = projects(*command)
    assert again.code == 0, again.err
    assert len(again.json) == 3
    assert {each["projectId"] for each in done.json} < {each["projectId"] for each in again.json}
    assert "Going on with what was begun" in again.err
    assert made(served) == 3


def test_after_a_finished_run_the_same_command_makes_others(listed) -> None:
    command = ("create", "--count", "2", "--name", "Lab")
    assert not set(listed(*command)) & set(listed(*command))


def test_a_run_of_a_file_is_gone_on_with_after_its_bad_row_was_corrected(projects, served, file) -> None:
    before = projects("create", "--file", file("id,name\nrow-project-one,First\nsomebody-elses,Second\n"), "--format", "json")
    assert (before.code, [each["projectId"] for each in before.json]) == (3, ["row-project-one"])
    assert "row 3 (somebody-elses): the project id somebody-elses is taken" in before.error["message"]
    after = projects("create", "--file", file("id,name\nrow-project-one,First\nrow-project-two,Second\n"), "--format", "json")
    assert after.code == 0, after.err
    assert [each["projectId"] for each in after.json] == ["row-project-one", "row-project-two"]
    assert "Project row-project-one had been made before." in after.err
    assert made(served) == 2


def test_an_id_that_keyadmin_made_is_ones_own_and_gone_on_with(projects, served) -> None:
    served.fault("BatchEnableServices", "INVALID_ARGUMENT", message="no")
    first = projects("create", "my-new-project", "--with-key", "mine", "--format", "json")
    assert (first.code, first.json["projectId"]) == (1, "my-new-project")
    assert "key" not in first.json
    again = projects("create", "my-new-project", "--with-key", "mine", "--format", "json")
    assert again.code == 0, again.err
    assert again.json["key"]["displayName"] == "mine"
    third = projects("create", "my-new-project", "--with-key", "mine", "--format", "json")
    assert third.json["key"]["name"] == again.json["key"]["name"]


def test_another_account_does_not_go_on_with_it(projects) -> None:
    assert projects("create", "my-new-project").code == 0
    assert projects("create", "my-new-project", user=NEW).code == 1


@pytest.mark.parametrize("when", ["after", "operation"])
@pytest.mark.parametrize("method", ["CreateProject", "BatchEnableServices", "CreateKey"])
def test_an_answer_that_is_lost_makes_no_second_project(projects, served, method: str, when: str) -> None:
    served.fault(method, "UNAVAILABLE", when=when)
    command = ("create", "--name", "Only one", "--with-key", "mine", "--format", "json")
    done = projects(*command, user=NEW)
    if done.code != 0:
        done = projects(*command, user=NEW)
    assert done.code == 0, done.err
    found = projects("search", "name:Only*", "--format", "json", user=NEW).json
    assert [each["projectId"] for each in found] == [done.json["projectId"]]
    described = projects("describe", done.json["projectId"], "--format", "json", user=NEW).json
    assert len(described["keys"]) == 1


def test_a_key_that_is_rejected_is_said_and_ends_with_3(projects, served) -> None:
    served.fault(
        "ListModels", "PERMISSION_DENIED", message="Your project has been denied access. Please contact support.", times=50
    )
    done = projects("create", "my-new-project", "--with-key", "mine", "--format", "json")
    assert done.json["key"]["verification"] == "failed"
    assert done.code == 3
    assert done.error["cause"] == "project-denied-access"


# --- cut short ------------------------------------------------------------------------------------------------------------


def started(served: Any, home: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "projects", *arguments],
        env=home | {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": NEW},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_called(served: Any, method: str, times: int) -> None:
    until(lambda: served.methods().count(method) >= times, f"{times} calls of {method}")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill-9"])
def test_a_run_that_is_interrupted_is_gone_on_with(projects, served, home, sign: signal.Signals) -> None:
    served.control("latency", {"ms": 10_000, "method": "BatchEnableServices"})
    command = ("create", "--count", "3", "--name", "Lab", "--format", "json")
    process = started(served, home, *command)
    until_called(served, "CreateProject", 3)
    process.send_signal(sign)
    _, said = process.communicate(timeout=180)
    if sign == signal.SIGINT:
        assert process.returncode == 130
        assert "Left unfinished" in said
        assert "run the same command again to go on" in said
    served.control("latency", {"ms": None, "method": "BatchEnableServices"})
    again = projects(*command, user=NEW)
    assert again.code == 0, again.err
    assert len(again.json) == 3
    found = projects("search", "name:Lab*", "--format", "json", user=NEW).json
    assert {each["projectId"] for each in found} == {each["projectId"] for each in again.json}
    imported = projects("list", "--apis", "--format", "json", user=NEW).json
    assert [each["geminiApi"] for each in imported] == ["ENABLED"] * 3


def test_two_at_the_same_time_make_projects_of_their_own(served, home) -> None:
    served.control("latency", {"ms": 500, "method": "CreateProject"})
    both = [started(served, home, "create", "--name", "Same name", "--format", "json") for _ in range(2)]
    outs = [each.communicate(timeout=180) for each in both]
    assert [each.returncode for each in both] == [0, 0], outs
    assert len({json.loads(out)["projectId"] for out, _ in outs}) == 2


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_made(projects, served, config_home: Path) -> None:
    if os.geteuid() == 0:
        config_home.parent.mkdir(parents=True)
        config_home.write_text("a file where the folder should be")  # nothing else stops root
    else:
        config_home.mkdir(parents=True, mode=0o500)
    done = projects("create", "my-new-project")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "CreateProject" not in served.methods()
