"""Each format of the report, to stdout and into files; what others wrote in display names stays text."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from keyadmin.audit.rules import chosen, rules
from keyadmin.model.secret import PATTERN

from .conftest import GEMINI, MAPS, OWNER, Audited, ago, key, project

Audit = Callable[..., Audited]
SCHEMA = json.loads((Path(__file__).parents[2] / "data" / "sarif-2.1.0.json").read_text("utf-8"))
NASTY = "</td><script>alert(1)</script> [x](http://evil.example) `{0}`"
FORMATS = ("table", "json", "jsonl", "csv", "yaml", "markdown", "sarif", "html")


@pytest.fixture
def filled(organization: Any) -> None:
    """One finding of each severity, an error, and names that would do harm."""
    organization(
        project("web-one", key("open", displayName=NASTY), key("old", GEMINI, age=200, displayName="=1+1", lastUsed=ago(1))),
        project("web-two", key("maps", MAPS, project="web-two", displayName="line\u2028break\u202e\x1b[31m")),
        project("denied-one", iam={"roles/browser": [OWNER]}),
    )


@pytest.fixture
def shown(filled: None, run: Callable[..., Any]) -> Callable[..., Any]:
    """`shown("csv")`: the audit of the organisation in a format."""
    return lambda form, *words: run(
        "audit", "--organization", "77", "--inventory", "api", "--keep", "none", "--format", form, *words
    )


@pytest.mark.parametrize("form", FORMATS)
def test_no_key_string_and_no_control_character_in_any(shown: Callable[..., Any], form: str) -> None:
    done = shown(form, "--verbose")
    assert done.code == 3
    assert "open" in done.out
    assert not PATTERN.search(done.out + done.err)
    if form == "csv":
        return  # into a file or a program its values go as they are
    for sign in ("\x1b", "\u202e", "\u2028"):
        assert sign not in done.out


def test_for_people_the_counts_then_the_worst_keys_with_what_to_type(shown: Callable[..., Any]) -> None:
    lines = shown("table").out.splitlines()
    assert lines[:2] == ["3 projects, 3 keys: 3 findings", "1 high  1 medium  1 info  1 project not checked"]
    assert lines[2].startswith("Rules     gemini-exposed-key 1, key-too-old 1, undisplayable-key 1")
    place = lines.index("3 keys")
    assert lines[place + 1].split()[:2] == ["HIGH", "web-one"]
    assert "gemini-exposed-key" in lines[place + 1]
    assert lines[place + 2].strip() == "keyadmin keys restrict open -p web-one --api-target SERVICE"
    assert lines[-2] == "Not checked: 1 project. What is in them is unknown."
    assert lines[-1].startswith("  denied-one (missing-iam-permission): ")


def test_colours_are_for_terminals(shown: Callable[..., Any], run: Callable[..., Any]) -> None:
    assert "\x1b[31m" in run("audit", "--projects", "web-one", terminal=True).out
    assert "\x1b" not in run("audit", "--projects", "web-one", "--no-color", terminal=True).out


def test_of_many_keys_the_worst_twenty_and_the_way_to_all(organization: Any, run: Callable[..., Any]) -> None:
    organization(project("web-one", *(key(f"k{number}", GEMINI, age=200) for number in range(30))))
    words = ("--projects", "web-one", "--rule", "key-too-old", "--min-severity", "low", "--max-age", "100d", "--limit", "20")
    short = run("audit", *words).out
    assert short.count("MEDIUM") == 20
    command = next(line for line in short.splitlines() if "The worst 20 of 30 keys" in line).partition("all of them: ")[2]
    assert command == "keyadmin audit --projects web-one --rule key-too-old --max-age 100d --min-severity low --all"
    assert run(*command.split()[1:]).out.count("MEDIUM") == 30


def test_the_summary_is_talk(shown: Callable[..., Any]) -> None:
    summary = "3 projects, 3 keys, 3 findings (1 high, 1 medium, 1 info), 1 error."
    done = shown("json")
    assert summary in done.err
    assert summary not in shown("json", "--quiet").err
    assert "denied-one could not be checked" in shown("csv", "--quiet").err


def test_nothing_found_is_a_report_too(organization: Any, run: Callable[..., Any]) -> None:
    organization(project("web-one", key("good", GEMINI)))

    def out(form: str) -> str:
        done = run("audit", "--projects", "web-one", "--format", form)
        assert done.code == 0
        return str(done.out)

    first, known, *_, last = out("table").splitlines()
    assert first == "1 project, 1 key: 0 findings"
    assert known.startswith("Known     keys as of 20")
    assert last.startswith("Nothing found as of 20")
    assert json.loads(out("json"))["findings"] == []
    assert out("jsonl") == ""
    assert len(out("csv").splitlines()) == 1
    assert "1 project, 1 key, 0 findings" in out("markdown")
    assert json.loads(out("sarif"))["runs"][0]["results"] == []
    assert "<p>Nothing found as of 20" in out("html")


def test_json_lines_and_yaml_are_the_same_findings(shown: Callable[..., Any]) -> None:
    whole = shown("json").json
    lines = [json.loads(line) for line in shown("jsonl").out.splitlines()]  # in the order of arrival
    assert sorted(lines, key=str) == sorted(whole["findings"], key=str)
    other = yaml.safe_load(shown("yaml").out)
    assert (other["findings"], other["errors"], other["summary"]) == (whole["findings"], whole["errors"], whole["summary"])


def test_csv_is_no_formula(shown: Callable[..., Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(shown("csv").out)))
    assert {row["rule"] for row in rows} == {"gemini-exposed-key", "key-too-old", "undisplayable-key"}
    assert {row["keyName"] for row in rows} >= {NASTY, "'=1+1"}
    assert all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


def test_markdown_is_no_markup_of_others(shown: Callable[..., Any]) -> None:
    text = shown("markdown").out
    assert text.startswith("# API key audit\n")
    assert "<script>" not in text
    assert "[x](" not in text
    assert "- denied-one (missing-iam-permission)" in text


@pytest.fixture
def sarif(shown: Callable[..., Any]) -> Any:
    return shown("sarif").json


def test_sarif_is_valid_by_the_standards_schema(sarif: Any) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(sarif)
    sarif["runs"][0]["results"][0]["nonsense"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(sarif)


def test_sarif_carries_every_rule_with_help_and_severity(sarif: Any) -> None:
    driver = sarif["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in chosen(None)]
    for rule in driver["rules"]:
        assert rule["help"]["markdown"]
        assert rule["helpUri"].startswith("https://")
        score = rule["properties"].get("security-severity")
        wanted = {"high": (7.0, 8.9), "medium": (4.0, 6.9), "low": (0.1, 3.9)}.get(rules()[rule["id"]].severity.word)
        assert (score is None) == (wanted is None)
        assert ("security" in rule["properties"]["tags"]) == (wanted is not None)
        assert score is None or wanted is None or wanted[0] <= float(score) <= wanted[1]


def test_sarif_results(sarif: Any) -> None:
    run = sarif["runs"][0]
    by_rule = {result["ruleId"]: result for result in run["results"]}
    assert {rule: result["level"] for rule, result in by_rule.items()} == {
        "gemini-exposed-key": "error",
        "key-too-old": "warning",
        "undisplayable-key": "note",
    }
    for rule, result in by_rule.items():
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == rule
        [location] = result["locations"]
        place = location["physicalLocation"]["artifactLocation"]
        # Code scanning refuses a scheme; the base says that these are no files.
        assert not place["uri"].startswith(("/", "http", "file"))
        assert ":" not in place["uri"]
        assert "not files" in run["originalUriBaseIds"][place["uriBaseId"]]["description"]["text"]
        [logical] = location["logicalLocations"]
        assert logical["fullyQualifiedName"] == f"//{place['uri']}"
        assert not set("[]{}") & set(result["message"]["text"])  # links and placeholders of a message
    [notification] = run["invocations"][0]["toolExecutionNotifications"]
    assert "denied-one" in notification["message"]["text"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_fingerprints_stay_with_the_key_and_the_rule(shown: Callable[..., Any], run: Callable[..., Any], served: Any) -> None:
    def marks() -> dict[str, str]:
        results = shown("sarif").json["runs"][0]["results"]
        return {result["ruleId"]: result["partialFingerprints"]["primaryLocationLineHash"] for result in results}

    before = marks()
    assert len(set(before.values())) == len(before) == 3
    assert run("keys", "rename", "old", "another name", "-p", "web-one").code == 0
    served.control("clock", {"advance": "9d"})
    after = marks()
    assert {rule: after[rule] for rule in before} == before


class Reader(HTMLParser):
    """Tags, and what lies in table cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_html_is_one_file_that_loads_nothing_and_runs_nothing_of_others(shown: Callable[..., Any]) -> None:
    page = shown("html").out
    tags = Reader(page).tags
    names = [tag for tag, _ in tags]
    assert names.count("script") == 2  # what the page knows, as JSON, and what shows it
    assert not {"img", "iframe", "object", "embed", "form", "base"} & set(names)
    assert [attributes["rel"] for tag, attributes in tags if tag == "link"] == ["icon"]
    assert not any("src" in attributes for _, attributes in tags)
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    policy = next(attributes["content"] for _, attributes in tags if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert NASTY not in page
    assert NASTY in unescape(page)
    links = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert all(link is not None and link.startswith(("#", "https://")) for link in links)
    assert not any(link is not None and "evil" in link for link in links)


def test_html_is_built_for_readers(shown: Callable[..., Any]) -> None:
    page = shown("html").out
    tags = Reader(page).tags
    assert ("html", {"lang": "en"}) in tags
    assert [tag for tag, _ in tags if tag in ("h1", "h2", "main", "caption")].count("h1") == 1
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")
    identities = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert all(attributes["href"][1:] in identities for tag, attributes in tags if tag == "a" and attributes["href"][0] == "#")  # type: ignore[index]
    for text in (
        "denied-one",
        "missing-iam-permission",
        "keyadmin keys restrict open",
        "sandbox",
        rules()["key-too-old"].title,
    ):
        assert text in page
    for style in ("color-scheme: light dark", "@media print", "focus-visible"):
        assert style in page


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("r.json", "json"),
        ("r.sarif", "sarif"),
        ("r.sarif.json", "sarif"),
        ("R.HTML", "html"),
        ("r.csv", "csv"),
        ("r.md", "markdown"),
        ("r.yml", "yaml"),
        ("r.jsonl", "jsonl"),
        ("r.txt", "table"),
        ("report", "table"),
    ],
)
def test_a_file_gets_the_format_of_its_ending_and_stdout_nothing(
    shown: Callable[..., Any], run: Callable[..., Any], tmp_path: Path, name: str, form: str
) -> None:
    file = tmp_path / name
    words = ("audit", "--organization", "77", "--inventory", "api", "--keep", "none", "--output", str(file))
    done = run(*words, terminal=True)
    assert (done.code, done.out) == (3, "")
    assert "3 findings" in done.err
    written = file.read_text("utf-8")
    assert "\x1b[" not in written.replace("\x1b[31m", "", 1) if form == "csv" else "\x1b" not in written
    plain = shown(form).out
    if form == "json":
        assert json.loads(written)["findings"] == json.loads(plain)["findings"]
    elif form == "jsonl":  # on stdout in the order of arrival
        assert sorted(written.splitlines()) == sorted(plain.splitlines())
    elif form not in ("yaml", "sarif", "html"):  # those hold the time
        assert written == plain
    else:
        assert len(written) == len(plain)


def test_what_is_typed_wins_over_the_ending_and_the_ending_over_the_variable(
    filled: None, run: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "r.json"
    run("audit", "--projects", "web-one", "--output", str(file), "--format", "csv")
    assert file.read_text("utf-8").startswith("rule,severity")
    run("audit", "--projects", "web-one", "--output", str(file), env={"KEYADMIN_FORMAT": "csv"})
    assert json.loads(file.read_text("utf-8"))["findings"]
    run("audit", "--projects", "web-one", "--output", str(tmp_path / "r.report"), env={"KEYADMIN_FORMAT": "csv"})
    assert (tmp_path / "r.report").read_text("utf-8").startswith("rule,severity")


def test_an_ending_that_tells_no_format_is_wrong_usage_before_any_call(run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("audit", "--projects", "web-one", "--output", str(tmp_path / "r.doc"))
    assert done.code == 2
    assert "no format has the extension .doc" in done.err
    assert list(tmp_path.glob("r.*")) == []


def test_a_dash_is_stdout(filled: None, run: Callable[..., Any]) -> None:
    assert run("audit", "--projects", "web-one", "--output", "-", "--format", "json").json["findings"]


def test_a_report_is_its_owners_alone_and_replaced_in_one_step(filled: None, run: Callable[..., Any], tmp_path: Path) -> None:
    file, link = tmp_path / "r.json", tmp_path / "link.json"
    file.write_text("old")
    link.symlink_to(file)
    inode = file.stat().st_ino
    run("audit", "--projects", "web-one", "--output", str(link))
    assert json.loads(file.read_text("utf-8"))["findings"]
    assert link.is_symlink()
    assert file.stat().st_ino != inode
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".json") == ["link.json", "r.json"]


def test_a_device_is_written_and_not_replaced(filled: None, run: Callable[..., Any], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-c", f"print(open({str(pipe)!r}).read())"], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert run("audit", "--projects", "web-one", "--output", str(pipe)).code == 3
        out, _ = reader.communicate(timeout=60)
    assert json.loads(out)["findings"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_full_disk_is_told_and_what_was_there_stays(filled: None, run: Callable[..., Any]) -> None:
    done = run("audit", "--projects", "web-one", "--output", "/dev/full", "--format", "json")
    assert done.code == 1
    assert "cannot be written" in done.error["message"]
    assert "Traceback" not in done.err


def test_a_folder_that_may_not_be_written_is_said_before_the_audit(
    filled: None, run: Callable[..., Any], served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("audit", "--output", str(tmp_path)).code == 2
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    done = run("audit", "--output", str(tmp_path / "r.json"))
    assert done.code == 2
    assert "may not be written" in done.err
    assert served.methods("owner@example.com") == []


def test_a_folder_that_goes_meanwhile_is_told(filled: None, run: Callable[..., Any], tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    from keyadmin.cli.audit import show

    real = show._print

    def gone(*arguments: Any) -> None:
        real(*arguments)
        folder.rmdir()

    monkeypatch.setattr(show, "_print", gone)
    done = run("audit", "--projects", "web-one", "--output", str(folder / "r.json"))
    assert done.code == 1
    assert "cannot be written" in done.err


def test_completion_knows_rules_formats_and_choices(cli: Callable[..., Any]) -> None:
    def offered(*words: str) -> str:
        line = " ".join(("keyadmin", "audit", *words))
        env = {"_KEYADMIN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(1 + len(words))}
        return str(cli(env=env).out)

    assert "gemini-exposed-key" in offered("--rule", "gem")
    assert offered("--fail-on", "h").split() == ["high"]
    assert offered("--inventory", "a").split() == ["auto", "api", "asset"]
    assert "sarif" in offered("--format", "s")


def test_a_very_long_report_is_the_same_document(organization: Any, served: Any, run: Callable[..., Any]) -> None:
    """Of long lists each element is a line: indented, they would take several times as long to write."""
    organization()
    served.seed(fleet={"projects": 150, "keysPerProject": 5, "parent": "organizations/77"})
    words = ("audit", "--organization", "77", "--inventory", "asset")
    whole = run(*words, "--format", "json")
    assert len(whole.json["findings"]) > 1000
    streamed = [json.loads(line) for line in run(*words, "--format", "jsonl").out.splitlines()]
    by_content: Callable[[Any], str] = lambda each: json.dumps(each, sort_keys=True)  # noqa: E731
    assert sorted(streamed, key=by_content) == sorted(whole.json["findings"], key=by_content)
    lines = whole.out.splitlines()
    assert len(lines) < len(whole.json["findings"]) + 100
    assert json.loads(lines[lines.index('"findings": [') + 1].rstrip(",")) == whole.json["findings"][0]
