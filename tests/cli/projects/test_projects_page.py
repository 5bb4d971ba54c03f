"""Each sentence about projects in the document that keyadmin grew from has its test here; docs/projects.md lists them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

OWNER = "owner@example.com"
NEW = "new.person@example.net"  # somebody of no organisation, who sees no project
GEMINI = "generativelanguage.googleapis.com"


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")


# "Google AI Studio provides a lightweight interface to your Google Cloud projects."
def test_a_light_interface_to_google_cloud_projects(projects) -> None:
    found = next(each for each in projects("list", "--format", "json").json if each["projectId"] == "demo-project")
    assert found["name"] == f"projects/{found['projectNumber']}"
    table = projects("list").out.splitlines()
    assert table[0].split() == ["ID", "NAME", "NUMBER", "STATE", "PARENT"]


# "If you don't have any projects created yet, you must either create a new project or import one"
def test_without_projects_one_creates_or_imports(projects, served, listed) -> None:
    assert "projects default" in projects("list", user=NEW).err
    assert projects("create", "my-new-project", user=NEW).code == 0
    assert listed("list", user=NEW) == ["my-new-project"]
    served.projects("project-of-mine", owner="other@example.net")
    assert projects("import", "project-of-mine", user="other@example.net").code == 0
    assert listed("list", user="other@example.net") == ["project-of-mine"]


# "The Projects page in Google AI Studio will display all keys that have sufficient permission to use the Gemini API."
def test_the_page_displays_the_keys_that_may_use_gemini(run, served) -> None:
    keys = [
        {"keyId": "for-gemini", "displayName": "a", "restrictions": {"apiTargets": [{"service": GEMINI}]}},
        {"keyId": "unrestricted", "displayName": "b"},
        {"keyId": "for-maps", "displayName": "c", "restrictions": {"apiTargets": [{"service": "maps-backend.googleapis.com"}]}},
    ]
    served.projects("project-of-keys", keys=keys)
    shown = run("keys", "list", "-p", "project-of-keys", "--format", "json").json
    assert {each["name"].rpartition("/")[2] for each in shown} == {"for-gemini", "unrestricted"}


# "For new users ... Google AI Studio creates a default Google Cloud Project and API Key, for ease of use."
def test_a_new_user_gets_a_default_project_and_key(run, projects) -> None:
    done = projects("default", "--yes", "--format", "json", user=NEW)
    assert done.code == 0, done.err
    assert done.json["key"]["keyType"] == "auth"
    assert done.json["key"]["verification"] == "ok"
    assert run("config", "get", "project", user=NEW).out.strip() == done.json["projectId"]
    assert len(run("keys", "list", "--format", "json", user=NEW).json) == 1


# "You can rename this project in Google AI Studio by navigating to Projects view ... and choosing Rename project."
def test_the_default_project_can_be_renamed(projects) -> None:
    made = projects("default", "--yes", "--format", "json", user=NEW).json
    renamed = projects("rename", made["projectId"], "My own name", "--format", "json", user=NEW)
    assert renamed.json["displayName"] == "My own name"
    assert renamed.json["projectId"] == made["projectId"]


# "Existing users, or users who already have Google Cloud Accounts won't have a default project created."
def test_an_existing_user_gets_no_default_project(projects, served) -> None:
    done = projects("default", "--yes", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "already-exists"
    assert "CreateProject" not in served.methods()


# "Each Gemini API key is associated with a Google Cloud project."
def test_each_key_is_associated_with_a_project(run) -> None:
    made = run("keys", "create", "--name", "one", "-p", "demo-project", "--format", "json").json
    assert made["project"] == "demo-project"
    assert made["name"].startswith("projects/100000000001/")


# "By default, Google AI Studio does not show all of your Cloud Projects."
def test_by_default_not_all_projects_are_shown(listed, projects) -> None:
    assert projects("import", "demo-project").code == 0
    assert listed("list") == ["demo-project"]


# "You must import the projects you want by searching for the name or project ID in the Import Projects dialog."
@pytest.mark.parametrize("words", ["Old maps", "old-maps-s"])
def test_projects_are_imported_by_searching_for_the_name_or_the_id(projects, listed, words: str) -> None:
    assert projects("import", "--search", words).code == 0
    assert listed("list") == ["old-maps-site"]


# "To view a complete list of projects you have access to, visit the Cloud Console."
def test_a_complete_list_of_projects_is_had_without_the_console(projects, listed) -> None:
    projects("import", "demo-project")
    assert listed("list", "--all") == ["crowded-project", "demo-project", "old-maps-site", "suspended-project"]


# "If you don't have any projects imported yet, follow these steps to import a Google Cloud project and create a key"
# "Once a project is imported, go to the API Keys page ... and create an API key in the project you just imported."
def test_import_a_project_then_create_a_key_in_it(run, projects) -> None:
    assert "keyadmin projects import" in projects("list").err
    done = projects("import", "demo-project")
    assert "keyadmin keys create --name NAME -p demo-project" in done.err
    made = run("keys", "create", "--name", "mine", "-p", "demo-project", "--format", "json")
    assert (made.code, made.json["verification"]) == (0, "ok")


# "For existing users, the keys are pre-populated in the imports pane based on the last 30-days of activity in AI Studio."
def test_projects_with_keys_of_the_last_30_days_come_first(projects, listed, served) -> None:
    def key(days: float) -> dict[str, str]:
        return {"displayName": f"{days} days", "createTime": ago(days)}

    served.projects("yy-three-days", keys=[key(3), key(400)], services=["apikeys.googleapis.com"])
    served.projects("zz-just-now", keys=[key(0.1)], services=["apikeys.googleapis.com"])
    served.projects("aa-forty-days", keys=[key(40)], services=["apikeys.googleapis.com"])
    served.control("clock", {"advance": "1h"})  # the default seed has keys of 30 days to the second
    found = listed("list", user=OWNER)
    assert found[:3] == ["zz-just-now", "yy-three-days", "aa-forty-days"]
    assert "the first 2 had keys made in the last 30 days" in projects("list").err


# "You can create a maximum of 10 project at a time from the Google AI Studio Projects page."
def test_at_most_10_projects_are_created_at_a_time(projects, listed, served) -> None:
    refused = projects("create", "--count", "11", user=NEW)
    assert refused.code == 2
    assert "at most 10 projects are made at a time, as in AI Studio" in refused.err
    assert "CreateProject" not in served.methods()
    assert len(listed("create", "--count", "10", user=NEW)) == 10


# "You can name and rename projects and keys."
def test_projects_and_keys_can_be_named_and_renamed(run, projects) -> None:
    made = projects("create", "my-new-project", "--name", "First name", "--with-key", "first key", "--format", "json").json
    assert (made["displayName"], made["key"]["displayName"]) == ("First name", "first key")
    assert projects("rename", "my-new-project", "Second name", "--format", "json").json["displayName"] == "Second name"
    key = run("keys", "rename", "first key", "second key", "-p", "my-new-project", "--format", "json").json
    assert key["displayName"] == "second key"


# "The API keys and Projects pages display a maximum of 100 keys and 50 projects."
@pytest.mark.parametrize(("number", "shown", "note"), [(1, 1, ""), (50, 50, ""), (51, 50, "1 more projects are not shown")])
def test_at_most_50_projects_are_shown(projects, listed, served, number: int, shown: int, note: str) -> None:
    served.projects(*(f"many-{place:03}" for place in range(number)), owner=NEW)
    assert len(listed("list", user=NEW)) == shown
    assert projects("import", "--all", user=NEW).code == 0
    done = projects("list", "--format", "json", user=NEW)
    assert len(done.json) == shown
    assert ("not shown" in done.err) is bool(note)
    assert note in done.err


# "For additional management access to your projects ... visit the Google Cloud Console credentials page."
def test_managing_projects_needs_no_console(projects) -> None:
    assert projects("enable", "demo-project", "translate.googleapis.com").code == 0
    assert projects("disable", "demo-project", "translate.googleapis.com", "--yes").code == 0
    assert projects("delete", "demo-project", "--yes").code == 0
    assert projects("undelete", "demo-project").code == 0


# "This occurs when you lack the necessary permissions within the project to generate a new key"
def test_it_is_told_who_may_make_keys_and_what_one_lacks(projects, served) -> None:
    served.grant(NEW, "resourcemanager.projects.get", "apikeys.keys.create")
    mine = projects("describe", "demo-project", "--format", "json", user=NEW).json
    assert mine["mayCreateKeys"] is False
    assert "serviceusage.services.enable" in mine["missingPermissions"]
    assert "apikeys.keys.create" not in mine["missingPermissions"]
    owners = projects("describe", "demo-project", "--format", "json").json
    assert owners["mayCreateKeys"] is True
    first = owners["keyMakers"][0]
    assert (first["member"], first["sure"]) == (f"user:{OWNER}", True)
    assert first["grants"] == [{"role": "roles/owner", "on": "projects/demo-project", "conditional": False}]
    assert f"user:{OWNER} (roles/owner on projects/demo-project)" in projects("describe", "demo-project").out


# "resourcemanager.projects.get: Allows AI Studio to verify the project's existence."
def test_the_projects_existence_is_verified(projects, served) -> None:
    served.grant(NEW, "apikeys.keys.create")
    refused = projects("import", "demo-project", "--format", "json", user=NEW)
    assert (refused.code, refused.error["cause"]) == (1, "project-not-found-or-no-access")
    served.grant(NEW, "resourcemanager.projects.get")
    assert projects("import", "demo-project", user=NEW).code == 0


# "serviceusage.services.enable: Required to ensure the Gemini API is active on the project."
def test_the_gemini_api_is_active_on_a_new_project(projects) -> None:
    projects("create", "my-new-project")
    found = projects("describe", "my-new-project", "--format", "json").json
    assert found["apis"] == ["apikeys.googleapis.com", GEMINI]


# "If you do not have administrative access to a project, you can create a new project that is not associated with an
# organization to generate your keys."
def test_a_project_outside_any_organisation_serves_to_make_keys(projects) -> None:
    made = projects("create", "--with-key", "mine", "--format", "json", user=NEW)
    assert made.code == 0, made.err
    assert "parent" not in made.json
    assert made.json["key"]["verification"] == "ok"


def test_the_table_in_the_guide_is_complete() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "projects.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)` \|", guide))
    here = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text("utf-8"), re.MULTILINE))
    assert named == here - {"test_the_table_in_the_guide_is_complete"}
