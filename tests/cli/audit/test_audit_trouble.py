"""`audit` where not all goes well: projects that cannot be looked at, refusals, limits, interruptions, wrong words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyadmin.audit.inventory import AuditScope
from keyadmin.audit.rules import chosen
from keyadmin.audit.scan import AuditOptions, scan
from keyadmin.cloud.connect import Target, Url, connect
from keyadmin.model.observer import Observer
from tests.waiting import until

from .conftest import GEMINI, OWNER, Audited, key, project

Audit = Callable[..., Audited]
LIMITED = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.2s"}


def test_a_project_that_cannot_be_listed_is_unknown_not_right(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("good", GEMINI)), project("denied-one", iam={"roles/browser": [OWNER]}))
    done = audit("--organization", "77", "--inventory", "api")
    assert done.report["findings"] == []
    [error] = done.report["errors"]
    assert set(error) == {"project", "cause", "message"}
    assert (error["project"], error["cause"]) == ("denied-one", "missing-iam-permission")
    assert done.report["summary"]["errors"] == 1
    assert done.report["summary"]["projects"] == 2
    assert done.code == 3
    assert "denied-one could not be checked" in done.run.err


def test_the_threshold_none_does_not_make_the_unknown_right(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("open")), project("denied-one", iam={"roles/browser": [OWNER]}))
    assert audit("--organization", "77", "--inventory", "api", "--fail-on", "none").code == 3
    assert audit("--projects", "web-one", "--fail-on", "none").code == 0


def test_where_no_project_could_be_looked_at_the_audit_failed(organization: Any, served: Any, audit: Audit) -> None:
    organization(project("web-one", key("open")))
    served.give("dev@example.com", ["resourcemanager.projects.get"], on="web-one")
    done = audit("--projects", "web-one", "--fail-on", "none", user="dev@example.com")
    assert done.code == 1
    assert done.report["errors"][0]["project"] == "web-one"
    assert (done.run.error["cause"], done.run.error["permission"]) == ("missing-iam-permission", "apikeys.keys.list")
    assert done.run.error["fix"]
    assert "Traceback" not in done.run.err


def test_a_name_that_is_no_project_is_told_as_such(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("good", GEMINI)))
    done = audit("--projects", "web-one,web-onne")
    assert [each["cause"] for each in done.report["errors"]] == ["project-not-found-or-no-access"]
    assert done.code == 3
    assert audit("--projects", "no-such-project").code == 1


def test_an_unknown_api_state_is_an_error_and_the_other_findings_stay(organization: Any, served: Any, audit: Audit) -> None:
    organization(project("web-one", key("open", age=200)), project("web-two", key("good", GEMINI, project="web-two")))
    served.give("dev@example.com", ["apikeys.keys.list"], on="web-one")
    served.give("dev@example.com", ["apikeys.keys.list"], on="web-two")
    done = audit("--projects", "web-one,web-two", "--fail-on", "none", user="dev@example.com")
    assert done.found == {("key-too-old", "open")}
    assert [each["project"] for each in done.report["errors"]] == ["web-one"]
    [error] = done.report["errors"]
    assert "whether the Gemini API is on is unknown" in error["message"]
    assert done.code == 3


def test_a_suspended_project(organization: Any, audit: Audit) -> None:
    organization(
        project("web-one", key("good", GEMINI)),
        project("asleep-one", key("open", project="asleep-one"), state="SUSPENDED"),
    )
    charged = audit("--organization", "77", "--inventory", "api", "--charge-projects")
    assert [(each["project"], each["cause"]) for each in charged.report["errors"]] == [("asleep-one", "consumer-suspended")]
    assert charged.code == 3


def test_what_fails_for_a_moment_is_tried_again(organization: Any, served: Any, audit: Audit) -> None:
    organization(*(project(f"web-{number:03}", key("open", project=f"web-{number:03}")) for number in range(20)))
    served.control("faults", {"method": "ListKeys", "code": "UNAVAILABLE", "times": 5})
    served.control("faults", {"method": "ListKeys", "code": "DROP", "times": 2})
    served.control("faults", {"method": "BatchGetServices", "code": "UNAVAILABLE", "times": 3})
    done = audit("--organization", "77", "--inventory", "api")
    assert done.report["errors"] == []
    assert len(done.of("gemini-exposed-key")) == 20


def test_a_rate_limit_is_waited_out(organization: Any, served: Any, audit: Audit) -> None:
    organization(*(project(f"web-{number:03}", key("open", project=f"web-{number:03}")) for number in range(20)))
    served.control("faults", {"method": "ListKeys", "code": "RESOURCE_EXHAUSTED", "times": 12, "details": [LIMITED]})
    done = audit("--organization", "77", "--inventory", "api")
    assert done.report["errors"] == []
    assert len(done.of("gemini-exposed-key")) == 20


def test_a_failure_that_stays_costs_its_projects_alone(organization: Any, served: Any, audit: Audit) -> None:
    organization(*(project(f"web-{number:03}", key("open", project=f"web-{number:03}")) for number in range(20)))
    served.control("faults", {"method": "ListKeys", "code": "INTERNAL", "times": 4})
    served.control("faults", {"method": "BatchGetServices", "code": "PERMISSION_DENIED", "times": 3})
    done = audit("--organization", "77", "--inventory", "api")
    assert 3 <= len(done.report["errors"]) <= 7
    assert len(done.of("gemini-exposed-key")) + len(done.report["errors"]) == 20
    assert done.code == 3


def test_an_inventory_that_may_not_be_searched_is_replaced_and_that_is_said(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("open")), roles=("roles/browser",))
    done = audit("--organization", "77")
    assert done.of("gemini-exposed-key") == ["open"]
    assert done.report["scan"]["inventory"] == "api"
    assert "each project is asked" in done.run.err
    refused = audit("--organization", "77", "--inventory", "asset")
    assert (refused.code, refused.run.out) == (1, "")
    assert refused.run.error["permission"] == "cloudasset.assets.searchAllResources"


def test_an_inventory_that_fails_half_way_is_replaced_too(organization: Any, served: Any, audit: Audit) -> None:
    organization()
    served.seed(fleet={"projects": 150, "keysPerProject": 5, "parent": "organizations/77"})
    expected = audit("--organization", "77", "--inventory", "api").report["findings"]
    served.control("faults", {"method": "SearchAllResources", "code": "FAILED_PRECONDITION", "times": 1})
    done = audit("--organization", "77")
    assert done.report["scan"]["inventory"] == "api"
    assert done.report["findings"] == expected


def test_an_empty_organisation(organization: Any, audit: Audit) -> None:
    organization()
    for inventory in ("api", "asset", "auto"):
        done = audit("--organization", "77", "--inventory", inventory, "--fail-on", "low")
        assert done.code == 0
        assert done.report["summary"]["projects"] == done.report["summary"]["keys"] == 0
        assert done.report["findings"] == done.report["errors"] == []
        assert "nothing was audited" in done.run.err


@pytest.mark.parametrize("scope", [("--organization", "4711"), ("--folder", "4711"), ("--folder", "No Such Folder")])
def test_a_folder_or_organisation_that_is_not_there(audit: Audit, scope: tuple[str, str]) -> None:
    done = audit(*scope)
    assert (done.code, done.run.out) == (1, "")
    assert done.run.error["fix"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--projects", "a-project", "--folder", "1"), "--projects and --folder do not go together"),
        (("--folder", "1", "--organization", "1"), "--folder and --organization do not go together"),
        (("-p", "a-project", "--organization", "1"), "--project and --organization do not go together"),
        (("--projects", "a-project", "-p", "b-project"), "--project and --projects do not go together"),
        (("--projects", " , "), "names no project"),
        (("--projects", "Not A Project"), "is not a project id"),
        (("--projects", "a-project,x/y"), "is not a project id"),
        (("--folder", "organizations/1"), "none of the folders"),
        (("--folder", ""), "none of the folders"),
        (("--organization", "folders/1"), "none of the organizations"),
        (("--organization", "organizations/x"), "is not a parent"),
        (("--inventory", "cloud"), "is not an inventory"),
        (("--rule", "everything"), "there is no rule 'everything'"),
        (("--fail-on", "info"), "is not a severity here"),
        (("--max-age", "soon"), "is not a duration"),
        (("--output", "/no/such/folder/report.json"), "there is no folder"),
        (("--output", "/no/such/folder/report.doc"), "there is no folder"),
        (("--nonsense",), "No such option"),
        (("web-one",), "No such command 'web-one'"),
    ],
)
def test_wrong_words_are_wrong_usage_before_any_call(served: Any, audit: Audit, words: tuple[str, ...], said: str) -> None:
    done = audit(*words)
    assert (done.code, done.run.out) == (2, "")
    assert said in done.run.err
    assert done.run.error["cause"] == "invalid-argument"
    assert served.methods("owner@example.com") == []


def test_a_group_that_is_a_command_too(cli: Callable[..., Any]) -> None:
    done = cli("audit", "--help")
    assert done.out.startswith("Usage: keyadmin audit [OPTIONS] [COMMAND]\n")
    assert "\nOptions:\n" in done.out
    assert "\nExamples:\n" in done.out


def test_formats_of_audits_are_for_audits(run: Callable[..., Any], served: Any) -> None:
    wrong = run("audit", "--format", "pdf")
    assert wrong.code == 2
    assert "sarif, html" in wrong.err
    assert run("keys", "list", "--format", "sarif").code == 2
    assert served.methods("owner@example.com") == []


def test_nobody_signed_in(cli: Callable[..., Any]) -> None:
    env = {"GOOGLE_APPLICATION_CREDENTIALS": "/nonexistent.json", "KEYADMIN_SANDBOX": "0"}
    done = cli("audit", "--projects", "a-project", "--format", "json", env=env)
    assert (done.code, done.out) == (4, "")


def test_interrupted_it_leaves_nothing(organization: Any, served: Any, home: dict[str, str], tmp_path: Path) -> None:
    organization(*(project(f"web-{number:03}", key("open", project=f"web-{number:03}")) for number in range(5)))
    served.control("latency", {"ms": 6_000, "method": "ListKeys"})
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "keyadmin", "audit", "--organization", "77", "--inventory", "api", "--output", str(report)]
    env = home | {"KEYADMIN_SANDBOX": served.rest}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: "ListFolders" in served.methods("owner@example.com"), "it is at work", process=process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Interrupted" in err
    assert "Traceback" not in err
    assert [name for name in os.listdir(tmp_path) if "report" in name] == []


def test_errors_are_the_last_line_for_programs(organization: Any, audit: Audit) -> None:
    done = audit("--projects", "no-such-project")
    assert json.loads(done.run.err.splitlines()[-1])["error"]["project"] == "no-such-project"


async def test_a_long_way_is_told_beforehand(organization: Any, served: Any) -> None:
    organization(*(project(f"web-{number:03}", key("open", project=f"web-{number:03}")) for number in range(8)))

    class Told(Exception):
        """What the observer heard."""

    class Listening(Observer):
        def note(self, text: str, *, always: bool = False) -> None:
            raise Told(text)

    wishes = AuditOptions(chosen(None), timedelta(days=90))
    async with connect(Target(sandbox=Url(served.rest), reads_per_minute=5)) as cloud:
        with pytest.raises(Told, match=r"8 projects are asked one by one: that takes 1 min .* --inventory asset"):
            await scan(cloud, AuditScope(parent="organizations/77"), "api", wishes, Listening())
