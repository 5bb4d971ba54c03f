"""The env-file sink: one line replaced, everything else kept, whole or not at all, one writer at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keyadmin.handover.registry import parse
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString
from tests.sinks import sink_of

ROOT = Path(__file__).parents[2]
KEY = KeyString("AQ.SANDBOX-" + "a" * 42)
OTHER = KeyString("AQ.SANDBOX-" + "b" * 42)


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def test_mode_0600_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    path.chmod(0o644)
    sink = sink_of(f"env-file:{path}:GEMINI_API_KEY")
    assert await sink.read_back(KEY) is False
    assert (await sink.deliver(KEY)).changed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == f"A=1\nGEMINI_API_KEY={KEY.reveal()}\n"
    assert await sink.read_back(KEY) is True
    assert await sink.read_back(OTHER) is False
    assert not (await sink.deliver(KEY)).changed
    assert sorted(p.name for p in tmp_path.iterdir()) == [".env"], "no temporary or lock file lies about"


async def test_who_reads_meanwhile_reads_the_old_text_whole(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nGEMINI_API_KEY=old\n")
    with path.open() as reader:
        assert (await sink_of(f"env-file:{path}:GEMINI_API_KEY").deliver(KEY)).changed
        assert reader.read() == "A=1\nGEMINI_API_KEY=old\n"


async def test_a_readable_file_with_the_right_key_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(f"GEMINI_API_KEY={KEY.reveal()}\n")
    path.chmod(0o644)
    delivery = await sink_of(f"env-file:{path}:GEMINI_API_KEY").deliver(KEY)
    assert delivery.changed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "its mode was 0644 and is 0600 now" in delivery.detail, "who read it as one of its group reads it no more"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root writes for others")
async def test_root_leaves_the_file_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("GEMINI_API_KEY=old\n")
    os.chown(path, 4242, 4343)
    assert (await sink_of(f"env-file:{path}:GEMINI_API_KEY").deliver(KEY)).changed
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (4242, 4343, 0o600)


@pytest.mark.skipif(os.name != "posix", reason="files have no such owners")
async def test_another_users_file_is_not_taken_from_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".env"
    path.write_text("GEMINI_API_KEY=old\n")
    if os.geteuid() == 0:
        os.chown(path, 4242, 4343)
    monkeypatch.setattr(os, "geteuid", lambda: 4444)
    with pytest.raises(Problem, match="could not read it any more"):
        await sink_of(f"env-file:{path}:GEMINI_API_KEY").deliver(KEY)
    assert path.read_text() == "GEMINI_API_KEY=old\n"


async def test_what_a_killed_run_left_beside_the_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("GEMINI_API_KEY=old\n")
    (tmp_path / "..env.original").write_text("not keyadmin's")
    killed = (
        "import asyncio, os, pathlib\n"
        "from tests.sinks import sink_of\n"
        "from keyadmin.model.secret import KeyString\n"
        "os.replace = lambda *names, **at: os._exit(9)\n"
        f"sink = sink_of('env-file:{path}')\n"
        "asyncio.run(sink.deliver(KeyString('AQ.SANDBOX-' + 'b' * 42)))\n"
    )
    assert subprocess.run([sys.executable, "-c", killed], cwd=ROOT, check=False).returncode == 9
    names = sorted(p.name for p in tmp_path.iterdir())
    assert len(names) == 3, "it left a file with the key"
    assert (await sink_of(f"env-file:{path}:GEMINI_API_KEY").deliver(KEY)).changed
    assert sorted(p.name for p in tmp_path.iterdir()) == ["..env.original", ".env"]


@pytest.mark.parametrize("kind", ["link", "binary", "folder", "no folder"])
async def test_what_cannot_be_written_is_said_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ".env"
    if kind == "link":
        (tmp_path / "real").write_text("A=1\n")
        path.symlink_to(tmp_path / "real")
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    elif kind == "folder":
        path.mkdir()
    else:
        path = tmp_path / "missing" / ".env"
    with pytest.raises(Problem) as caught:
        await sink_of(f"env-file:{path}:GEMINI_API_KEY").deliver(KEY)
    assert str(path) in caught.value.message
    assert KEY.reveal() not in repr(caught.value)
    if kind == "link":
        assert "is a symbolic link to" in caught.value.message
        assert (tmp_path / "real").read_text() == "A=1\n"
    if kind == "binary":
        assert path.read_bytes() == b"\xff\xfe\x00"


async def test_processes_side_by_side_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nA=1\n")
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from tests.sinks import sink_of; from keyadmin.model.secret import KeyString\n"
        "from keyadmin.local import locks; locks.LOCK_TIMEOUT_S = 170\n"
        "for n in range(5):\n"
        "    asyncio.run(sink_of(f'env-file:{sys.argv[1]}:V{sys.argv[2]}_{n}').deliver(KeyString('x' * 40)))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(n)], cwd=ROOT, env=dict(os.environ)) for n in range(4)
    ]
    assert [process.wait(180) for process in running] == [0] * 4
    lines = path.read_text().splitlines()
    assert lines[:2] == ["# mine", "A=1"]
    assert sorted(lines[2:]) == sorted(f"V{n}_{m}={'x' * 40}" for n in range(4) for m in range(5))


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be locked")
async def test_the_lock_is_the_files_however_its_path_is_spelled_and_whoever_asks(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    path = tmp_path / "real" / ".env"
    path.write_text("A=1\n")
    code = (
        "import asyncio, sys; from tests.sinks import sink_of; from keyadmin.model.secret import KeyString\n"
        "from keyadmin.local import locks; locks.LOCK_TIMEOUT_S = 170\n"
        "for n in range(4):\n"
        "    asyncio.run(sink_of(f'env-file:{sys.argv[1]}:V{sys.argv[2]}_{n}').deliver(KeyString('x' * 40)))\n"
    )
    spellings = [
        path,
        tmp_path / "linked" / ".env",
        tmp_path / "real" / ".." / "linked" / ".env",
        Path(os.path.relpath(path, ROOT)),
    ]
    homes = [os.environ | {"HOME": str(tmp_path / f"home{n}"), "XDG_STATE_HOME": str(tmp_path / f"home{n}")} for n in range(4)]
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(spelling), str(n)], cwd=ROOT, env=home)
        for n, (spelling, home) in enumerate(zip(spellings, homes, strict=True))
    ]
    assert [process.wait(180) for process in running] == [0] * 4
    assert sorted(path.read_text().splitlines()) == sorted(
        ["A=1", *(f"V{n}_{m}={'x' * 40}" for n in range(4) for m in range(4))]
    )


def test_two_spellings_of_one_file_are_one_place(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    places = {parse(f"env-file:{tmp_path}/{folder}/.env").place for folder in ("real", "linked", "real/../linked", "./real")}
    assert places == {f"env-file:{tmp_path}/real/.env:GEMINI_API_KEY"}


async def test_bytes_that_are_not_utf_8_line_ends_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"# caf\xe9\r\nA='\xff'\r\n\r\nGEMINI_API_KEY=old # ask ana before changing\r\nB=2")
    assert (await sink_of(f"env-file:{path}").deliver(KEY)).changed
    new = KEY.reveal().encode()
    expected = b"# caf\xe9\r\nA='\xff'\r\n\r\nGEMINI_API_KEY=%s # ask ana before changing\r\nB=2" % new
    assert path.read_bytes() == expected


async def test_what_has_not_the_form_of_a_key_is_not_written(tmp_path: Path) -> None:
    for value in ("short", "x" * 257, "x';touch${IFS}PWN;'" + "x" * 20, "x" * 30 + "\nB=1", "x" * 20 + "#"):
        with pytest.raises(Problem, match="form of a key") as caught:
            await sink_of(f"env-file:{tmp_path / '.env'}").deliver(KeyString(value))
        assert value not in caught.value.message
    assert list(tmp_path.iterdir()) == []


_MOUNTED = """
import asyncio, pathlib, subprocess, sys
from tests.sinks import sink_of
from keyadmin.model.secret import KeyString
outside, inside = map(pathlib.Path, sys.argv[1:3])
subprocess.run(["mount", "--bind", outside, inside], check=True)
if sys.argv[3] == "read-only":
    subprocess.run(["mount", "--bind", inside.parent, inside.parent], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", inside.parent], check=True)
    subprocess.run(["mount", "--bind", outside, inside], check=True)
print(asyncio.run(sink_of(f"env-file:{inside}").deliver(KeyString("AQ.SANDBOX-" + "a" * 42))).detail)
"""


@pytest.mark.parametrize("folder", ["writable", "read-only"])
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs mounts")
def test_a_file_that_is_mounted_by_itself_is_written_in_place(tmp_path: Path, folder: str) -> None:
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounts are not allowed here")
    outside, inside = tmp_path / "host env", tmp_path / "app dir"
    inside.mkdir()
    outside.write_text("GEMINI_API_KEY=a-much-longer-value-that-has-to-go-" + "x" * 80 + "\nB=2\n")
    (inside / ".env").touch()
    inode = outside.stat().st_ino
    command = ["unshare", "--mount", sys.executable, "-c", _MOUNTED, str(outside), str(inside / ".env"), folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert outside.read_text() == f"GEMINI_API_KEY={KEY.reveal()}\nB=2\n"
    assert outside.stat().st_ino == inode
    assert "written in place: a program that read it in that moment may have seen half of it" in done.stdout


@pytest.fixture
def closed_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration directory that cannot be made, not even by root; the folder for temporary files is a fresh one."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file" / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path


async def test_a_read_only_home_does_not_keep_the_key_from_a_file_that_can_be_written(closed_home: Path) -> None:
    path = closed_home / ".env"
    assert (await sink_of(f"env-file:{path}:K").deliver(KEY)).changed
    assert path.read_text() == f"K={KEY.reveal()}\n"


@pytest.mark.skipif(os.name != "posix", reason="users are told apart by number")
async def test_where_folders_cannot_be_locked_a_private_place_is_used(
    closed_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyadmin.local.locks._lockable", lambda descriptor: False)  # as some network file systems
    assert (await sink_of(f"env-file:{closed_home / '.env'}:K").deliver(KEY)).changed
    (folder,) = (closed_home / "tmp").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="users are told apart by number")
async def test_a_lock_folder_of_somebody_else_is_not_used(closed_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyadmin.local.locks._lockable", lambda descriptor: False)
    (closed_home / "theirs").mkdir()
    (closed_home / "tmp" / f"keyadmin-locks-{os.getuid()}").symlink_to(closed_home / "theirs")
    with pytest.raises(Problem, match="belongs to another user"):
        await sink_of(f"env-file:{closed_home / '.env'}:K").deliver(KEY)
    assert not (closed_home / ".env").exists()
