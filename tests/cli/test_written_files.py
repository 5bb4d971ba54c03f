"""Files that options name: a link stays a link, an endless file is not read for ever."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyadmin.rotation.find import Selection
from keyadmin.rotation.notices import write_metrics

COMMANDS = {
    "--role-file": ("doctor", "demo-project", "--role-file"),
    "--output": ("audit", "--projects", "demo-project", "--fail-on", "none", "--output"),
    "--export": ("projects", "list", "--yes", "--export"),
}


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
@pytest.mark.parametrize("option", COMMANDS)
def test_what_a_link_points_to_is_written_and_the_link_stays(cli, tmp_path: Path, option: str) -> None:
    (tmp_path / "real").write_text("before\n")
    link = tmp_path / "link"
    link.symlink_to("real")
    words = [*COMMANDS[option], str(link)] + (["--yes"] if option == "--role-file" else [])
    done = cli("--sandbox", *words, env={"KEYADMIN_SANDBOX_USER": "nobody@example.com" if option == "--role-file" else ""})
    assert done.code in (0, 3), done.err
    assert link.is_symlink()
    assert (tmp_path / "real").read_text() != "before\n"


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_metrics_keep_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    write_metrics(tmp_path / "link", [], datetime(2026, 11, 28, tzinfo=UTC), Selection())
    assert (tmp_path / "link").is_symlink()
    assert "keyadmin" in (tmp_path / "real").read_text()


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs an endless file")
@pytest.mark.parametrize(
    "words",
    [
        ("rotation", "plan", "--policy", "/dev/zero"),
        ("projects", "import", "--file", "/dev/zero"),
        ("sandbox", "seed", "/dev/zero"),
        ("sandbox", "serve", "--seed", "/dev/zero"),
    ],
)
def test_an_endless_file_is_refused(typed, words: tuple[str, ...]) -> None:
    done = typed("--sandbox", *words)
    assert done.code in (1, 2), done.err
    assert "/dev/zero" in done.err
    assert "MiB" in done.err or "not a regular file" in done.err
    assert "Traceback" not in done.err
