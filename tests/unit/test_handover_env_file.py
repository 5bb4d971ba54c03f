"""The env-file sink: one line replaced, everything else kept, whole or not at all, one writer at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.handover.sinks.env_file import value_of, with_variable
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString
from tests.sinks import sink_of

ROOT = Path(__file__).parents[2]
KEY = KeyString("AQ.SANDBOX-" + "a" * 42)
OTHER = KeyString("AQ.SANDBOX-" + "b" * 42)

_names = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "GEMINI_API_KEY")
_values = st.text(st.characters(codec="ascii", exclude_characters="\r\n'\"\\#$`\x00"), max_size=12).map(str.strip)
_lines = st.one_of(
    st.builds("{}={}\n".format, _names, _values),
    st.builds("export {}={}\n".format, _names, _values),
    st.builds("# {}\n".format, _values),
    st.just("\n"),
)


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@given(st.lists(_lines), st.lists(_lines))
def test_every_other_line_is_kept(before: list[str], after: list[str]) -> None:
    text = "".join(before) + "GEMINI_API_KEY=old\n" + "".join(after)
    changed = with_variable(text, "GEMINI_API_KEY", "new")
    assert changed == "".join(before) + "GEMINI_API_KEY=new\n" + "".join(after)
    assert value_of(changed, "GEMINI_API_KEY") == "new"


@given(st.lists(_lines).map("".join))
def test_a_new_variable_goes_to_the_end_and_a_second_time_changes_nothing(text: str) -> None:
    once = with_variable(text, "GEMINI_API_KEY", "new")
    assert once == text + "GEMINI_API_KEY=new\n"
    assert with_variable(once, "GEMINI_API_KEY", "new") == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", "A=1\nK=new\n"),
        ("export K=old # mine\n", "export K=new\n"),
        ("K='old\nK=inside\n'\nB=2\n", "K=new\nB=2\n"),
        ('A="x\nK=inside"\n', 'A="x\nK=inside"\nK=new\n'),
        ("K=1\nA=2\nK=3\n", "K=new\nA=2\n"),
        ("K=1\r\nA=2\r\n", "K=new\r\nA=2\r\n"),
        ("# K=1\n", "# K=1\nK=new\n"),
        ("KK=1\n", "KK=1\nK=new\n"),
    ],
)
def test_forms_of_lines(text: str, expected: str) -> None:
    assert with_variable(text, "K", "new") == expected


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
    assert sorted(p.name for p in tmp_path.iterdir()) == [".env", "config"], "no temporary or lock file lies about"


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
        "os.replace = lambda *names: os._exit(9)\n"
        f"sink = sink_of('env-file:{path}')\n"
        "asyncio.run(sink.deliver(KeyString('AQ.SANDBOX-' + 'b' * 42)))\n"
    )
    assert subprocess.run([sys.executable, "-c", killed], cwd=ROOT, check=False).returncode == 9
    names = sorted(p.name for p in tmp_path.iterdir())
    assert len(names) == 4, "it left a file with the key"
    assert (await sink_of(f"env-file:{path}:GEMINI_API_KEY").deliver(KEY)).changed
    assert sorted(p.name for p in tmp_path.iterdir()) == ["..env.original", ".env", "config"]


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
        assert (tmp_path / "real").read_text() == "A=1\n"
    if kind == "binary":
        assert path.read_bytes() == b"\xff\xfe\x00"


async def test_processes_side_by_side_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nA=1\n")
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from tests.sinks import sink_of; from keyadmin.model.secret import KeyString\n"
        "from keyadmin.local import files; files.LOCK_TIMEOUT_S = 170\n"
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


@pytest.fixture
def closed_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration directory that cannot be made, not even by root; the folder for temporary files is a fresh one."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file" / "config"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path


async def test_a_read_only_home_does_not_keep_the_key_from_a_file_that_can_be_written(closed_home: Path) -> None:
    path = closed_home / ".env"
    assert (await sink_of(f"env-file:{path}:K").deliver(KEY)).changed
    assert path.read_text() == f"K={KEY.reveal()}\n"
    (folder,) = (closed_home / "tmp").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="users are told apart by number")
async def test_a_lock_folder_of_somebody_else_is_not_used(closed_home: Path) -> None:
    (closed_home / "theirs").mkdir()
    (closed_home / "tmp" / f"keyadmin-locks-{os.getuid()}").symlink_to(closed_home / "theirs")
    with pytest.raises(Problem, match="belongs to another user"):
        await sink_of(f"env-file:{closed_home / '.env'}:K").deliver(KEY)
    assert not (closed_home / ".env").exists()
