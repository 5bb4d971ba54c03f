"""Whose key it is: by the project's label, by the audit log, by the project's policy; what may not be read is said."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import GEMINI, OWNER, Audited, key, project

Audit = Callable[..., Audited]
ONE = ("--limit", "1", "--keep", "none")


def label(served: Any, project_id: str, value: str) -> None:
    body = json.dumps({"labels": {"owner": value}}).encode()
    address = f"{served.rest}/v3/projects/{project_id}?updateMask=labels"
    urllib.request.urlopen(urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="PATCH"))


@pytest.fixture
def made(organization: Any, served: Any, run: Callable[..., Any]) -> None:
    """A project whose key ann made, and one whose key was there before the log."""
    members = {
        "roles/owner": [OWNER, "group:all@example.com", "user:bob@example.com"],
        "roles/editor": ["user:ann@example.com"],
    }
    organization(
        project("web-one", services=["apikeys.googleapis.com", GEMINI], iam=members),
        project(
            "web-two", key("open", project="web-two", age=500), iam={"roles/owner": [f"user:u{n}@a.example" for n in range(5)]}
        ),
    )
    words = ("--standard", "--name", "hers", "--key-id", "hers", "--api-target", GEMINI, "-p", "web-one")
    assert run("keys", "create", *words, user="ann@example.com").code == 0


def owner(done: Audited) -> Any:
    return done.report["findings"][0]["owner"]


def test_the_label_of_the_project_comes_first(made: None, served: Any, audit: Audit) -> None:
    label(served, "web-one", "team-shop")
    served.control("requests")
    found = owner(audit("-p", "web-one", *ONE))
    assert found == {"who": ["team-shop"], "source": "label", "reason": "the label owner of the project"}
    assert Counter(served.methods("owner@example.com"))["ListLogEntries"] == 0


def test_else_who_made_the_key_by_the_audit_log(made: None, served: Any, audit: Audit, run: Callable[..., Any]) -> None:
    found = owner(audit("-p", "web-one", *ONE))
    assert (found["who"], found["source"]) == (["ann@example.com"], "log")
    assert found["reason"].startswith("made the key on 20")
    assert "ann@example.com" in run("audit", "-p", "web-one", "--keep", "none").out
    assert "GetIamPolicy" not in served.methods("owner@example.com")


def test_else_the_owners_of_the_project_itself_the_first_three(made: None, audit: Audit) -> None:
    found = owner(audit("-p", "web-two", *ONE, user="u1@a.example"))
    assert (found["who"], found["source"]) == ([f"u{n}@a.example" for n in range(3)], "policy")
    assert found["reason"] == (
        "roles/owner on the project, the first 3 of 5; the key is older than the audit log, which is kept for 400 days"
    )


def test_the_unknown_is_said_with_what_is_missing(made: None, served: Any, audit: Audit, run: Callable[..., Any]) -> None:
    permissions = ("apikeys.keys.list", "serviceusage.services.get", "monitoring.timeSeries.list")
    served.grant("dev@example.com", *permissions, project="web-one")
    found = owner(audit("-p", "web-one", *ONE, user="dev@example.com"))
    assert (found["who"], found["source"]) == ([], "unknown")
    for permission in ("resourcemanager.projects.get", "logging.logEntries.list", "resourcemanager.projects.getIamPolicy"):
        assert f"{permission} is missing" in found["reason"]
    assert "owner unknown" in run("audit", "-p", "web-one", "--keep", "none", user="dev@example.com").out


def test_one_project_without_the_log_does_not_hide_the_others(made: None, served: Any, audit: Audit) -> None:
    served.grant("dev@example.com", "apikeys.keys.list", "serviceusage.services.get", project="web-two")
    served.grant("dev@example.com", "apikeys.keys.list", "logging.logEntries.list", project="web-one")
    served.seed(projects=[project("web-two", key("young", project="web-two", age=30))])
    done = audit("--projects", "web-one,web-two", "--group-by", "owner", "--keep", "none", user="dev@example.com")
    assert {each["name"] for each in done.report["groups"]} == {"ann@example.com", "unknown"}


def test_owners_are_asked_for_only_where_they_are_shown(made: None, served: Any, audit: Audit) -> None:
    asked = {"GetProject", "ListLogEntries", "GetIamPolicy"}
    for words in ((), ("--min-severity", "low"), ("--group-by", "project")):
        served.control("requests")
        before = Counter(served.methods("owner@example.com"))
        report = audit("--projects", "web-one,web-two", "--keep", "none", *words).report
        assert not any("owner" in each for each in report["findings"])
        assert not asked & set(Counter(served.methods("owner@example.com")) - before), words


def test_one_call_for_the_logs_of_many_projects(organization: Any, served: Any, audit: Audit) -> None:
    names = [f"web-{number:03}" for number in range(60)]
    organization(*(project(name, key("open", project=name)) for name in names))
    done = audit("--organization", "77", "--group-by", "owner", "--keep", "none")
    calls = Counter(served.methods("owner@example.com"))
    assert calls["ListLogEntries"] == 2, "fifty names of keys a call"
    assert calls["GetProject"] == 0, "one search for all labels"
    assert [each["name"] for each in done.report["groups"]] == ["owner@example.com"]
