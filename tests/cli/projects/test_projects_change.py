"""`projects rename`, `describe`, `enable`, `disable`, `delete`, `undelete`, `use`."""

from __future__ import annotations

import pytest

NEW = "new.person@example.net"
GEMINI = "generativelanguage.googleapis.com"
API_KEYS = "apikeys.googleapis.com"


# --- rename ---------------------------------------------------------------------------------------------------------------


def test_rename_by_id_and_by_number(projects) -> None:
    assert projects("rename", "demo-project", "New name", "--format", "json").json["displayName"] == "New name"
    assert projects("rename", "100000000001", "Newer name", "--format", "json").json["displayName"] == "Newer name"


@pytest.mark.parametrize("name", ["", "abc", "x" * 31, "Ümlaut", "tab\there", "semi;colon"])
def test_a_name_that_google_would_not_take(projects, served, name: str) -> None:
    done = projects("rename", "demo-project", name)
    assert done.code == 2
    assert "UpdateProject" not in served.methods()


def test_renaming_needs_the_permission_to_update_and_no_other(projects, served) -> None:
    served.grant(NEW, "resourcemanager.projects.update")
    assert projects("rename", "demo-project", "New name", user=NEW).code == 0
    served.control("reset", {})
    served.grant(NEW, "resourcemanager.projects.get")
    done = projects("rename", "demo-project", "New name", "--format", "json", user=NEW)
    assert (done.code, done.error["permission"]) == (1, "resourcemanager.projects.update")


def test_a_mistyped_id_is_met_with_what_was_probably_meant(projects) -> None:
    for command in (("rename", "demo-projct", "New name"), ("use", "demo-projct"), ("describe", "demo-projct")):
        done = projects(*command, "--format", "json")
        assert done.error["cause"] == "project-not-found-or-no-access"
        assert done.error["fix"][0] == "did you mean demo-project?", command


def test_commands_of_other_groups_know_near_ids_from_the_cache(run, projects) -> None:
    projects("list", "--all")
    done = run("keys", "list", "-p", "demo-projct", "--format", "json")
    assert done.error["fix"][0] == "did you mean demo-project?"


def test_renaming_is_dry_run(projects, served) -> None:
    assert "would rename project demo-project" in projects("rename", "demo-project", "New name", "--dry-run").err
    assert "UpdateProject" not in served.methods()


# --- describe -------------------------------------------------------------------------------------------------------------


def test_describe_tells_hierarchy_state_makers_apis_and_keys(projects) -> None:
    found = projects("describe", "old-maps-site", "--format", "json").json
    assert [each["name"] for each in found["hierarchy"]] == ["folders/1001", "organizations/1000"]
    assert (found["state"], found["mayCreateKeys"]) == ("ACTIVE", True)
    assert {GEMINI, API_KEYS} <= set(found["apis"])
    assert [each["displayName"] for each in found["keys"]] == ["Browser key (maps on the website)"]
    assert "keyString" not in found["keys"][0]
    table = projects("describe", "old-maps-site").out
    assert "example.com / Engineering / Old maps site" in table
    assert "1: Browser key (maps on the website)" in table


def test_describe_without_an_id_takes_the_default_project(projects) -> None:
    assert projects("describe", "--format", "json").json["projectId"] == "demo-project"
    assert projects("describe", "-p", "old-maps-site", "--format", "json").json["projectId"] == "old-maps-site"
    assert projects("describe", "demo-project", "-p", "old-maps-site").code == 2


def test_what_may_not_be_seen_is_unknown_with_the_reason(projects, served) -> None:
    served.grant(NEW, "resourcemanager.projects.get")
    done = projects("describe", "demo-project", "--format", "json", user=NEW)
    found = done.json
    assert done.code == 0
    assert {found[name] for name in ("keyMakers", "apis", "keys")} == {"unknown"}
    assert found["mayCreateKeys"] is False
    assert found["grantsNotSeen"] == ["folders/1001"]
    assert "keyadmin doctor demo-project" in done.err
    table = projects("describe", "demo-project", user=NEW).out
    assert "unknown (Permission" in table


def test_who_may_make_keys_by_roles_of_folders_conditions_and_custom_roles(projects, served) -> None:
    served.seed(
        folders=[
            {
                "name": "folders/1001",
                "displayName": "Engineering",
                "parent": "organizations/1000",
                "iam": {"roles/editor": ["group:team@example.com"]},
            }
        ],
        customRoles={"organizations/1000/roles/maker": ["apikeys.keys.create"]},
        projects=[
            {
                "projectId": "demo-project",
                "iam": {
                    "organizations/1000/roles/maker": ["user:perhaps@example.com"],
                    "roles/viewer": ["user:viewer@example.com"],
                    "roles/serviceusage.apiKeysAdmin": ["user:half@example.com"],
                },
            }
        ],
    )
    makers = projects("describe", "demo-project", "--format", "json").json["keyMakers"]
    found = {each["member"]: (each["sure"], [(grant["role"], grant["on"]) for grant in each["grants"]]) for each in makers}
    assert found["group:team@example.com"] == (True, [("roles/editor", "folders/1001")])
    assert found["user:perhaps@example.com"] == (False, [("organizations/1000/roles/maker", "projects/demo-project")])
    assert "user:viewer@example.com" not in found
    assert "user:half@example.com" not in found


# --- enable and disable ---------------------------------------------------------------------------------------------------


def test_enable_switches_on_what_gemini_keys_need(projects) -> None:
    done = projects("enable", "demo-project", "--format", "json")
    assert [(each["service"], each["state"], each["changed"]) for each in done.json] == [
        (GEMINI, "ENABLED", True),
        (API_KEYS, "ENABLED", True),
    ]
    again = projects("enable", "demo-project", "--format", "json").json
    assert [each["changed"] for each in again] == [False, False]


@pytest.mark.parametrize(
    "words",
    [
        ("demo-project", "translate.googleapis.com"),
        ("translate.googleapis.com", "-p", "demo-project"),
        ("-p", "demo-project", "translate"),
        ("demo-project", "translate"),
        ("translate.googleapis.com",),
    ],
)
def test_apis_are_named_with_or_without_the_project(projects, words: tuple[str, ...]) -> None:
    done = projects("enable", *words, "--format", "json")
    assert [(each["project"], each["service"]) for each in done.json] == [("demo-project", "translate.googleapis.com")]


def test_a_misspelt_api(projects) -> None:
    done = projects("enable", "demo-project", "generativelangauge.googleapis.com", "--format", "json")
    assert (done.code, done.error["fix"]) == (2, [f"did you mean {GEMINI}?"])


def test_switching_gemini_on_beside_unrestricted_keys_is_warned_of(projects, served) -> None:
    served.projects("project-of-keys", services=[API_KEYS], keys=[{"keyId": "public-key", "displayName": "old"}])
    for extra in (("--dry-run",), ("--allow-exposure",)):
        done = projects("enable", "project-of-keys", *extra)
        assert "Warning: switching the Gemini API on lets 1 key without API restriction" in done.err
        assert "keyadmin keys restrict public-key -p project-of-keys" in done.err
    assert "Warning" not in projects("enable", "project-of-keys").err


def test_disable_asks_and_takes_dependents_when_told(projects) -> None:
    projects("enable", "demo-project")
    assert projects("disable", "demo-project", GEMINI).code == 2
    done = projects("disable", "demo-project", GEMINI, "--yes", "--format", "json")
    assert done.json[0] | {"sandbox": True} == {
        "project": "demo-project",
        "service": GEMINI,
        "state": "DISABLED",
        "changed": True,
        "sandbox": True,
    }
    assert projects("list", "--apis", "--format", "json").json[1]["geminiApi"] == "DISABLED"
    assert projects("disable", "demo-project").code == 2


def test_enabling_and_disabling_are_dry_run(projects, served) -> None:
    assert f"would enable {GEMINI}" in projects("enable", "demo-project", "--dry-run").err
    assert "would disable nothing" in projects("disable", "demo-project", GEMINI, "--dry-run").err
    assert not {"BatchEnableServices", "EnableService", "DisableService"} & set(served.methods())


def test_enabling_in_a_project_that_is_not_to_be_seen(projects) -> None:
    done = projects("enable", "demo-projct", "--format", "json")
    assert (done.code, done.error["fix"][0]) == (1, "did you mean demo-project?")


# --- delete and undelete --------------------------------------------------------------------------------------------------


def test_delete_asks_naming_what_goes_and_undelete_brings_it_back(projects) -> None:
    refused = projects("delete", "crowded-project")
    assert refused.code == 2
    assert "Delete project crowded-project (Crowded project) with its 296 API keys?" in refused.err
    done = projects("delete", "crowded-project", "--yes", "--format", "json")
    assert (done.code, done.json["state"]) == (0, "DELETE_REQUESTED")
    assert "deleteTime" in done.json
    assert "keyadmin projects undelete crowded-project" in done.err
    back = projects("undelete", "crowded-project", "--format", "json")
    assert (back.code, back.json["state"]) == (0, "ACTIVE")


def test_delete_and_undelete_twice(projects) -> None:
    assert "there is nothing to bring back" in projects("undelete", "demo-project").err
    projects("delete", "demo-project", "--yes")
    again = projects("delete", "demo-project", "--yes", "--format", "json")
    assert (again.code, again.error["cause"]) == (1, "conflict")


def test_deleting_needs_the_permission_to_delete_and_no_other(projects, served) -> None:
    served.grant(NEW, "resourcemanager.projects.delete")
    assert projects("delete", "demo-project", "--yes", user=NEW).code == 0


def test_deleting_the_default_project_is_warned_of(projects) -> None:
    projects("use", "demo-project")
    done = projects("delete", "demo-project", "--yes")
    assert "Warning: demo-project is still keyadmin's default project" in done.err
    assert "is not active (DELETE_REQUESTED)" in projects("use", "demo-project").err


def test_deleting_takes_no_project_from_variables_or_settings(projects, served) -> None:
    done = projects("delete", "--yes", env={"KEYADMIN_PROJECT": "demo-project"})
    assert done.code == 2
    assert "no project was given" in done.err
    assert projects("delete", "-p", "demo-project", "--yes").code == 0


def test_deleting_is_dry_run(projects, served) -> None:
    assert "would delete project demo-project" in projects("delete", "demo-project", "--dry-run").err
    active = projects("undelete", "demo-project", "--dry-run")
    assert (active.code, "is active: there is nothing to bring back" in active.err) == (1, True), "as the run does"
    assert not {"DeleteProject", "UndeleteProject"} & set(served.methods())
    assert projects("delete", "demo-project", "--yes").code == 0
    assert "would bring back" in projects("undelete", "demo-project", "--dry-run").err
    assert "UndeleteProject" not in served.methods()


# --- a lost answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "command"),
    [
        ("UpdateProject", ("rename", "demo-project", "New name")),
        ("DeleteProject", ("delete", "demo-project", "--yes")),
        ("BatchEnableServices", ("enable", "demo-project")),
    ],
)
def test_an_answer_that_is_lost_is_made_good(projects, served, method: str, command: tuple[str, ...]) -> None:
    served.fault(method, "UNAVAILABLE", when="after")
    assert projects(*command).code == 0


# --- use ------------------------------------------------------------------------------------------------------------------


def test_use_is_dry_run_and_needs_a_project(projects, run) -> None:
    assert "would make old-maps-site the default project" in projects("use", "old-maps-site", "--dry-run").err
    assert run("config", "get", "project").out == "demo-project\n"
    assert projects("use").code == 2
    assert projects("use", "old-maps-site", "--format", "json").json["projectId"] == "old-maps-site"
    assert projects("use", "old-maps-site").out == ""
