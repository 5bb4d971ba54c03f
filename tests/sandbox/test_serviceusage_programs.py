"""Service Usage v1 as google-api-python-client and the gcloud command call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from googleapiclient.errors import HttpError

from .clients import Gcloud, discovered
from .conftest import Running

GEMINI = "generativelanguage.googleapis.com"
NUMBER = "projects/100000000001"


def test_discovery_client_lists_gets_and_enables(sandbox: Running) -> None:
    services = discovered("serviceusage", "v1", sandbox).services()
    started = services.enable(name=f"projects/demo-project/services/{GEMINI}", body={}).execute()
    assert started["metadata"] == {
        "@type": "type.googleapis.com/google.api.serviceusage.v1.OperationMetadata",
        "resourceNames": [f"{NUMBER}/services/{GEMINI}"],
    }
    assert "done" not in started
    done = discovered("serviceusage", "v1", sandbox).operations().get(name=started["name"]).execute()
    assert done["done"] is True
    assert done["response"]["@type"] == "type.googleapis.com/google.api.serviceusage.v1.EnableServiceResponse"
    listed = services.list(parent="projects/demo-project", filter="state:ENABLED", pageSize=200).execute()
    assert listed["services"] == [done["response"]["service"]]
    assert listed["services"][0] | {"config": None} == {
        "name": f"{NUMBER}/services/{GEMINI}",
        "config": None,
        "state": "ENABLED",
        "parent": NUMBER,
    }
    config = listed["services"][0]["config"]
    assert (config["name"], config["title"]) == (GEMINI, "Generative Language API")
    assert config["quota"] == config["authentication"] == {}
    name = f"projects/demo-project/services/{GEMINI}"
    assert services.batchGet(parent="projects/demo-project", names=[name]).execute() == listed


def test_discovery_client_finds_an_empty_list_empty(sandbox: Running) -> None:
    services = discovered("serviceusage", "v1", sandbox).services()
    assert services.list(parent="projects/demo-project", filter="state:ENABLED").execute() == {}


def test_discovery_client_sees_the_denial_as_google_words_it(sandbox: Running) -> None:
    services = discovered("serviceusage", "v1", sandbox, "stranger@example.com").services()
    with pytest.raises(HttpError) as caught:
        services.enable(name=f"projects/demo-project/services/{GEMINI}", body={}).execute()
    error = json.loads(caught.value.content)["error"]
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
    assert error["message"].startswith(f"Permission denied to enable service [{GEMINI}]\nHelp Token: A")
    assert [detail["@type"].rpartition(".")[2] for detail in error["details"]] == ["PreconditionFailure", "ErrorInfo"]
    violation = error["details"][0]["violations"][0]
    assert violation["subject"].startswith("?error_code=110002&service=serviceusage.googleapis.com&permission=")


def test_gcloud_enables_lists_and_disables(sandbox: Running, tmp_path: Path) -> None:
    gcloud = Gcloud(sandbox, tmp_path)
    project = "--project=demo-project"
    one = gcloud("services", "enable", GEMINI, project)
    assert one.returncode == 0, one.stderr
    assert 'Operation "operations/acf.p2-100000000001-' in one.stderr
    assert "finished successfully" in one.stderr
    again = gcloud("services", "enable", GEMINI, project)
    assert (again.returncode, again.stderr) == (0, "")
    several = gcloud("services", "enable", "apikeys.googleapis.com", "iam.googleapis.com", project)
    assert several.returncode == 0, several.stderr
    listed = gcloud("services", "list", project, "--format=json")
    services = {service["config"]["name"]: service["config"]["title"] for service in json.loads(listed.stdout)}
    assert services == {
        "apikeys.googleapis.com": "API Keys API",
        GEMINI: "Generative Language API",
        "iam.googleapis.com": "Identity and Access Management (IAM) API",
    }
    available = gcloud("services", "list", "--available", project, "--format=value(config.name)")
    assert len(available.stdout.split()) > 400
    off = gcloud("services", "disable", GEMINI, project)
    assert off.returncode == 0, off.stderr
    table = gcloud("services", "list", project)
    assert GEMINI not in table.stdout
    assert "API Keys API" in table.stdout


def test_gcloud_is_told_why_not(sandbox: Running, tmp_path: Path) -> None:
    stranger = Gcloud(sandbox, tmp_path, "stranger@example.com")
    denied = stranger("services", "enable", GEMINI, "--project=demo-project")
    assert denied.returncode == 1
    assert f"Permission denied to enable service [{GEMINI}]" in denied.stderr
    assert "reason: AUTH_PERMISSION_DENIED" in denied.stderr
    used = Gcloud(sandbox, tmp_path)("services", "disable", "maps-backend.googleapis.com", "--project=old-maps-site")
    assert used.returncode == 1
    assert "Provide the --force flag" in used.stderr
    assert "has usage in the last 30 days" in used.stderr
