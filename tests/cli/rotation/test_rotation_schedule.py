"""`rotation schedule`, as typed: files printed or written, and what is told beside them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
RULE = '[[rule]]\nname = "the rule"\nprojects = ["{}"]\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are typed in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def schedule(cli: Cli, engine: str, *words: str) -> Any:
    return cli("rotation", "schedule", engine, "-p", "my-project", *words)


def test_files_are_written_scripts_can_be_run_and_a_second_time_changes_nothing(cli: Cli, here: Path) -> None:
    first = schedule(cli, "github-actions", "--output", "out")
    assert first.code == 0, first.err
    assert "There is no policy file keyadmin.toml yet" in first.err
    names = sorted(str(path.relative_to(here / "out")) for path in (here / "out").rglob("*") if path.is_file())
    assert ".github/workflows/keyadmin-rotation.yml" in names
    assert (here / "out" / "setup.sh").stat().st_mode & 0o777 == 0o755
    assert (here / "out" / "keyadmin-rotation-role.yaml").stat().st_mode & 0o777 == 0o644
    assert schedule(cli, "github-actions", "--output", "out").code == 0
    refused = schedule(cli, "github-actions", "--tasks", "2", "--output", "out")
    assert refused.code == 1
    assert "is there already and differs" in refused.err


def test_files_are_data(cli: Cli, here: Path) -> None:
    printed = schedule(cli, "systemd", "--format", "json")
    assert {"path", "content"} == set(json.loads(printed.out)[0])
    shown = schedule(cli, "systemd")
    assert "# ==> keyadmin-rotation.service" in shown.out
    assert not list(here.glob("*.sh"))


def test_projects_by_pattern_are_left_to_the_person(cli: Cli, here: Path) -> None:
    (here / "keyadmin.toml").write_text(RULE.format("web-*") + "sinks = []\n")
    done = schedule(cli, "cron")
    assert "setup.sh cannot know which projects web-* are" in done.err
    assert 'PROJECTS=""' in done.out


@pytest.mark.parametrize("machine", ["elsewhere-1", None])
def test_sinks_of_a_machine_are_not_for_containers(cli: Cli, here: Path, machine: str | None) -> None:
    name = machine or socket.gethostname()
    (here / "keyadmin.toml").write_text(RULE.format("my-shop") + f'sinks = ["env-file:/srv/.env"]\nmachine = "{name}"\n')
    for engine in ("cloud-run", "kubernetes", "github-actions"):
        done = schedule(cli, engine, "--quiet")
        assert done.code == 0
        assert f"the rule: its env-file and exec sinks belong to the machine {name}; {engine} leaves its keys alone" in done.err
    for engine in ("systemd", "cron"):
        told = schedule(cli, engine).err
        assert ("install the files there" in told) is (machine is not None)


@pytest.mark.parametrize(
    ("engine", "words", "mend"),
    [
        ("systemd", ["--tasks", "2"], "cloud-run, kubernetes or github-actions"),
        ("cron", ["--tasks", "2"], "cloud-run, kubernetes or github-actions"),
        ("cloud-run", ["--tasks", "1000", "--every", "hourly"], "take at most"),
        ("github-actions", ["--tasks", "257"], "--tasks 256"),
        ("at", [], "use one of: systemd"),
        ("cron", ["--every", "yearly"], "use one of hourly"),
        ("cloud-run", ["--region", "here"], "europe-west1"),
    ],
)
def test_what_an_engine_cannot_do_is_usage_with_the_mend(
    cli: Cli, here: Path, engine: str, words: list[str], mend: str
) -> None:
    done = schedule(cli, engine, *words)
    assert done.code == 2
    assert mend in done.err
    assert not done.out


def test_a_wrong_policy_is_told_before_anything_is_printed(cli: Cli, here: Path) -> None:
    (here / "keyadmin.toml").write_text("[[rule]]\nprojects = [1]\n")
    done = schedule(cli, "cron")
    assert done.code == 2
    assert "keyadmin.toml, line 2" in done.err
    assert not done.out
