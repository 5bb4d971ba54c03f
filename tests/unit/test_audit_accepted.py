"""Accepted findings as they are written in a file: which hold, and what is said of the others, with the line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyadmin.audit.accepted import Acceptances, read_accepted
from keyadmin.model.problem import Problem

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
NAME = "projects/123/locations/global/keys/map"
GOOD = '[[audit.accept]]\nrule = "standard-key"\nkey = "map"\nproject = "web-one"\nreason = "kiosk"\nuntil = 2027-01-31\n'


def read(tmp_path: Path, text: str, *, found: bool = False) -> Acceptances:
    path = tmp_path / "keyadmin.toml"
    path.write_text(text)
    return read_accepted(path, NOW, found=found)


def test_an_entry_is_read_with_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, f"# ours\n\n{GOOD}")
    (entry,) = found.entries
    assert (entry.rule, entry.reason, entry.line, found.warnings) == ("standard-key", "kiosk", 3, [])
    assert entry.to_json() == {"reason": "kiosk", "until": "2027-01-31"}


@pytest.mark.parametrize("key", ["map", NAME, "projects/web-one/locations/global/keys/map"])
def test_a_key_by_its_id_or_its_full_name(tmp_path: Path, key: str) -> None:
    found = read(tmp_path, GOOD.replace('"map"', f'"{key}"'))
    assert found.of("standard-key", {"web-one", "123"}, NAME) is not None
    assert found.of("key-too-old", {"web-one", "123"}, NAME) is None
    assert found.of("standard-key", {"web-two", "456"}, NAME.replace("123", "456")) is None
    assert found.of("standard-key", {"web-one", "123"}, f"{NAME}2") is None


def test_an_entry_of_a_project_covers_all_its_findings_of_the_rule(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD.replace('key = "map"\n', "").replace("web-one", "123"))
    assert found.of("standard-key", {"web-one", "123"}, NAME) is not None
    assert found.of("standard-key", {"web-one", "123"}, "") is not None
    assert found.of("standard-key", {"web-two"}, "") is None


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("2027-01-31", "2026-11-28"), 6, "which is over: the finding is back (standard-key, key map of project web-one)"),
        (("standard-key", "standard-kee"), 2, "there is no rule 'standard-kee'"),
        (('reason = "kiosk"\n', ""), 1, "an accepted finding needs reason"),
        (("until = 2027-01-31\n", ""), 1, "an accepted finding needs until"),
        (("2027-01-31", '"soon"'), 6, "until is not a day"),
        (('"kiosk"', "7"), 5, "reason is not a text"),
        (('"kiosk"', '" "'), 5, "reason is not a text"),
        (("owner", "owner"), None, ""),
        (('key = "map"', 'keys = "map"'), 3, "unknown setting 'keys'"),
        (('key = "map"\nproject = "web-one"\n', ""), 1, "needs a key or a project"),
        (('"web-one"', '"Web One"'), 4, "neither a project's id nor its number"),
    ],
)
def test_what_does_not_hold_is_said_with_its_line(tmp_path: Path, change: tuple[str, str], line: int | None, said: str) -> None:
    found = read(tmp_path, GOOD.replace(*change))
    if line is None:
        assert (len(found.entries), found.warnings) == (1, [])
        return
    (warning,) = found.warnings
    assert f"keyadmin.toml, line {line}: " in warning
    assert said in warning
    assert found.entries == ()


def test_the_last_day_counts(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD.replace("2027-01-31", "2026-11-29")).entries


def test_of_two_entries_for_one_thing_the_first_counts(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD + "\n" + GOOD.replace("kiosk", "again"))
    assert [entry.reason for entry in found.entries] == ["kiosk"]
    assert "line 8: standard-key of key map of project web-one is accepted on line 1 already" in found.warnings[0]


def test_an_entry_without_a_finding_is_said_only_where_it_was_looked_for(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    everywhere = {"web-one", "123"}
    assert "line 1: nothing is found there any more" in next(found.unused(["standard-key"], everywhere))
    assert list(found.unused(["key-too-old"], everywhere)) == []
    assert list(found.unused(["standard-key"], {"web-two"})) == []
    assert list(found.unused(["standard-key"], None)) == []
    found.of("standard-key", everywhere, NAME)
    assert list(found.unused(["standard-key"], everywhere)) == []


@pytest.mark.parametrize(
    "text", ["audit = 7", "[audit]\naccept = 7", "[audit]\naccept = [7]", '[audit]\naccept = "standard-key"']
)
def test_another_form_is_said(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert "write each accepted finding below [[audit.accept]]" in found.warnings[0]


def test_an_inline_list_is_read_too(tmp_path: Path) -> None:
    found = read(tmp_path, '[audit]\naccept = [{ rule = "standard-key", project = "a-b", reason = "x", until = "2027-01-31" }]')
    assert found.entries[0].until is not None
    assert found.warnings == []


def test_a_found_file_that_is_no_toml_accepts_nothing_and_a_named_one_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, "rule = [", found=True)
    assert (found.entries, "line 1" in found.warnings[0]) == ((), True)
    with pytest.raises(Problem, match="line 1: invalid TOML"):
        read(tmp_path, "rule = [")


def test_of_a_policy_of_another_version_nothing_counts_as_accepted(tmp_path: Path) -> None:
    assert len(read(tmp_path, f"schema-version = 1\n{GOOD}").entries) == len(read(tmp_path, GOOD).entries)
    found = read(tmp_path, f"schema-version = 2\n{GOOD}", found=True)
    assert (found.entries, "schema-version 2 is unknown" in found.warnings[0]) == ((), True)
    with pytest.raises(Problem, match="schema-version 2 is unknown"):
        read(tmp_path, f"schema-version = 2\n{GOOD}")


def test_a_found_file_that_others_may_write_accepts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keyadmin.toml"
    path.write_text(GOOD)
    path.chmod(0o666)
    found = read_accepted(path, NOW, found=True)
    assert found.entries == ()
    assert "no finding counts as accepted" in found.warnings[0]
    assert "everybody may write it" in found.warnings[0]


def test_a_file_without_the_table_accepts_nothing_in_silence(tmp_path: Path) -> None:
    found = read(tmp_path, '[[rule]]\nprojects = ["x"]\n')
    assert (found.entries, found.warnings) == ((), [])
