"""The sink file: a file that holds the key alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from keyadmin.handover.registry import parse
from keyadmin.model.problem import Exit, Problem
from tests.handover.conftest import KEY, OTHER
from tests.sinks import sink_of


async def test_it_is_written_whole_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "gemini"
    sink = sink_of(f"file:{path}")
    assert await sink.read_back(KEY) is False
    assert (await sink.deliver(KEY)).changed
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (KEY.reveal() + "\n", 0o600)
    assert await sink.read_back(KEY) is True
    assert not (await sink.deliver(KEY)).changed
    await sink.deliver(OTHER)
    assert path.read_text().strip() == OTHER.reveal()
    assert [each.name for each in tmp_path.iterdir() if each.name != "home"] == ["gemini"]


@pytest.mark.parametrize("text", ["A=1\nB=2\n", "some words\n"])
async def test_a_file_of_something_else_is_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes"
    path.write_text(text)
    with pytest.raises(Problem, match="more than one word"):
        await sink_of(f"file:{path}").deliver(KEY)
    assert path.read_text() == text


async def test_links_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "folder").mkdir()
    for name in ("link", "folder"):
        with pytest.raises(Problem):
            await sink_of(f"file:{tmp_path / name}").deliver(KEY)


@pytest.mark.parametrize("text", ["file:", "file:folder/"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(text)
    assert caught.value.exit is Exit.USAGE


def test_paths_of_a_policy_count_from_its_folder() -> None:
    spec = parse("file:keys/gemini")
    assert spec.sink.below(spec.value, Path("/etc/keyadmin")) == "/etc/keyadmin/keys/gemini"
