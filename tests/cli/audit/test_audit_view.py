"""What of an audit is shown: the worst keys, groups, a screen of 80 x 24; the counts and the exit code stay what they are."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import DEADLINE_S

from .conftest import GEMINI, OWNER, Audited, key, project

Run = Callable[..., Any]
Audit = Callable[..., Audited]
SCOPE = ("--organization", "77", "--inventory", "api", "--keep", "none")


@pytest.fixture
def fleet(organization: Any, served: Any) -> None:
    organization()
    served.seed(fleet={"projects": 6, "keysPerProject": 5, "parent": "organizations/77"})


def test_what_is_shown_changes_neither_counts_nor_code(fleet: None, audit: Audit) -> None:
    whole = audit(*SCOPE)
    for words in (
        ("--min-severity", "high"),
        ("--limit", "3"),
        ("--group-by", "rule"),
        ("--limit", "1", "--group-by", "project"),
    ):
        part = audit(*SCOPE, *words)
        assert (part.report["summary"], part.code) == (whole.report["summary"], whole.code), words
    assert audit(*SCOPE, "--min-severity", "high", "--fail-on", "low").code == 3


def test_only_findings_as_bad_as_asked_for(fleet: None, audit: Audit) -> None:
    found = audit(*SCOPE, "--min-severity", "medium").report
    shown = [each["severity"] for each in found["findings"]]
    assert set(shown) == {"high", "medium"}
    assert len(shown) == found["summary"]["bySeverity"]["high"] + found["summary"]["bySeverity"]["medium"]


def test_the_worst_keys_with_all_their_findings(fleet: None, audit: Audit) -> None:
    whole = audit(*SCOPE).report["findings"]
    worst = audit(*SCOPE, "--limit", "2").report["findings"]
    keys = {each["key"] for each in worst}
    assert len(keys) == 2
    plain = [{name: value for name, value in each.items() if name != "owner"} for each in worst]
    assert plain == [each for each in whole if each["key"] in keys]
    assert all("high" in {each["severity"] for each in worst if each["key"] == name} for name in keys)


@pytest.mark.parametrize("form", ["jsonl", "csv", "markdown", "sarif", "html", "yaml"])
def test_every_format_shows_what_was_asked_for(fleet: None, run: Run, audit: Audit, form: str) -> None:
    words = (*SCOPE, "--rule", "standard-key", "--limit", "2")
    done = run("audit", *words, "--format", form)
    number = len(audit(*words).report["findings"])
    counted = {
        "jsonl": lambda: len(done.out.splitlines()),
        "csv": lambda: len(list(csv.reader(io.StringIO(done.out)))) - 1,
        "markdown": lambda: done.out.count("| standard-key |"),
        "sarif": lambda: len(json.loads(done.out)["runs"][0]["results"]),
        "html": lambda: done.out.count('<a href="#standard-key">'),
        "yaml": lambda: done.out.count("rule: standard-key"),
    }
    assert counted[form]() == number == 2
    if form in ("markdown", "sarif", "yaml"):
        total = str(run("audit", *words[:-2], "--format", "json").json["summary"]["findings"])
        assert total in done.out
        assert total != "2"


def test_groups_are_the_worst_first(fleet: None, run: Run, audit: Audit) -> None:
    groups = audit(*SCOPE, "--group-by", "project").report["groups"]
    ranks = [tuple(each["bySeverity"].values()) for each in groups]
    assert ranks == sorted(ranks, reverse=True)
    assert len(groups) == 6
    assert sum(each["findings"] for each in groups) == len(audit(*SCOPE).report["findings"])
    lines = run("audit", *SCOPE, "--group-by", "rule", "--limit", "3").out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("RULE"))
    assert len(lines[place:]) == 5
    assert lines[-1].startswith("and ")
    assert lines[-1].endswith("--group-by rule --all")


def test_by_owner_in_words_and_numbers(fleet: None, run: Run, audit: Audit) -> None:
    [group] = audit(*SCOPE, "--group-by", "owner").report["groups"]
    assert group["name"] == "owner@example.com"
    assert "owner@example.com" in run("audit", *SCOPE, "--group-by", "owner").out


def test_a_table_in_a_file_and_all_of_it(fleet: None, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "r.txt"
    run("audit", *SCOPE, "--output", str(file))
    assert "The worst 20 of " in file.read_text("utf-8")
    run("audit", *SCOPE, "--output", str(file), "--all")
    assert "The worst" not in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--min-severity", "urgent"), "is not a severity"),
        (("--group-by", "colour"), "is not a grouping"),
        (("--all", "--limit", "3"), "--all and --limit do not go together"),
        (("--limit", "0"), "--limit is at least 1"),
        (("--baseline", "/no/such/file.json"), "/no/such/file.json cannot be used"),
        (("--policy", "/no/such/file.toml"), "there is no file /no/such/file.toml"),
    ],
)
def test_wrong_words_are_found_before_any_call(served: Any, audit: Audit, words: tuple[str, ...], said: str) -> None:
    done = audit(*words)
    assert (done.code, done.run.out) == (2, "")
    assert said in done.run.err
    assert served.methods("owner@example.com") == []


def test_wide_names_stand_in_line(organization: Any, run: Run) -> None:
    organization(project("web-one", key("wide", GEMINI, age=200, displayName="日本語の鍵"), key("thin", GEMINI, age=200)))
    rows = [line for line in run("audit", *SCOPE, "--rule", "key-too-old").out.splitlines() if line.startswith("MEDIUM")]
    thin = next(row for row in rows if "thin" in row)
    wide = next(row for row in rows if "日本語" in row)
    assert wide.index("key-too-old") == thin.index("key-too-old") - 5  # five signs that are two columns wide


pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX's")


def screen(env: dict[str, str], *words: str) -> tuple[str, int]:
    """What a terminal of 80 x 24 gets, and the exit code; `q` is typed where a pager waits."""
    import fcntl
    import struct
    import termios

    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "keyadmin", *words]
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=env, start_new_session=True)
    os.close(its)
    seen, deadline = "", time.monotonic() + DEADLINE_S
    try:
        while time.monotonic() < deadline:
            try:
                more = os.read(mine, 65_536).decode(errors="replace")
            except OSError:  # Linux's word for: everybody has closed the terminal
                break
            seen += more
            if not more:
                break
            if "(waits)" in seen and "left" not in seen:
                os.write(mine, b"q\n")
                seen += "left"
        return seen.replace("\r\n", "\n"), process.wait(DEADLINE_S)
    finally:
        os.close(mine)
        if process.poll() is None:
            process.kill()


@pytest.fixture
def pager(tmp_path: Path) -> str:
    """A pager that shows how it was called and what it got, and waits for `q`."""
    program = tmp_path / "a pager"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "text = sys.stdin.read().splitlines()\n"
        "print('(pager', *sys.argv[1:], len(text), 'lines)')\n"
        "print('\\n'.join(text))\n"
        "print('(waits)', flush=True)\n"
        "open('/dev/tty').readline() if '--hold' in sys.argv else None\n"
    )
    program.chmod(0o755)
    return str(program)


def test_a_fleet_of_a_thousand_projects_on_one_screen(home: dict[str, str], run: Run, served: Any, pager: str) -> None:
    """The counts, the rules and projects in the lead, the worst ten keys with why: 23 lines of 80 columns; the rest behind."""
    top = {"name": "organizations/78", "displayName": "fleet.example", "iam": {"roles/cloudasset.viewer": [OWNER]}}
    served.seed(
        organizations=[top],
        fleet={"projects": 1000, "keysPerProject": 5, "parent": "organizations/78"},
    )
    env = home | {"TERM": "xterm", "KEYADMIN_SANDBOX": served.rest, "PAGER": f"'{pager}' --hold -R", "NO_COLOR": "1"}
    del env["COLUMNS"]
    seen, code = screen(env, "audit", "--organization", "78", "--keep", "none")
    assert code == 3
    every = seen.partition("lines)\n")[2].partition("(waits)")[0].splitlines()
    assert max(map(len, every)) <= 80
    command = next(place for place, line in enumerate(every) if line.startswith("All of them: "))
    while every[command].endswith(" \\"):  # this Python's name is long
        every[command : command + 2] = [f"{every[command][:-1]}{every[command + 1].strip()}"]
    rows = itertools.accumulate(max(1, -(-len(line) // 80)) for line in every)
    shown = [line for line, row in zip(every, rows, strict=True) if row <= 23]
    behind = re.sub(r" \\\n +", " ", "\n".join(every[len(shown) :]))
    assert behind.count("keyadmin keys ") == 20, "what to type about each"
    assert "1000 projects, 5000 keys: " in shown[0]
    assert [word for word in shown[1].split() if word.isalpha()] == ["high", "medium", "low", "info"]
    assert any(line.startswith("Rules     ") for line in shown)
    assert any(line.startswith("Projects  fleet-000") for line in shown)
    assert any("The worst 20 of " in line for line in shown)
    assert any(line.startswith("All of them: ") and line.endswith("--organization 78 --all") for line in shown)
    first = next(place for place, line in enumerate(shown) if line.startswith(" 1  HIGH "))
    told = {line.partition("  ")[0] for line in shown[:first] if "  A " in line}  # what the rules mean
    keys = shown[first:]
    assert [line[:8] for line in keys] == [f"{number:>2}  HIGH" for number in range(1, len(keys) + 1)]
    assert len(keys) >= 10
    assert all(re.search(r" \+\d+$", line) for line in keys), "how many more findings each has"
    assert all("fleet-00" in line and "owner@ex" in line and line.split("  ")[-1].split()[0] in told for line in keys)
    assert not any(re.search("AIzaSANDBOX[0-9A-Za-z_-]", line) for line in shown), "a name that was cut short is masked too"
    assert seen.count("(pager --hold -R ") == 1
    assert "projects, 5000 keys, " in seen.rpartition("(waits)")[2], "what is said on stderr comes after the pager"


def test_a_narrow_terminal_breaks_no_command_and_drops_no_count(
    organization: Any, home: dict[str, str], served: Any, audit: Audit
) -> None:
    """Every line fits 80 columns; pasted into a shell each command is what JSON says."""
    long = "f1ee7000-0000-4000-8000-00000000000"
    keys = [key(f"{long}{number}", age=200, auth=False, displayName=f"old public key {number}") for number in range(3)]
    organization(project("a-project-of-thirty-characters", *keys, services=[GEMINI]), project("web-one", key("one", GEMINI)))
    env = home | {"TERM": "xterm", "KEYADMIN_SANDBOX": served.rest, "PAGER": "cat", "NO_COLOR": "1"}
    del env["COLUMNS"]
    for words in ((), ("--limit", "3"), ("--min-severity", "high", "--rule", "gemini-exposed-key")):
        seen, _ = screen(env, "audit", *SCOPE, *words)
        table = seen[re.search(r"\d projects, \d keys: ", seen).start() :]  # type: ignore[union-attr]
        table = table[: table.rindex(" projects, ")].rpartition("\n")[0]
        assert max(map(len, table.splitlines())) <= 80, table
        told = audit(*SCOPE, *words).report["findings"]
        typed = [shlex.split(line) for line in re.sub(r"\\\n +", "", table).splitlines() if "keyadmin keys " in line]
        about = {each["key"]: shlex.split(each["fix"]) for each in told}
        assert sorted(line[line.index("keyadmin") :] for line in typed) == sorted(about.values())
        counts = [sum(each["key"] == name for each in told) for name in about]
        rows = [line for line in table.splitlines() if re.search(r"(HIGH|MEDIUM|LOW|INFO)  ", line)]
        shown = [line.rpartition(" +")[2] if " +" in line else "0" for line in rows]
        rules = [line.split("  ")[-1].count(",") + 1 for line in rows]
        assert sorted(int(more) + named for more, named in zip(shown, rules, strict=True)) == sorted(counts), table
        assert ("+N: N more findings about the key" in table) == any(count > 1 for count in counts)


@pytest.mark.parametrize(
    ("variables", "words"),
    [({"PAGER": ""}, ()), ({"PAGER": "cat"}, ()), ({"PAGER": "no-such-pager"}, ()), ({"PAGER": "'"}, ()), ({}, ("--quiet",))],
    ids=["empty", "cat", "absent", "quote", "quiet"],
)
def test_no_pager_where_none_is_wanted(
    fleet: None, home: dict[str, str], served: Any, pager: str, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    env = home | {"TERM": "xterm", "KEYADMIN_SANDBOX": served.rest, "PAGER": f"'{pager}'"} | variables
    seen, code = screen(env, "audit", *SCOPE, *words)
    assert code == 3
    assert "(pager" not in seen
    assert "The worst 20 of " in seen


def test_what_fits_needs_no_pager(organization: Any, home: dict[str, str], served: Any, pager: str) -> None:
    organization(project("web-one", key("open")))
    seen, _ = screen(home | {"TERM": "xterm", "KEYADMIN_SANDBOX": served.rest, "PAGER": f"'{pager}'"}, "audit", *SCOPE)
    assert "(pager" not in seen
    assert "gemini-exposed-key" in seen
