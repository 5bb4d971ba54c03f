"""Accepted findings, baselines, kept reports and their comparison, as an audit uses them."""

from __future__ import annotations

import gzip
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from .conftest import GEMINI, Audited, ago, key, project

SCHEMA = json.loads((Path(__file__).parents[2] / "data" / "sarif-2.1.0.json").read_text("utf-8"))
Run = Callable[..., Any]
Audit = Callable[..., Audited]
ENTRY = '[[audit.accept]]\nrule = "key-too-old"\nproject = "web-one"\nkey = "old"\nreason = "kiosk"\nuntil = 2099-01-01\n'
FORMATS = ("table", "json", "jsonl", "csv", "yaml", "markdown", "sarif", "html")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own to type in."""
    folder = tmp_path / "work"
    folder.mkdir(mode=0o755)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def old(organization: Any) -> None:
    """A project with one key that is too old."""
    organization(project("web-one", key("old", GEMINI, age=200, lastUsed=ago(1))))


def test_an_accepted_finding_is_counted_by_itself(old: None, audit: Audit, here: Path) -> None:
    (here / "keyadmin.toml").write_text(ENTRY)
    done = audit("-p", "web-one", "--fail-on", "low")
    assert (done.report["summary"]["accepted"], done.report["summary"]["findings"]) == (1, 1)
    assert done.report["summary"]["bySeverity"]["medium"] == done.report["summary"]["byRule"]["key-too-old"] == 0
    assert done.report["findings"][0]["accepted"] == {"reason": "kiosk", "until": "2099-01-01"}
    assert done.code == 0
    assert "Accepted findings: ./keyadmin.toml" in done.run.err


def test_without_the_file_it_is_back(old: None, audit: Audit) -> None:
    done = audit("-p", "web-one", "--fail-on", "low")
    assert (done.code, done.report["summary"]["accepted"]) == (3, 0)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_counts_what_is_accepted(old: None, run: Run, here: Path, form: str) -> None:
    (here / "keyadmin.toml").write_text(ENTRY)
    out = run("audit", "-p", "web-one", "--format", form, "--keep", "none").out
    signs = {
        "table": "1 accepted",
        "json": '"accepted": 1',
        "jsonl": '"accepted": {"reason": "kiosk"',
        "csv": ",kiosk,",
        "yaml": "accepted: 1",
        "markdown": "1 accepted.",
        "sarif": '"accepted": 1',
        "html": "accepted",
    }
    assert signs[form] in out
    if form == "table":
        assert "MEDIUM" not in out
        assert "key-too-old (accepted)" in run("audit", "-p", "web-one", "--all").out


def test_sarif_says_what_is_accepted_and_what_is_new(organization: Any, run: Run, here: Path) -> None:
    organization(project("web-one", key("old", GEMINI, age=200, lastUsed=ago(1))))
    run("audit", "-p", "web-one", "--output", "before.json")
    organization(project("web-one", key("open")))
    (here / "keyadmin.toml").write_text(ENTRY)
    log = run("audit", "-p", "web-one", "--format", "sarif", "--baseline", "before.json").json
    jsonschema.validate(log, SCHEMA)
    results = {each["ruleId"]: each for each in log["runs"][0]["results"]}
    [suppression] = results["key-too-old"]["suppressions"]
    assert (suppression["status"], suppression["justification"]) == ("accepted", "kiosk")
    assert suppression["properties"] == {"until": "2099-01-01"}
    assert results["gemini-exposed-key"]["suppressions"] == []
    assert {rule: each["baselineState"] for rule, each in results.items()} == {
        "key-too-old": "unchanged",
        "gemini-exposed-key": "new",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("2099-01-01", "2020-01-01"), "line 6: accepted until 2020-01-01, which is over: the finding is back"),
        (("key-too-old", "key-to-old"), "line 2: there is no rule 'key-to-old'"),
        (('"old"', '"other"'), "line 1: nothing is found there any more (key-too-old, key other of project web-one)"),
        (('"kiosk"', "["), "no finding counts as accepted"),
    ],
)
def test_what_does_not_hold_is_a_warning_with_its_line(
    old: None, audit: Audit, here: Path, change: tuple[str, str], said: str
) -> None:
    (here / "keyadmin.toml").write_text(ENTRY.replace(*change))
    done = audit("-p", "web-one", "--fail-on", "low", "--quiet")
    assert done.code == 3
    assert "Warning" in done.run.err
    assert said in done.run.err
    named = audit("-p", "web-one", "--policy", "keyadmin.toml")
    assert named.code == (2 if "[" in change else 0)


def test_a_file_of_others_accepts_nothing(old: None, audit: Audit, here: Path) -> None:
    (here / "keyadmin.toml").write_text(ENTRY)
    here.chmod(0o777)
    done = audit("-p", "web-one", "--fail-on", "low")
    assert done.code == 3
    assert "may write its folder" in done.run.err
    assert audit("--projects", "web-one", "--policy", "keyadmin.toml", "--fail-on", "low").code in (0, 2)


def test_with_a_baseline_only_what_is_new_decides(organization: Any, run: Run, audit: Audit, here: Path) -> None:
    organization(project("web-one", key("old", GEMINI, age=200, lastUsed=ago(1))))
    run("audit", "-p", "web-one", "--output", "before.json")
    done = audit("-p", "web-one", "--fail-on", "low", "--baseline", "before.json")
    assert (done.code, done.report["summary"]["new"]) == (0, 0)
    assert done.report["findings"][0]["new"] is False
    organization(project("web-one", key("open")))
    done = audit("-p", "web-one", "--baseline", "before.json")
    assert (done.code, done.report["summary"]["new"]) == (3, 1)
    assert [each["rule"] for each in done.report["findings"] if each["new"]] == ["gemini-exposed-key"]


def test_what_became_worse_is_new(old: None, run: Run, audit: Audit, here: Path) -> None:
    run("audit", "-p", "web-one", "--output", "before.json")
    before = json.loads((here / "before.json").read_text())
    before["findings"][0]["severity"] = "low"
    (here / "before.json").write_text(json.dumps(before))
    assert audit("-p", "web-one", "--fail-on", "low", "--baseline", "before.json").report["summary"]["new"] == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scan": {"time": "2026-01-01T00:00:00Z", "scope": "organizations/1"}}, "is of another scope (organizations/1;"),
        ({"schemaVersion": 99}, "has schemaVersion 99, not 1"),
        ({"schemaVersion": None}, "has schemaVersion none, not 1"),
        ({"sandbox": False}, "is not of the sandbox, unlike this audit"),
        ({"findings": []}, "lists 0 of 1 findings"),
    ],
)
def test_a_baseline_of_something_else_is_said(
    old: None, run: Run, audit: Audit, here: Path, change: dict[str, Any], said: str
) -> None:
    run("audit", "-p", "web-one", "--output", "before.json")
    report = json.loads((here / "before.json").read_text()) | change
    (here / "before.json").write_text(json.dumps(report))
    done = audit("-p", "web-one", "--baseline", "before.json")
    assert done.code == 0
    assert said in done.run.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: it is not a report in JSON"),
        ('{"summary": {}}', "it has no summary and scan"),
        ('{"findings": [{"rule": 7}]}', "finding 1 has no"),
        ('{"findings": [{"rule": "x", "severity": "urgent"}]}', "severity 'urgent'"),
        ('{"summary": {}, "scan": {"time": "soon"}}', "which is not a time"),
    ],
)
def test_a_baseline_that_is_no_report_is_refused_before_any_call(
    served: Any, audit: Audit, here: Path, text: str, said: str
) -> None:
    (here / "before.json").write_text(text)
    done = audit("-p", "web-one", "--baseline", "before.json")
    assert (done.code, done.run.out) == (2, "")
    assert said in done.run.err
    assert served.methods("owner@example.com") == []


def kept(data: Path) -> list[Path]:
    return sorted(data.rglob("*.json.gz"))


def test_every_whole_audit_is_kept_for_its_owner_alone(old: None, run: Run, audit: Audit, tmp_path: Path) -> None:
    for _ in range(2):
        audit("-p", "web-one")
    audit("-p", "web-one", "--rule", "key-too-old")
    audit("-p", "web-one", "--keep", "none")
    files = kept(tmp_path / "data")
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert files[0].parent.name == "sandbox-audits"
    document = json.loads(gzip.decompress(files[0].read_bytes()))
    assert document["findings"] == audit("-p", "web-one", "--keep", "none").report["findings"]
    listed = run("audit", "history", "--format", "json").json
    assert [each["file"] for each in listed] == [str(file) for file in reversed(files)]
    assert listed[0]["summary"]["bySeverity"]["medium"] == 1
    assert listed[0]["sandbox"] is True


def test_a_kept_report_is_a_baseline_and_can_be_compared(old: None, run: Run, audit: Audit, here: Path) -> None:
    audit("-p", "web-one", "--keep", "reports")
    [file] = kept(here)
    assert audit("-p", "web-one", "--baseline", str(file)).report["summary"]["new"] == 0
    assert "0 new, 0 worse, 0 changed, 0 gone" in run("audit", "diff", str(file), str(file)).err
    assert [each["file"] for each in run("audit", "history", "--keep", "reports", "--format", "json").json] == [
        f"reports/{file.name}"
    ]


def test_the_last_sixty_stay_and_other_files_too(old: None, audit: Audit, here: Path) -> None:
    audit("-p", "web-one", "--keep", "reports")
    [first] = kept(here)
    for number in range(1, 62):
        copy = first.name.replace("Z-", f"Z-{number:02x}", 1)
        os.link(first, first.with_name(f"{copy[: copy.index('Z-') + 2]}{number:08x}.json.gz"))
    (first.parent / "mine.json.gz").write_bytes(b"")
    (first.parent / first.name.removeprefix("sandbox-")).write_bytes(b"")
    audit("-p", "web-one", "--keep", "reports")
    names = {file.name for file in kept(here)}
    assert len([name for name in names if name.startswith("sandbox-")]) == 60
    assert {"mine.json.gz", first.name.removeprefix("sandbox-")} <= names


def test_the_trend_of_the_same_scope(organization: Any, run: Run, audit: Audit) -> None:
    organization(
        project("web-one", key("old", GEMINI, age=200, lastUsed=ago(1))),
        project("web-two", key("good", GEMINI, project="web-two")),
    )
    audit("-p", "web-one")
    audit("-p", "web-two")
    assert "Trend     high 0 > 0; all 1 > 1 (since 20" in run("audit", "-p", "web-one").out
    assert "\n## Trend\n" in run("audit", "-p", "web-one", "--format", "markdown").out
    assert "Trend" not in run("audit", "--projects", "web-one,web-two").out
    page = run("audit", "-p", "web-one", "--format", "html").out
    assert len(json.loads(page.partition('"trend":')[2].partition("}\n</script>")[0])) == 4


@pytest.mark.parametrize("fault", ["file", "full"])
def test_a_folder_that_takes_no_report_costs_a_warning(
    old: None, audit: Audit, here: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "file":
        (here / "reports").write_text("a file")
    else:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
    done = audit("-p", "web-one", "--keep", "reports")
    assert (done.code, len(done.report["findings"])) == (0, 1)
    assert "the report was not kept: " in done.run.err
    assert kept(here) == []


def test_a_damaged_report_is_said_and_the_others_are_listed(old: None, run: Run, audit: Audit, here: Path) -> None:
    for _ in range(2):
        audit("-p", "web-one", "--keep", "reports")
    kept(here)[0].write_bytes(b"\x1f\x8bnonsense")
    done = run("audit", "history", "--keep", "reports", "--format", "json")
    assert len(done.json) == 1
    assert "cannot be used" in done.err


def test_a_key_string_in_a_name_is_not_kept(organization: Any, audit: Audit, here: Path) -> None:
    string = "AIzaSy" + "Q4" * 16 + "x"
    organization(project("web-one", key("old", GEMINI, age=200, lastUsed=ago(1), displayName=string)))
    audit("-p", "web-one", "--keep", "reports")
    [file] = kept(here)
    assert string not in gzip.decompress(file.read_bytes()).decode()


@pytest.fixture
def two(organization: Any, run: Run, here: Path) -> tuple[str, str]:
    """Two reports: a key that went, one that came, one that became worse, one that stays, one not checked any more."""
    organization(
        project("web-one", key("old", GEMINI, age=200, lastUsed=ago(1)), key("stays", GEMINI, age=200, lastUsed=ago(1))),
        project("web-two", key("gone", GEMINI, age=200, lastUsed=ago(1), project="web-two")),
    )
    run("audit", "--projects", "web-one,web-two", "--output", "a.json")
    before = json.loads((here / "a.json").read_text())
    for each in before["findings"]:
        if each["key"].endswith("/old"):
            each["severity"] = "low"
    before["findings"].append(before["findings"][0] | {"key": "projects/1/locations/global/keys/away", "project": "web-one"})
    (here / "a.json").write_text(json.dumps(before))
    after = before | {"findings": [each for each in before["findings"] if each["project"] == "web-one"][:2]}
    after["findings"][0] = after["findings"][0] | {"severity": "medium", "keyName": "renamed"}
    after["findings"].append(
        after["findings"][0] | {"key": "projects/1/locations/global/keys/come", "keyName": "come", "severity": "high"}
    )
    after["errors"] = [{"project": "web-two", "cause": "unknown", "message": "x"}]
    (here / "b.json").write_text(json.dumps(after))
    return "a.json", "b.json"


def test_two_reports_side_by_side(two: tuple[str, str], run: Run) -> None:
    done = run("audit", "diff", *two, "--format", "json")
    assert done.code == 0
    assert done.json["schemaVersion"] == 1
    assert done.json["summary"] == {"new": 1, "worse": 1, "changed": 0, "gone": 1, "unknown": 1}
    names = {kind: [each["key"].rpartition("/")[2] for each in found] for kind, found in done.json["changes"].items()}
    assert names == {"new": ["come"], "worse": ["old"], "changed": [], "gone": ["away"], "unknown": ["gone"]}
    assert done.json["changes"]["worse"][0]["change"] == "low before"


@pytest.mark.parametrize("form", ["table", "markdown", "html", "csv", "jsonl", "yaml"])
def test_the_difference_in_every_format(two: tuple[str, str], run: Run, form: str) -> None:
    done = run("audit", "diff", *two, "--format", form)
    assert done.code == 0
    assert "come" in done.out
    assert ("New (1)" in done.out) is (form in ("table", "markdown", "html"))
    if form == "html":
        assert "<script" not in done.out
        assert "Content-Security-Policy" in done.out


def test_what_a_report_could_not_find_is_said_beside_what_is_new(two: tuple[str, str], run: Run, here: Path) -> None:
    report = json.loads((here / "b.json").read_text())
    for finding in report["findings"]:
        finding["fix"] = f"elsewhere/{finding['fix']} --sandbox"
    report["findings"].append(report["findings"][0] | {"rule": "api-off", "project": "web-two"})
    (here / "c.json").write_text(json.dumps(report))
    assert run("audit", "diff", "b.json", "c.json", "--format", "json").json["changes"]["new"][0]["change"] == (
        "the project could not be checked before"
    )
    for finding in report["findings"]:
        finding["project"] = "web-one"
    (here / "c.json").write_text(json.dumps(report))
    before = json.loads((here / "b.json").read_text())
    before["summary"]["byRule"].pop("api-off", None)
    (here / "b.json").write_text(json.dumps(before))
    found = run("audit", "diff", "b.json", "c.json", "--format", "json").json
    assert found["summary"] == {"new": 1, "worse": 0, "changed": 0, "gone": 0, "unknown": 0}
    assert found["changes"]["new"][0]["change"] == "the rule was not applied before"


def test_reports_that_do_not_fit_are_said(two: tuple[str, str], run: Run, here: Path) -> None:
    report = json.loads((here / "a.json").read_text())
    report["scan"] |= {"scope": "folders/7", "time": "2040-01-01T00:00:00Z"}
    (here / "c.json").write_text(json.dumps(report))
    done = run("audit", "diff", "c.json", "b.json")
    assert "the reports are of different scopes: folders/7; web-one, web-two" in done.err
    assert "c.json is the younger report" in done.err
    assert run("audit", "diff", "a.json", "none.json").code == 2
