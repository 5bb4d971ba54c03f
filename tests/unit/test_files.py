"""Files in folders that others may write: nothing is given away, no link is followed that another user placed."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from keyadmin.local.config import Config
from keyadmin.local.files import read_text, write_json, write_text
from keyadmin.local.folders import make_private
from keyadmin.local.locks import locked
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString
from tests.sinks import sink_of

posix = pytest.mark.skipif(os.name != "posix", reason="about owners and links")
root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root writes for others")
OTHER = 4242  # a user of no name
ROUNDS = 500

# What the owner of a folder does to somebody who writes in it: the file is, in turns, a link to the target, a hard link to a
# file of theirs, a file; and whatever temporary file turns up is exchanged for a link.
_RACER = """
import itertools, os, sys
folder, target, uid = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.chdir(folder)  # first: the way to it is closed to others
os.setgroups([]); os.setgid(uid); os.setuid(uid)
def again(*steps):
    for step in steps:
        try: step()
        except OSError: pass
print("ready", flush=True)
for turn in itertools.count():
    again(lambda: os.unlink(".env"), lambda: os.symlink(target, ".env"))
    again(lambda: os.unlink(".env"), lambda: os.link("mine", ".env"))
    again(lambda: os.symlink(target, "next"), lambda: os.rename("next", ".env"))
    again(lambda: os.rename("mine2", ".env"), lambda: open("mine2", "w").close())
    for name in os.listdir("."):
        if name.endswith(".keyadmin"):
            again(lambda: os.unlink(name), lambda: os.symlink(target, name))
"""


@pytest.fixture
def raced(tmp_path: Path) -> Iterator[Callable[[], tuple[Path, Path]]]:
    """A folder of another user, who exchanges its entries as fast as can be, and a file of root's: their paths."""
    folder, target = tmp_path / "theirs", tmp_path / "roots"
    folder.mkdir()
    for name in ("mine", "mine2", ".env"):
        (folder / name).write_text("GEMINI_API_KEY=old\n")
        os.chown(folder / name, OTHER, OTHER)
    os.chown(folder, OTHER, OTHER)
    target.write_text("root's own\n")
    target.chmod(0o600)
    racer = subprocess.Popen(
        [sys.executable, "-c", _RACER, str(folder), str(target), str(OTHER)], stdout=subprocess.PIPE, text=True
    )
    assert racer.stdout is not None
    assert racer.stdout.readline() == "ready\n"
    yield lambda: (folder, target)
    racer.kill()
    racer.wait()
    racer.stdout.close()


@root
async def test_a_racer_gets_no_file_of_roots_from_the_env_file_sink(raced: Callable[[], tuple[Path, Path]]) -> None:
    folder, target = raced()
    done = 0
    for _ in range(ROUNDS):
        try:
            await sink_of(f"env-file:{folder / '.env'}").deliver(KeyString("x" * 40))
            done += 1
        except Problem:
            pass  # a link, or exchanged in that moment: said, nothing done
        found = target.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 0, 0o600)
        assert target.read_text() == "root's own\n"
    assert done, "no hand-over went through: the racer was not beside anything"


@root
def test_a_racer_gets_no_file_of_roots_from_any_file_that_is_written(raced: Callable[[], tuple[Path, Path]]) -> None:
    folder, target = raced()
    done = 0
    for _ in range(ROUNDS):
        try:
            write_text(folder / ".env", "metrics\n", 0o644)
            done += 1
        except Problem:
            pass
        found = target.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 0, 0o600)
        assert target.read_text() == "root's own\n"
    assert done


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    os.chown(path, OTHER, OTHER, follow_symlinks=False)


def _link_to_roots(theirs: Path, roots: Path) -> None:
    _link(theirs / ".env", roots / "secret")


def _folder_of_roots(theirs: Path, roots: Path) -> None:
    theirs.rename(theirs.with_name("moved"))
    theirs.symlink_to(roots)
    os.chown(theirs, OTHER, OTHER, follow_symlinks=False)


def _links_for_temporary_files(theirs: Path, roots: Path) -> None:
    for path in theirs.glob("*.keyadmin"):
        _link(path, roots / "secret")


def _file_of_theirs(theirs: Path, roots: Path) -> None:
    del roots
    (theirs / ".env").unlink(missing_ok=True)
    (theirs / "mine").rename(theirs / ".env")


MODULES = tuple(f"local{os.sep}{name}.py" for name in ("files", "edited", "folders", "locks"))


def _interrupted(moment: int, act: Callable[[], None], work: Callable[[], object]) -> bool:
    """Do the work, and `act` before the line of number `moment` that it comes to in the modules that write files.

    Whether it came that far.
    """
    left = moment

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(MODULES):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                act()
        return trace

    sys.settrace(trace)
    try:
        work()
    except Problem:
        pass  # exchanged: said, and nothing done
    finally:
        sys.settrace(None)
    return left <= 0


@root
@pytest.mark.parametrize("work", ["sink", "text"])
@pytest.mark.parametrize("act", [_link_to_roots, _folder_of_roots, _links_for_temporary_files, _file_of_theirs])
def test_at_no_moment_can_a_file_be_exchanged_so_that_roots_is_given_away(
    tmp_path: Path, act: Callable[[Path, Path], None], work: str
) -> None:
    for moment in range(1, 2000):
        place = tmp_path / str(moment)
        theirs, roots = place / "theirs", place / "roots"
        theirs.mkdir(parents=True)
        roots.mkdir()
        for path in (theirs / ".env", theirs / "mine"):
            path.write_text("GEMINI_API_KEY=old\n")
            os.chown(path, OTHER, OTHER)
        for folder in (place, theirs):
            os.chown(folder, OTHER, OTHER)
        (roots / "secret").write_text("root's own\n")
        (roots / "secret").chmod(0o600)

        def write(path: Path = theirs / ".env") -> None:
            if work == "text":
                write_text(path, "text\n", 0o644)
            else:
                asyncio.run(sink_of(f"env-file:{path}").deliver(KeyString("x" * 40)))

        came = _interrupted(moment, lambda: act(theirs, roots), write)  # noqa: B023 - called in this round
        found = (roots / "secret").stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 0, 0o600), moment
        assert (roots / "secret").read_text() == "root's own\n", moment
        assert [path.name for path in roots.iterdir()] == ["secret"], moment
        if not came:
            assert moment > 20, "so few lines: the modules that write files have other names now"
            return
    raise AssertionError("it never came to an end")


@root
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_that_another_user_placed_is_not_followed(tmp_path: Path, kind: str) -> None:
    theirs, roots = tmp_path / "theirs", tmp_path / "roots"
    theirs.mkdir()
    roots.mkdir()
    link = theirs / "out"
    link.symlink_to(roots / "file" if kind == "file" else roots)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)
    os.chown(theirs, OTHER, OTHER)
    with pytest.raises(Problem, match="other users may exchange"):
        write_text(link if kind == "file" else link / "file", "x")
    assert list(roots.iterdir()) == []


@posix
def test_a_link_of_ones_own_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "out").symlink_to("folder/file")
    write_text(tmp_path / "out", "first")
    write_text(tmp_path / "out", "second", 0o644)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "real" / "file").read_text() == "second"
    assert stat.S_IMODE((tmp_path / "real" / "file").stat().st_mode) == 0o644
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(Problem, match="cannot be written"):
        write_text(tmp_path / "round", "x")


@posix
def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        descriptor = os.open(pipe, os.O_WRONLY)  # waits for the reader
        write_text(pipe, "through\n")
        os.close(descriptor)
        assert reader.communicate(timeout=60)[0] == "through\n"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with pytest.raises(Problem, match="nobody reads the pipe"):
        write_text(pipe, "lost\n")


@posix
def test_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_json(tmp_path / "a" / "b" / "c.json", {})
        Config(sandbox=False, directory=tmp_path / "d" / "e").set("format", "json")
    finally:
        os.umask(before)
    for folder in ("a", "a/b", "d", "d/e"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700, folder
    for file in ("a/b/c.json", "d/e/config.json", "d/e/config.json.lock"):
        assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600, file


@posix
def test_a_lock_that_is_a_link_neither_empties_nor_makes_its_target(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "file.lock").symlink_to(target)
    with pytest.raises(Problem), locked(tmp_path / "file"):
        pass
    assert target.read_text() == "precious"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs an endless file")
def test_an_endless_file_is_refused_and_not_read_for_ever() -> None:
    with pytest.raises(Problem, match=r"/dev/zero holds more than \d+ MiB"):
        read_text(Path("/dev/zero"))


def test_a_text_with_lone_surrogates_is_written_as_the_bytes_it_came_from(tmp_path: Path) -> None:
    write_text(tmp_path / "x", b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert (tmp_path / "x").read_bytes() == b"caf\xe9"


@posix
def test_a_folder_for_others_to_read_is_theirs_to_read_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private(tmp_path / "a" / "b", 0o755)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")] == [0o755, 0o755]
