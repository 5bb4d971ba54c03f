"""Data on stdout in six formats; talk on stderr; asking; progress."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import typer
import yaml

from keyadmin.cli import table
from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.console import Console
from keyadmin.cli.options import Yes
from keyadmin.cli.progress import TerminalObserver
from keyadmin.cli.render import Column, View, show_document, show_list, show_one
from keyadmin.cli.session import current
from keyadmin.cli.table import StyledText
from keyadmin.cli.text import display_width
from tests.waiting import until_async


@dataclass(frozen=True)
class Thing:
    name: str
    made: datetime | None = None
    on: bool = True


THINGS = [Thing("one", datetime(2026, 11, 23, 7, 5, 3, tzinfo=UTC)), Thing("two|2", None, False)]
VIEW = View[Thing](
    (
        Column("Name", lambda thing: thing.name, fold=True),
        Column("Made", lambda thing: thing.made),
        Column("On", lambda thing: thing.on, style=lambda thing: "green" if thing.on else "red"),
    ),
    lambda thing: {"name": thing.name, "on": thing.on},
    empty="No things here.",
)


def listing(things: list[Thing]) -> Any:
    def trial(context: typer.Context) -> None:
        show_list(current(context), things, VIEW)

    return trial


def test_a_table(cli, command) -> None:
    assert cli(command(listing(THINGS))).out == (
        "NAME   MADE              ON\none    2026-11-23 07:05  yes\ntwo|2                    no\n"
    )


def test_json_is_one_document_and_an_empty_list_is_brackets(cli, command) -> None:
    assert cli(command(listing(THINGS)), "--format", "json").json == [
        {"name": "one", "on": True},
        {"name": "two|2", "on": False},
    ]
    assert cli(command(listing([])), "--format", "json").out == "[]\n"


def test_jsonl_is_a_line_an_item(cli, command) -> None:
    lines = cli(command(listing(THINGS)), "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["one", "two|2"]
    assert cli(command(listing([])), "--format", "jsonl").out == ""


def test_csv_has_the_names_and_values_of_json(cli, command) -> None:
    rows = list(csv.reader(io.StringIO(cli(command(listing(THINGS)), "--format", "csv").out)))
    assert rows == [["name", "on"], ["one", "true"], ["two|2", "false"]]


def test_yaml_says_what_json_says(cli, command) -> None:
    assert yaml.safe_load(cli(command(listing(THINGS)), "--format", "yaml").out) == [
        {"name": "one", "on": True},
        {"name": "two|2", "on": False},
    ]


def test_markdown_escapes_what_would_break_its_table(cli, command) -> None:
    lines = cli(command(listing(THINGS)), "--format", "markdown").out.splitlines()
    assert lines[:2] == ["| Name | Made | On |", "| --- | --- | --- |"]
    assert lines[3] == "| two\\|2 |  | no |"


def test_an_empty_table_is_a_note_and_no_data(cli, command) -> None:
    done = cli(command(listing([])))
    assert (done.code, done.out, done.err) == (0, "", "No things here.\n")
    assert cli(command(listing([])), "--quiet").err == ""


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "yaml", "json", "jsonl"])
def test_terminal_controls_in_names_are_neutralised(cli, command, form: str) -> None:
    evil = "a\x1b[2Jb\x9b31mc\u202ed\u2028e"
    done = cli(command(listing([Thing(evil)])), "--format", form, terminal=True)
    for character in "\x1b\x9b\u202e\u2028":
        assert character not in done.out.replace("\x1b[1m", "").replace("\x1b[32m", "").replace("\x1b[0m", "")
    if form in ("json", "jsonl"):
        assert (done.json if form == "jsonl" else done.json[0])["name"] == evil
    if form == "yaml":
        assert yaml.safe_load(done.out)[0]["name"] == evil


def test_csv_into_a_file_is_untouched(cli, command) -> None:
    assert "a\x1b[2Jb" in cli(command(listing([Thing("a\x1b[2Jb")])), "--format", "csv").out


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_csv_is_no_formula(cli, command, name: str) -> None:
    rows = list(csv.reader(io.StringIO(cli(command(listing([Thing(name)])), "--format", "csv").out, newline="")))
    assert rows[1][0] == f"'{name}"


def test_one_thing(cli, command) -> None:
    def trial(context: typer.Context) -> None:
        show_one(current(context), THINGS[0], VIEW)

    name = command(trial)
    assert cli(name).out == "Name  one\nMade  2026-11-23 07:05\nOn    yes\n"
    assert cli(name, "--format", "json").json == {"name": "one", "on": True}
    assert cli(name, "--format", "yaml").out == "name: one\n'on': true\n"
    assert cli(name, "--format", "csv").out.splitlines()[1].startswith("one,")


def test_a_report_is_text_for_people_and_data_for_programs(cli, command) -> None:
    def trial(context: typer.Context) -> None:
        show_document(current(context), {"a": "b"}, "line one\n\x1bline two\n")

    assert cli(command(trial)).out == "line one\n\\x1bline two\n"
    assert cli(command(trial), "--format", "json").json == {"a": "b"}


def test_colour_only_on_a_terminal_and_never_against_the_persons_wish(cli, command) -> None:
    name = command(listing(THINGS))
    assert "\x1b[32myes\x1b[0m" in cli(name, terminal=True).out
    assert "\x1b" not in cli(name).out
    assert "\x1b" not in cli(name, terminal=True, env={"NO_COLOR": "1"}).out
    assert "\x1b" not in cli(name, "--no-color", terminal=True).out
    assert "\x1b" not in cli(name, terminal=True, env={"TERM": "dumb"}).out


def test_doctor_shows_verdicts_in_colour_on_a_terminal_only(cli) -> None:
    line = ("--sandbox", "doctor", "demo-project", "--for", "create-standard-key")
    shown = cli(*line, terminal=True).out
    assert "\x1b[32mready\x1b[0m to " in shown
    assert "\n  \x1b[32mok\x1b[0m " in shown
    assert "\n  \x1b[2mnote\x1b[0m " in shown
    assert shown.replace("\x1b[32m", "").replace("\x1b[2m", "").replace("\x1b[0m", "").count("\x1b") == 0
    assert "\x1b" not in cli(*line, terminal=True, env={"NO_COLOR": "1"}).out
    assert "\x1b" not in cli(*line).out


def test_a_table_that_is_too_wide_is_folded_on_a_terminal_only(cli, command) -> None:
    name = command(listing([Thing("x" * 120)]))
    narrow = cli(name, "--no-color", terminal=True).out.splitlines()
    assert max(map(len, narrow)) <= 100
    assert "".join(narrow[1:]).split("yes")[0].strip() + narrow[2] == "x" * 120
    assert "x" * 120 in cli(name).out


@pytest.mark.parametrize("width", [41, 60, 80, 120])
def test_no_line_of_a_table_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    dice = random.Random(width)
    words = ["a", "key", "日本語の鍵", "e\u0301tude", "restricted", "gemini-exposed", "🗝", "owner@example.com"]
    for _ in range(60):
        flags = [dict.fromkeys([dice.choice(("fold", "below", "title"))], True) for _ in range(dice.randint(1, 7))]
        columns = [
            Column[Any](f"Column {at}", str, fold=flag.get("fold", False), below=flag.get("below", False))
            for at, flag in enumerate(flags)
        ]
        rows = [[StyledText(" ".join(dice.choices(words, k=dice.randint(0, 6))), "red") for _ in columns] for _ in range(3)]
        shown = list(table.lines(columns, rows, width, colour=dice.random() < 0.5))
        assert max(map(display_width, shown)) <= width, shown
        told = re.sub(r"\x1b\[[0-9;]*m", "", "".join(shown))
        for char in "key日🗝":
            assert told.count(char) >= sum(cell.text.count(char) for row in rows for cell in row), shown


def test_what_another_column_says_too_goes_first_and_comes_back_where_the_id_stands_below() -> None:
    columns = [
        Column[Any]("Name", str, fold=True),
        Column[Any]("ID", str, below=True),
        Column[Any]("Created", str, spare=True),
        Column[Any]("Days", str),
    ]
    rows = [[StyledText("web"), StyledText("71cd737a-bf8a"), StyledText("2026-11-29 05:01"), StyledText("3")]]

    def shown(width: int | None) -> list[list[str]]:
        return [line.split() for line in table.lines(columns, rows, width, colour=False)]

    assert shown(None) == shown(80) == [["NAME", "ID", "CREATED", "DAYS"], ["web", "71cd737a-bf8a", "2026-11-29", "05:01", "3"]]
    assert shown(30) == [["NAME", "ID", "DAYS"], ["web", "71cd737a-bf8a", "3"]]
    assert shown(22) == [["NAME", "DAYS"], ["web", "3"], ["71cd737a-bf8a"]]


def test_what_is_long_stands_below_its_row_on_a_terminal_that_is_too_narrow_for_both(cli, command) -> None:
    because, more = (Column[Thing](title, lambda thing: f"as {thing.name} " * 20, below=True) for title in ("Why", "More"))

    def shown(*below: Column[Thing], terminal: bool) -> list[str]:
        view = View[Thing]((*VIEW.columns[::2], *below), VIEW.to_json)

        def trial(context: typer.Context) -> None:
            show_list(current(context), THINGS, view)

        lines: list[str] = cli(command(trial), "--no-color", terminal=terminal).out.splitlines()
        return lines

    narrow = shown(because, terminal=True)
    assert max(map(len, narrow)) <= 100
    assert narrow[:2] == ["NAME   ON", "one    yes"]
    assert narrow[2] == "    " + "as one " * 13 + "as"
    assert " ".join("".join(narrow[2:4]).split()) == ("as one " * 20).strip()
    assert narrow[4] == "two|2  no"
    assert [line.split(":")[0] for line in shown(because, more, terminal=True) if ":" in line] == ["    Why", "    More"] * 2
    assert shown(because, terminal=False)[0].split() == ["NAME", "ON", "WHY"]


def test_quiet_drops_notes_but_neither_warnings_nor_what_must_be_said(cli, command) -> None:
    def trial(context: typer.Context) -> None:
        console = current(context).console
        console.note("a note")
        console.note("must be said", always=True)
        console.warning("careful")
        console.detail("a detail")

    assert cli(command(trial)).err == "a note\nmust be said\nWarning: careful\n"
    assert cli(command(trial), "-q").err == "must be said\nWarning: careful\n"
    assert "a detail" in cli(command(trial), "-v").err


def destroyer(context: typer.Context, yes: Yes = False) -> None:
    confirm(current(context), "Delete the thing?", yes=yes)
    print("gone")


def test_destructive_commands_need_yes_where_nobody_can_be_asked(cli, command) -> None:
    done = cli(command(destroyer))
    assert (done.code, done.out) == (2, "")
    assert "--yes" in done.err
    assert cli(command(destroyer), "--yes").out == "gone\n"


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 1), ("\n", 1), ("", 1), ("what\nyes\n", 0)])
def test_at_a_terminal_the_person_is_asked(cli, command, answer: str, code: int) -> None:
    done = cli(command(destroyer), stdin=answer, terminal=True)
    assert done.code == code
    assert "Delete the thing? [y/N]" in done.err
    assert ("gone" in done.out) is (code == 0)


def test_a_dry_run_says_so_even_when_quiet(cli, command) -> None:
    def trial(context: typer.Context) -> None:
        would(current(context), "delete the thing")

    assert cli(command(trial), "-q").err == "Dry run: would delete the thing. Nothing was changed.\n"


class Watched(Console):
    """Talk into a buffer that is, or is not, a terminal."""

    def __init__(self, terminal: bool, **options: bool) -> None:
        super().__init__(**options)
        self.buffer = io.StringIO()
        self._terminal = terminal

    @property
    def stream(self) -> io.StringIO:
        return self.buffer

    @property
    def terminal(self) -> bool:
        return self._terminal


def work(observer: TerminalObserver) -> None:
    observer.step("Checking")
    observer.total(2, "Keys")
    observer.advance()
    observer.advance()
    observer.waiting("The quota is used up", 95)
    observer.warning("one was skipped")
    observer.finished()


def test_progress_is_drawn_on_a_terminal_and_erased() -> None:
    console = Watched(True)
    work(TerminalObserver(console))
    drawn = console.buffer.getvalue()
    for text in ("Checking ...", "Keys [############............] 1/2", "2/2", "1 min 35 s left", "Warning: one was skipped\n"):
        assert text in drawn
    assert drawn.endswith("\r\x1b[2KWarning: one was skipped\n")


async def test_a_wait_is_counted_down_and_a_step_spins_until_the_work_goes_on() -> None:
    console = Watched(True)
    observer = TerminalObserver(console)

    async def until(count: int, pattern: str) -> list[str]:
        """What was drawn so that it fits the pattern, once there are so many of it."""
        found: list[str] = []

        async def drawn() -> bool:
            found[:] = dict.fromkeys(re.findall(pattern, console.buffer.getvalue()))
            return len(found) >= count

        await until_async(drawn, pattern)
        return found

    observer.waiting("The quota is used up", 50)
    left = [int(seconds) for seconds in await until(2, r"The quota is used up: (\d+) s left")]
    assert left[0] > left[1] > 0
    observer.step("Creating the key")
    assert (await until(2, r"Creating the key \.\.\. (.)"))[:2] == ["|", "/"]
    observer.finished()
    drawn = console.buffer.getvalue()
    await asyncio.sleep(0.4)  # that nothing more is drawn shows only in the course of time
    assert console.buffer.getvalue() == drawn


async def test_of_many_things_the_time_left_is_that_of_the_whole() -> None:
    """The quota lets the first ones pass at once: the bar must not promise that the rest goes as fast."""
    console = Watched(True)
    observer = TerminalObserver(console)
    rest = 840.0
    observer.total(1000, "rotations", lambda: rest)
    observer.advance(60)
    observer.waiting("quota of writes", 61)
    assert last_line(console) == "rotations [#.......................] 60/1000, 14 min left (quota of writes)"
    rest = 0.0
    observer._began -= 60  # by the pace of the past it would go up again
    observer._last = 0.0
    observer.advance(900)
    assert last_line(console).endswith("960/1000")
    observer.advance(40)
    assert last_line(console).endswith("1000/1000")
    observer.finished()


def test_off_a_terminal_a_wait_is_told_of_once_and_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a 429 without RetryInfo many short waits follow one another for minutes: nobody must take it for a hang."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    console = Watched(False)
    observer = TerminalObserver(console)
    observer.waiting("the quota is used up", 2)
    assert console.buffer.getvalue() == ""
    for _ in range(20):
        observer.waiting("the quota is used up", 7)
        now += 4
    assert console.buffer.getvalue() == 2 * "the quota is used up: waiting, 7 s left as far as is known\n"
    now += 600
    observer.waiting("the quota is used up", 3)
    assert console.buffer.getvalue().count("waiting") == 2
    console.quiet = True
    TerminalObserver(console).waiting("the quota is used up", 70)
    assert console.buffer.getvalue().count("waiting") == 2


def last_line(console: Watched) -> str:
    return console.buffer.getvalue().split("\r\x1b[2K")[-1]


def test_a_dumb_terminal_gets_no_escape_sequences(cli) -> None:
    drawn = cli("--sandbox", "doctor", terminal=True).err
    assert "\x1b[2K" in drawn
    assert "\x1b" not in cli("--sandbox", "doctor", terminal=True, env={"TERM": "dumb"}).err


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_elsewhere_only_words_remain(terminal: bool, quiet: bool) -> None:
    console = Watched(terminal, quiet=quiet)
    work(TerminalObserver(console))
    told = "The quota is used up: waiting, 1 min 35 s left as far as is known\n"
    assert console.buffer.getvalue() == ("" if quiet else told) + "Warning: one was skipped\n"
