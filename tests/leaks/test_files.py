"""`scan` of files: what is read, what is passed over, what an attacker may put into a tree; texts in pieces; allow lists."""

from __future__ import annotations

import codecs
import json
import os
import random
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.leaks import finder, stream
from keyadmin.leaks.hit import AllowList, Hit, fingerprint, read_allow_list
from keyadmin.leaks.stream import TextSearch, encoding_of
from keyadmin.model.problem import Exit, Problem
from keyadmin.model.secret import KeyString
from tests.leaks.conftest import Done, Git, made_up

KEY, OTHER = made_up(), made_up("AQ.")
ROOT = Path(__file__).parents[2]
Scan = Callable[..., Done]


def found(path: Path, **options: int) -> list[tuple[str, int, str]]:
    return [(Path(hit.path).name, hit.line, hit.key.reveal()) for hit in finder.find([path], **options).hits]


def in_pieces(data: bytes, size: int, encoding: str = "utf-8") -> list[tuple[int, str]]:
    text = TextSearch(encoding)
    pieces = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    return [place for number, piece in enumerate(pieces, 1) for place in text.feed(piece, last=number == len(pieces))]


LINES = st.sampled_from([
    b"text", b"", f"k={KEY}".encode(), f"{KEY} {OTHER}".encode(), f"{KEY} # keyadmin:allow".encode(), b"# keyadmin:allow",
    b"x" * 300,
    f"{'y' * 2500}{OTHER};".encode(), f"\\n{OTHER}".encode(), b"keyadmin:allo", b"AIza",
])  # fmt: skip


@given(st.lists(LINES, max_size=12), st.integers(1, 400), st.sampled_from([b"\n", b"\r\n"]))
@settings(max_examples=200)
def test_a_text_in_pieces_says_what_the_whole_says(lines: list[bytes], size: int, end: bytes) -> None:
    data = end.join(lines)
    expected = []
    for number, line in enumerate(lines, 1):
        if b"keyadmin:allow" not in line:
            places = sorted((line.find(key.encode()), key) for key in (KEY, OTHER) if key.encode() in line)
            expected += [(number, key) for _, key in places]
    assert in_pieces(data, len(data) + 1) == expected
    assert in_pieces(data, size) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("mark", [True, False], ids=["marked", "unmarked"])
def test_wide_text(tmp_path: Path, encoding: str, mark: bool) -> None:
    text = f"one\r\n$env:GEMINI_API_KEY = '{KEY}'\r\nthree {OTHER}\r\n"
    data = text.encode(encoding)
    marks = {"utf-16-be": codecs.BOM_UTF16_BE, "utf-16-le": codecs.BOM_UTF16_LE}
    data = marks[encoding] + data if mark and encoding in marks else data
    (tmp_path / "f.txt").write_bytes(data)
    assert found(tmp_path) == [("f.txt", 2, KEY), ("f.txt", 3, OTHER)]
    assert in_pieces(data, 7, encoding_of(data) or "") == [(2, KEY), (3, OTHER)]


def test_what_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bin").write_bytes(b"\0" + KEY.encode())
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(KEY)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / ".env").write_text(f"A=1\nK={OTHER}\n")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er" / ".env")
    (tmp_path / "deep" / "loop").symlink_to(tmp_path)
    assert found(tmp_path) == [(".env", 2, OTHER)]


def test_many_files_are_searched_side_by_side(tmp_path: Path) -> None:
    for number in range(1300):
        (tmp_path / f"{number:04}").write_text("x" * number + f" {KEY}\n" * (number % 100 == 7))
    assert sorted(found(tmp_path, workers=2)) == [(f"{n:04}", 1, KEY) for n in range(1300) if n % 100 == 7]


def test_what_an_attacker_may_put_into_a_tree(tmp_path: Path, offline: Scan) -> None:
    """Pipes, devices, sockets, loops, holes of terabytes, deep folders, names that would write to the terminal."""
    tree = tmp_path / "tree"
    tree.mkdir()
    os.mkfifo(tree / "pipe")
    (tree / "loop").symlink_to("loop")
    (tree / "zero").symlink_to("/dev/zero")
    (tree / f"{KEY}.txt").write_text(f"{OTHER}\n")
    evil = "\x1b]0;owned\x07\nError: all is well\u202e"
    (tree / evil).write_text(f"{KEY}\n")
    with (tree / "sparse").open("wb") as file:
        file.write(b"text\n" * 20_000)
        file.seek(2**42)
        file.write(f"\n{KEY}\n".encode())
    with (tree / "hole").open("wb") as file:
        file.write(b"text\n" * 20_000)
        file.truncate(2**42)
    deep = tree
    for _ in range(200):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "f").write_text(KEY)
    done = offline(tree, timeout=150)
    assert done.code == 3
    assert {Path(place["path"]).name for leak in done.json for place in leak["places"]} >= {evil, "sparse", "f"}
    for form in ("json", "table", "csv", "markdown", "yaml", "jsonl", "sarif"):
        shown = offline(tree, "--format", form)
        assert KEY not in shown.out + shown.err, form
        assert "\x1b" not in (shown.out + shown.err).replace("\x1b[0m", ""), form
        assert "\nError: all is well" not in shown.out + shown.err, form


def test_what_cannot_be_read_is_said_on_one_line_each(tmp_path: Path, offline: Scan) -> None:
    folder = tmp_path / "tree"
    deep = folder
    handle = None
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(30):  # deeper than a path may be long
        os.mkdir("x" * 200, dir_fd=here)
        handle, here = here, os.open("x" * 200, os.O_RDONLY, dir_fd=here)
        os.close(handle)
    os.close(here)
    done = offline(deep, timeout=150)
    assert done.code == 1
    assert done.err.count("could not be read") == 1


def test_a_path_that_is_not_there_and_one_that_is_a_device(offline: Scan) -> None:
    assert "there is no file or folder /no/such/place" in offline("/no/such/place").err
    assert "/dev/zero is neither a file nor a folder" in offline("/dev/zero", timeout=120).err


def test_the_allow_list_names_keys_without_giving_them_away(tmp_path: Path) -> None:
    path = tmp_path / "allow"
    path.write_text(f"# known\n{fingerprint(KeyString(OTHER))}   # in the docs\ntests/*\nvendor/\n./a/b\n")
    allowed = read_allow_list(path)
    assert allowed.has(Hit("a", 1, KeyString(OTHER)))
    for place in ("tests/x", "./tests/x", "tests//x", "./a/b", "vendor/deep/x", str(Path.cwd() / "tests" / "x")):
        assert allowed.has(Hit(place, 1, KeyString(KEY))), place
    for place in ("a", "src/tests/x", "tests", "vendored/x"):
        assert not allowed.has(Hit(place, 1, KeyString(KEY))), place
    assert not AllowList().has(Hit("a", 1, KeyString(OTHER)))
    path.write_text(f"{OTHER}\n")
    with pytest.raises(Problem) as caught:
        read_allow_list(path)
    assert caught.value.exit is Exit.USAGE
    assert OTHER not in str(caught.value)


def test_the_allow_list_for_the_folder_and_for_its_files(tmp_path: Path, offline: Scan) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "b.py").write_text(f"k={KEY}\n")
    (tmp_path / "allow").write_text("tests/*\n")
    for path in (".", "tests", "tests/b.py", "./tests", tmp_path):
        assert offline(path, "--allow", "allow", cwd=tmp_path).code == 0, path
    (tmp_path / "allow").write_text("./tests/*\n")
    assert offline(".", "--allow", "allow", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("content", "said"), [(None, "more than 8 MiB"), (b"\xff\xfe", "not UTF-8")], ids=["/dev/zero", "bytes"]
)
def test_an_allow_list_that_is_none(tmp_path: Path, offline: Scan, content: bytes | None, said: str) -> None:
    path = Path("/dev/zero")
    if content is not None:
        path = tmp_path / "allow"
        path.write_bytes(content)
    done = offline(tmp_path, "--allow", path, timeout=120)
    assert done.code == 1
    assert said in done.err


def test_ignored_files_are_findings_by_choice(tmp_path: Path, git: Git, offline: Scan, home: dict[str, str]) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text(".env\ntracked\n:x*\n")
    for name in (".env", "tracked", "plain", "own", ":x[1]"):
        (folder / name).write_text(f"K={KEY}\n")
    git(folder, "add", "-f", "tracked")
    (Path(home["XDG_CONFIG_HOME"]) / "git").mkdir(parents=True)
    (Path(home["XDG_CONFIG_HOME"]) / "git" / "ignore").write_text("own\n")
    done = offline(folder)
    ignored = {Path(place["path"]).name for leak in done.json for place in leak["places"] if place.get("gitignored")}
    assert ignored == {".env", "own", ":x[1]"}
    passed = offline(folder, "--ignore-gitignored")
    assert sorted(Path(place["path"]).name for leak in passed.json for place in leak["places"]) == ["plain", "tracked"]
    assert "3 places in files that git ignores" in passed.err
    for name in ("plain", "tracked"):
        (folder / name).unlink()
    assert offline(folder, "--ignore-gitignored").code == 0
    (Path(home["HOME"]) / ".gitconfig").write_text("[core]\n\texcludesFile = ~/mine\n")
    (Path(home["HOME"]) / "mine").write_text("nothing\n")
    assert offline(folder, "--ignore-gitignored").places() == [(f"{folder}/own", 1)]


def test_sarif_is_what_its_schema_says(tmp_path: Path, git: Git, offline: Scan) -> None:
    jsonschema = pytest.importorskip("jsonschema")

    git(tmp_path, "init", "-q")
    (tmp_path / "a b[1].py").write_text(f"\nK = '{KEY}'\n")
    git(tmp_path, "add", "-A", "--", "a b[1].py")
    git(tmp_path, "commit", "-qm", "1")
    done = offline(".", "--history", "--format", "sarif", cwd=tmp_path)
    assert done.code == 3
    jsonschema.validate(done.json, json.loads((ROOT / "tests" / "data" / "sarif-2.1.0.json").read_text("utf-8")))
    (run,) = done.json["runs"]
    first = run["results"][0]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b%5B1%5D.py"
    assert first["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
    assert first["level"] == "warning"
    assert KEY not in done.out


def test_many_hits_on_one_line_take_no_longer_each(tmp_path: Path, offline: Scan) -> None:
    """12 MB and 300,000 hits took over 100 seconds: each was counted from the line's begin."""
    (tmp_path / "long").write_text(f"{KEY} " * 300_000)
    done = offline(tmp_path / "long", timeout=300)
    assert done.places() == [(f"{tmp_path}/long", 1)]


FALSE_FRIENDS = {
    "Smack.java": "protected IQ.IQChildElementXmlStringBuilder getIQ(IQ.IQChildElementXmlStringBuilder xml) { return xml; }\n",
    "bundle.min.js": "var AQ=require('react');AQ.useSyncExternalStore(a,b);AQ.__SECRET_INTERNALS_DO_NOT_USE_OR_YOU_WILL_BE;\n",
    "README.md": "export KEY=AIzaSyYOUR_API_KEY_HERE_0123456789abcde\nexport KEY=AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\n",
    "test_x.py": f"KEY = '{made_up(seed=7)}'  # keyadmin:allow\n",
    "name with blanks.txt": "AQ.short\n",
}


@pytest.mark.parametrize("number", [0, 1], ids=["keyadmin-scan", "keyadmin-scan-system"])
def test_the_real_pre_commit_on_a_repository_with_false_friends(
    tmp_path: Path, git: Git, home: dict[str, str], number: int
) -> None:
    """The entry of .pre-commit-hooks.yaml; of the first hook only where keyadmin comes from differs: no network."""
    pytest.importorskip("pre_commit")
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))[number]
    words = shlex.split(hook["entry"])
    assert words[0] == "keyadmin"
    env = home | {"PRE_COMMIT_HOME": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": os.devnull}
    if hook["language"] == "system":
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "keyadmin").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m keyadmin "$@"\n')
        (tmp_path / "bin" / "keyadmin").chmod(0o755)
        env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    else:
        hook |= {"language": "system", "entry": shlex.join([sys.executable, "-m", *words])}
    folder = tmp_path / "r"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": [hook]}]}))
    pre_commit = [sys.executable, "-m", "pre_commit"]
    subprocess.run([*pre_commit, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], env=env, check=True)

    def commit(name: str, data: bytes) -> subprocess.CompletedProcess[str]:
        (folder / name).write_bytes(data)
        git(folder, "add", "-A")
        return subprocess.run([*pre_commit, "run"], cwd=folder, env=env, capture_output=True, text=True, check=False)

    for name, text in FALSE_FRIENDS.items():
        done = commit(name, text.encode())
        assert done.returncode == 0, done.stdout + done.stderr
    for name, data in {"leak.py": f"x = '{KEY}'\n".encode(), "wide.ps1": f"$k = '{KEY}'\n".encode("utf-16")}.items():
        refused = commit(name, data)
        assert refused.returncode == 1
        assert f"{name}:1" in refused.stdout
        assert "exit code: 3" in refused.stdout
        assert KEY not in refused.stdout + refused.stderr
        git(folder, "rm", "-q", "-f", name)


def test_pieces_are_as_small_as_they_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of several pieces, with keys on all their borders."""
    monkeypatch.setattr(finder, "PIECE", 4096)
    monkeypatch.setattr(finder, "_HEAD", 4096)
    dice = random.Random(1)
    text = "".join(f"{'x' * dice.randint(0, 90)} {KEY}\n" for _ in range(600))
    (tmp_path / "f").write_text(text)
    assert found(tmp_path) == [("f", number, KEY) for number in range(1, 601)]
    assert stream.PIECE == 1024 * 1024
