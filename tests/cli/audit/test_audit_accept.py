"""`audit accept`: the entry that is written, the file that stays as it is beside it, and wrong words."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .conftest import GEMINI, key, project

Run = Callable[..., Any]
WORDS = ("--reason", "kiosk", "--until", "2099-12-31")
FULL = "projects/123/locations/global/keys/map"
POLICY = """\
#:schema ./keyadmin.schema.json
# What we rotate. Ask Ann.
[[rule]]   # the shop
projects = ["demo-project"]
sinks    = []   # they take it themselves
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own to type in."""
    folder = tmp_path / "work"
    folder.mkdir(mode=0o755)
    monkeypatch.chdir(folder)
    return folder


def accepted(file: Path) -> list[dict[str, Any]]:
    return list(tomllib.loads(file.read_text())["audit"]["accept"])


def test_a_key_by_its_display_name_is_written_by_its_full_name(organization: Any, run: Run, here: Path) -> None:
    organization(project("web-one", key("open", GEMINI), projectNumber="770000000001"))
    done = run("audit", "accept", "the open key", "-p", "web-one", "--rule", "no-client-restriction", *WORDS, "--owner", "shop")
    assert done.code == 0, done.err
    assert "Accepted in keyadmin.toml, until 2099-12-31: no-client-restriction of key projects/770000000001/" in done.err
    (entry,) = accepted(here / "keyadmin.toml")
    until = entry.pop("until")
    assert until.isoformat() == "2099-12-31"
    name = "projects/770000000001/locations/global/keys/open"
    assert entry == {"rule": "no-client-restriction", "key": name, "reason": "kiosk", "owner": "shop"}


def test_a_full_name_needs_no_call(run: Run, served: Any, here: Path) -> None:
    done = run("audit", "accept", FULL, "--rule", "standard-key", "--rule", "key-too-old", *WORDS, "--format", "json")
    assert done.code == 0, done.err
    assert [each["rule"] for each in done.json["accepted"]] == ["standard-key", "key-too-old"]
    assert [each["key"] for each in accepted(here / "keyadmin.toml")] == [FULL, FULL]
    assert served.methods("owner@example.com") == []


def test_comments_and_the_rest_of_the_file_survive(run: Run, here: Path) -> None:
    file = here / "keyadmin.toml"
    file.write_text(POLICY)
    file.chmod(0o640)
    assert run("audit", "accept", FULL, "--rule", "standard-key", *WORDS).code == 0
    assert file.read_text().startswith(POLICY)
    assert file.stat().st_mode & 0o777 == 0o640
    text = file.read_text().replace('reason = "kiosk"', 'reason = "kiosk"  # says Bob')
    file.write_text(text)
    done = run("audit", "accept", FULL, "--rule", "standard-key", "--reason", "kiosk again", "--until", "2098-01-01")
    assert "Changed in keyadmin.toml, until 2098-01-01" in done.err
    assert file.read_text() == text.replace('"kiosk"', '"kiosk again"').replace("2099-12-31", "2098-01-01")
    assert run("rotation", "plan").code == 0, "a policy with accepted findings is still a policy"


def test_an_inline_list_and_a_duration(run: Run, here: Path) -> None:
    file = here / "mine.toml"
    file.write_text(
        '[audit]\naccept = [\n  # old\n  { rule = "key-too-old", key = "a", reason = "x", until = 2099-01-01 },\n]\n'
    )
    done = run("audit", "accept", FULL, "--rule", "standard-key", "--reason", "x", "--until", "90d", "--policy", "mine.toml")
    assert done.code == 0, done.err
    assert "# old" in file.read_text()
    entries = accepted(file)
    assert len(entries) == 2
    assert entries[1]["until"] == (datetime.now(UTC) + timedelta(days=90)).date()


def test_a_projects_own_finding(run: Run, here: Path) -> None:
    assert run("audit", "accept", "-p", "web-one", "--rule", "too-many-keys", *WORDS).code == 0
    (entry,) = accepted(here / "keyadmin.toml")
    assert (entry["project"], "key" in entry) == ("web-one", False)


def test_a_dry_run_says_it_and_writes_nothing(run: Run, here: Path) -> None:
    done = run("audit", "accept", FULL, "--rule", "standard-key", *WORDS, "--dry-run", "--format", "json")
    assert (done.code, done.json["dryRun"]) == (0, True)
    assert "would add an entry in keyadmin.toml" in done.err
    assert os.listdir(here) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((FULL, "--rule", "everything", *WORDS), "there is no rule 'everything'"),
        ((FULL, "--rule", "standard-key", "--reason", "x", "--until", "2020-01-01"), "2020-01-01 is over"),
        ((FULL, "--rule", "standard-key", "--reason", "x", "--until", "soon"), "neither a day nor a duration"),
        ((FULL, "--rule", "standard-key", "--reason", " ", "--until", "9d"), "--reason is empty"),
        ((FULL, *WORDS), "Missing option '--rule'"),
        (("--rule", "too-many-keys", *WORDS), "a key is missing"),
        (("projects/x/keys/y", "--rule", "standard-key", *WORDS), "is not a key's full name"),
    ],
)
def test_wrong_words_write_nothing(run: Run, here: Path, words: tuple[str, ...], said: str) -> None:
    done = run("audit", "accept", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert os.listdir(here) == []


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("rule = [", 0o644, "is not TOML"),
        ("audit = 7\n", 0o644, "cannot be edited"),
        ("x = 1\n", 0o666, "everybody may write it"),
    ],
)
def test_a_file_that_cannot_be_used_is_left_alone(run: Run, here: Path, text: str, mode: int, said: str) -> None:
    file = here / "keyadmin.toml"
    file.write_text(text)
    file.chmod(mode)
    done = run("audit", "accept", FULL, "--rule", "standard-key", *WORDS)
    assert done.code == 2, done.err
    assert said in done.err
    assert file.read_text() == text


def test_options_of_audits_before_the_subcommand_are_not_dropped(run: Run, here: Path) -> None:
    done = run("audit", "--folder", "1", "accept", FULL, "--rule", "standard-key", *WORDS)
    assert done.code == 2
    assert "--folder must not come before 'accept': write the options of a subcommand after its name" in done.err
    assert run("--format", "json", "audit", "--sandbox", "accept", FULL, "--rule", "standard-key", *WORDS).code == 0
