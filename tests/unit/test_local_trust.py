"""Whose files may say what is done: owner, group, world, folder, links, read-only mounts, root."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyadmin.local import trust
from keyadmin.local.trust import LIMIT, read_trusted
from keyadmin.model.problem import Exit, Problem

OTHER = 64999  # a user that no machine has
ROOT = os.name == "posix" and os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root can be other users, or give files away")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this user's with a policy in it, and this user there."""
    folder = tmp_path / "checkout"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "keyadmin.toml").write_text("x = 1\n")
    (folder / "keyadmin.toml").chmod(0o644)
    monkeypatch.chdir(folder)
    return folder


@contextmanager
def user(uid: int) -> Iterator[None]:
    """As another user, in this process: files are opened as that one."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def why(path: Path = Path("keyadmin.toml"), *, found: bool = True) -> str | None:
    """Why a file is refused; None = it is read."""
    try:
        text = read_trusted(path, found=found)
    except Problem as problem:
        refused = problem
    else:
        assert text == "x = 1\n"
        return None
    assert refused.exit is Exit.USAGE
    assert refused.fix
    return f"{refused.message} | {' | '.join(refused.fix)}"


def test_ones_own_is_read(here: Path) -> None:
    assert why() is None
    assert why(here / "keyadmin.toml", found=False) is None


@pytest.mark.parametrize("found", [True, False])
def test_what_the_world_may_write_is_not_read(here: Path, found: bool) -> None:
    (here / "keyadmin.toml").chmod(0o646)
    told = why(found=found)
    assert told is not None
    assert "everybody may write it" in told
    assert "chmod o-w keyadmin.toml" in told


@pytest.mark.parametrize("found", [True, False])
def test_in_a_folder_that_the_world_may_write_it_can_be_exchanged(here: Path, found: bool) -> None:
    here.chmod(0o777)
    told = why(found=found)
    assert told is not None
    assert "everybody may write its folder" in told


def test_a_group_that_is_not_the_owners_own_may_not_write_what_was_found(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_private", lambda owner, group: False)
    (here / "keyadmin.toml").chmod(0o664)
    told = why()
    assert told is not None
    assert "the group" in told
    assert "chmod g-w keyadmin.toml" in told
    (here / "keyadmin.toml").chmod(0o644)
    here.chmod(0o775)
    assert "may write its folder" in str(why())


def test_umask_002_goes_with_a_group_of_ones_own(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_private", lambda owner, group: True)
    (here / "keyadmin.toml").chmod(0o664)
    here.chmod(0o775)
    assert why() is None


@pytest.mark.parametrize(
    ("name", "gid", "members", "others", "private"),
    [
        ("dev", 700, [], [], True),
        ("dev", 700, ["dev"], [], True),
        ("dev", 700, ["dev", "eve"], [], False),
        ("staff", 700, [], [], False),
        ("dev", 701, [], [], False),
        ("dev", 700, [], [700], False),
    ],
)
def test_a_private_group_is_its_owners_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, gid: int, members: list[str], others: list[int], private: bool
) -> None:
    import grp
    import pwd

    dev = pwd.struct_passwd(("dev", "x", 700, 700, "", "/", ""))
    everybody = [dev, *(pwd.struct_passwd((f"eve{each}", "x", 900, each, "", "/", "")) for each in others)]
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: dev)
    monkeypatch.setattr(pwd, "getpwall", lambda: everybody)
    monkeypatch.setattr(grp, "getgrgid", lambda asked: grp.struct_group((name, "x", asked, members)))
    assert trust._private(700, gid) is private


def test_who_is_in_no_list_of_users_has_no_private_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container nobody may know the uid of a checkout."""
    assert trust._private(OTHER, OTHER) is False


@pytest.mark.parametrize("found", [True, False])
def test_on_a_read_only_mount_nothing_counts_as_writable(here: Path, monkeypatch: pytest.MonkeyPatch, found: bool) -> None:
    """Kubernetes mounts ConfigMaps so: folders of mode 0777 and links in them, on a mount that nobody can write."""
    data = here / "..2026_11_28"
    data.mkdir()
    (here / "keyadmin.toml").rename(data / "keyadmin.toml")
    (here / "..data").symlink_to(data.name)
    (here / "keyadmin.toml").symlink_to("..data/keyadmin.toml")
    (data / "keyadmin.toml").chmod(0o666)
    data.chmod(0o777)
    here.chmod(0o777)
    assert why(found=found) is not None
    monkeypatch.setattr(trust, "_read_only", lambda where: True)
    assert why(found=found) is None


@needs_root
def test_a_real_read_only_mount(here: Path) -> None:
    here.chmod(0o777)
    script = f"mount --bind {here} {here} && mount -o remount,ro,bind {here} && cd {here} && exec {sys.executable} -c " + (
        "'from pathlib import Path; from keyadmin.local.trust import read_trusted; "
        'print(read_trusted(Path("keyadmin.toml"), found=True))\''
    )
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode and "permitted" in done.stderr + "denied":
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()[-120:]}")
    assert done.stdout.strip() == "x = 1", done.stderr


@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_link_is_as_good_as_where_it_lies_and_where_it_leads(here: Path, tmp_path: Path, where: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (here / "keyadmin.toml").rename(elsewhere / "real.toml")
    (here / "keyadmin.toml").symlink_to(elsewhere / "real.toml")
    assert why() is None
    if where == "folder":
        elsewhere.chmod(0o777)
    else:
        (elsewhere / "real.toml").chmod(0o666)
    assert why() is not None


# ---- other users -----------------------------------------------------------------------------------------------------------


@needs_root
@pytest.mark.parametrize("found", [True, False])
def test_root_does_nothing_that_another_user_wrote(here: Path, found: bool) -> None:
    """A root container on another uid's checkout, say: what to type is told."""
    os.chown(here / "keyadmin.toml", OTHER, OTHER)
    told = why(found=found)
    assert told is not None
    assert f"belongs to the user {OTHER}" in told
    assert "chown 0 keyadmin.toml" in told
    os.chown(here / "keyadmin.toml", 0, 0)
    os.chown(here, OTHER, OTHER)
    assert f"belongs to the user {OTHER}" in str(why(found=found))


@needs_root
def test_a_user_uses_what_root_wrote(here: Path) -> None:
    with user(OTHER):
        assert why() is None
        assert why(found=False) is None


@needs_root
def test_a_found_policy_of_a_third_user_is_not_used_and_a_named_one_is(here: Path) -> None:
    os.chown(here / "keyadmin.toml", OTHER + 1, OTHER + 1)
    with user(OTHER):
        told = why()
        assert told is not None
        assert "--policy keyadmin.toml" in told
        assert why(found=False) is None


@needs_root
def test_a_folder_of_a_third_user_is_not_trusted_either(here: Path) -> None:
    os.chown(here, OTHER + 1, OTHER + 1)
    with user(OTHER):
        assert f"belongs to the user {OTHER + 1}" in str(why())
        assert why(found=False) is None


@needs_root
def test_a_link_that_a_third_user_laid_is_not_followed_in_a_found_policy(here: Path) -> None:
    (here / "keyadmin.toml").rename(here / "real.toml")
    (here / "keyadmin.toml").symlink_to("real.toml")
    os.chown(here / "keyadmin.toml", OTHER + 1, OTHER + 1, follow_symlinks=False)
    with user(OTHER):
        assert why() is not None
        assert why(found=False) is None


@needs_root
def test_a_user_may_name_a_policy_that_a_group_may_write(here: Path) -> None:
    (here / "keyadmin.toml").chmod(0o664)
    with user(OTHER):
        assert why(found=False) is None
    assert why(found=False) is None, "root's group is root's own"
    os.chown(here / "keyadmin.toml", 0, OTHER)
    told = why(found=False)
    assert told is not None, "for root the rules for found ones hold for named ones too"


# ---- how much is read ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_devices_are_not_read(path: str) -> None:
    with pytest.raises(Problem, match="not a regular file"):
        read_trusted(Path(path), found=False)


def test_no_more_is_read_than_a_policy_can_be(here: Path) -> None:
    (here / "keyadmin.toml").write_bytes(b"#" * (LIMIT + 1))
    assert "larger than 1,048,576 bytes" in str(why())
    (here / "keyadmin.toml").write_bytes(b"#" * LIMIT)
    assert len(read_trusted(Path("keyadmin.toml"), found=True)) == LIMIT


def test_a_pipe_is_read_where_it_is_named(here: Path) -> None:
    """`--policy <(...)`."""
    os.mkfifo(here / "pipe", 0o600)
    writer = threading.Thread(target=lambda: (here / "pipe").write_text("x = 1\n"))
    reader, held = os.pipe()
    writer.start()
    try:
        with open(here / "pipe", encoding="utf-8") as pipe:  # the writer is there
            assert why(Path(f"/dev/fd/{pipe.fileno()}"), found=False) is None
    finally:
        writer.join(60)
        os.close(reader)
        os.close(held)


def test_text_that_is_none_is_told(here: Path) -> None:
    (here / "keyadmin.toml").write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in str(why())


def test_it_is_the_open_file_that_is_asked_about(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exchanged between the look and the reading, nothing of the other one is read."""
    swap: Callable[..., object] = trust.distrust

    def exchanged(path: Path, descriptor: int, *, found: bool) -> object:
        answer = swap(path, descriptor, found=found)
        (here / "other").write_text("evil = 1\n")
        (here / "other").rename(here / "keyadmin.toml")
        return answer

    monkeypatch.setattr(trust, "distrust", exchanged)
    assert read_trusted(Path("keyadmin.toml"), found=True) == "x = 1\n"
