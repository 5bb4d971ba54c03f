"""`projects default`: the first project and key of somebody who has none."""

from __future__ import annotations

import os

import pytest

NEW = "new.person@example.net"


def test_it_says_what_it_will_do_and_asks(projects, served) -> None:
    refused = projects("default", user=NEW)
    assert refused.code == 2
    for said in (
        "make a project named 'Default Gemini Project'",
        "generativelanguage.googleapis.com and apikeys.googleapis.com",
        "make an auth key named 'Default Gemini API Key'",
        "keyadmin's default",
        "add --yes",
    ):
        assert said in refused.err
    assert "CreateProject" not in served.methods()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_the_answer_counts(projects, served, answer: str, code: int) -> None:
    done = projects("default", user=NEW, stdin=answer, terminal=True)
    assert done.code == code, done.err
    assert ("CreateProject" in served.methods()) is (code == 0)


def test_what_it_will_do_is_said_even_when_quiet(projects) -> None:
    assert "This will make a project" in projects("default", "--yes", "--quiet", user=NEW).err


def test_names_can_be_chosen_and_are_checked(projects) -> None:
    assert projects("default", "--yes", "--name", "x" * 31, user=NEW).code == 2
    assert projects("default", "--yes", "--key-name", "", user=NEW).code == 2
    done = projects("default", "--yes", "--name", "My first", "--key-name", "my key", "--format", "json", user=NEW)
    assert (done.json["displayName"], done.json["key"]["displayName"]) == ("My first", "my key")


def test_a_dry_run_makes_nothing(projects, run, served) -> None:
    assert "Dry run: would make a project" in projects("default", "--dry-run", user=NEW).err
    assert "CreateProject" not in served.methods()
    assert run("config", "get", "project", user=NEW).out.strip() == "demo-project"  # what the sandbox takes without one


def test_a_second_time_nothing_is_made(projects, served) -> None:
    first = projects("default", "--yes", "--format", "json", user=NEW).json
    again = projects("default", "--yes", "--format", "json", user=NEW)
    assert (again.code, again.json["projectId"]) == (0, first["projectId"])
    assert "is the default project already; nothing was made" in again.err
    assert served.methods().count("CreateProject") == 1


def test_a_search_that_lags_behind_makes_no_second_one(projects, served) -> None:
    served.control("propagation", {"search": "60s"})
    first = projects("default", "--yes", "--format", "json", user=NEW)
    assert first.code == 0, first.err
    again = projects("default", "--yes", "--format", "json", user=NEW)
    assert (again.code, again.json["projectId"]) == (0, first.json["projectId"])


@pytest.mark.parametrize("method", ["CreateProject", "BatchEnableServices", "CreateKey"])
def test_what_failed_half_way_is_gone_on_with(projects, run, served, method: str) -> None:
    served.fault(method, "INVALID_ARGUMENT", message="not today")
    first = projects("default", "--yes", "--format", "json", user=NEW)
    assert first.code == 1
    again = projects("default", "--yes", "--format", "json", user=NEW)
    assert again.code == 0, again.err
    assert "What was begun is continued." in again.err
    assert again.json["key"]["verification"] == "ok"
    assert run("config", "get", "project", user=NEW).out.strip() == again.json["projectId"]
    assert len(projects("list", "--all", "--format", "json", user=NEW).json) == 1


def test_somebody_with_projects_is_told_the_ways(projects) -> None:
    done = projects("default", "--yes", "--format", "json")
    assert (done.code, done.error["cause"]) == (1, "already-exists")
    assert "you have 4 projects already" in done.error["message"]
    assert any("projects use ID" in step for step in done.error["fix"])


def test_projects_that_are_being_deleted_do_not_count(projects) -> None:
    made = projects("create", "--format", "json", user=NEW).json
    projects("delete", made["projectId"], "--yes", user=NEW)
    assert projects("default", "--yes", user=NEW).code == 0


def test_a_variable_that_outranks_the_new_default_is_said(projects) -> None:
    done = projects("default", "--yes", user=NEW, env={"KEYADMIN_PROJECT": "demo-project"})
    assert "Warning: KEYADMIN_PROJECT outranks the stored setting" in done.err


def test_a_configuration_that_cannot_be_written_is_said_before_anything_is_made(projects, served, config_home) -> None:
    if os.geteuid() != 0:
        pytest.skip("shown for root, whom modes do not stop; test_projects_create has the other case")
    config_home.parent.mkdir(parents=True)
    config_home.write_text("a file where the folder should be")
    assert projects("default", "--yes", user=NEW).code == 1
    assert "CreateProject" not in served.methods()
