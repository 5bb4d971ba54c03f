"""Finding key strings in files and in git history."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.leaks import finder, history
from keyadmin.leaks.finder import AllowList, Hit, fingerprint, read_allow_list
from keyadmin.model.problem import Exit, Problem
from keyadmin.model.secret import KeyString

STANDARD = "AIza" + "Sy" + "x" * 33
AUTH = "AQ." + "Ab" * 20


def found(path: Path, **options: int) -> list[tuple[str, int, str]]:
    return [(Path(hit.path).name, hit.line, hit.key.reveal()) for hit in finder.find([path], **options).hits]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (f"key = '{STANDARD}'", [STANDARD]),
        (f"{STANDARD}", [STANDARD]),
        (f"a={STANDARD}&b={AUTH}", [STANDARD, AUTH]),
        (f"I{AUTH[1:]}", [f"I{AUTH[1:]}"]),
        (f"x{STANDARD}", []),
        (f"{STANDARD}y", []),
        (STANDARD[:-1], []),
        ("AQ.short", []),
        ("AIzaAIzaAIza", []),
        (f"{STANDARD}  # keyadmin:allow", []),
        (f"{STANDARD}\n# keyadmin:allow", [STANDARD]),
    ],
)
def test_what_is_a_key_string(text: str, keys: list[str]) -> None:
    assert [key for _, key in finder.search(text.encode())] == keys


@given(st.integers(0, 3), st.integers(-45, 45), st.binary(max_size=20).map(lambda raw: raw.replace(b"\0", b"")))
def test_no_key_is_lost_or_doubled_where_pieces_meet(piece: int, offset: int, noise: bytes) -> None:
    import tempfile
    from unittest.mock import patch

    with patch.object(finder, "PIECE", 2048), tempfile.TemporaryDirectory() as folder:
        place = max(0, piece * 2048 + offset)
        text = (b"line\n" * (place // 5 + 1))[:place] + b"\n" + STANDARD.encode() + b"\n" + noise + b"\n" + b"z\n" * 900
        (Path(folder) / "f").write_bytes(text)
        assert found(Path(folder)) == [("f", text[: text.index(b"AIza")].count(b"\n") + 1, STANDARD)]


def test_binaries_links_and_git_folders_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bin").write_bytes(b"\0" + STANDARD.encode())
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(STANDARD)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / ".env").write_text(f"A=1\nK={AUTH}\n")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er" / ".env")
    assert found(tmp_path) == [(".env", 2, AUTH)]


def test_many_files_are_searched_side_by_side(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / f"{number:03}").write_text("x" * number + f" {STANDARD}\n" * (number % 100 == 7))
    assert sorted(found(tmp_path, workers=2)) == [(f"{n:03}", 1, STANDARD) for n in range(600) if n % 100 == 7]


def test_a_path_that_is_not_there() -> None:
    with pytest.raises(Problem, match="no file or folder"):
        finder.find([Path("/no/such/place")])


def test_the_allow_list_names_keys_without_giving_them_away(tmp_path: Path) -> None:
    path = tmp_path / "allow"
    path.write_text(f"# known\n{fingerprint(KeyString(AUTH))}   # in the docs\ntests/*\n")
    allowed = read_allow_list(path)
    assert allowed.has(Hit("a", 1, KeyString(AUTH)))
    assert allowed.has(Hit("tests/x", 1, KeyString(STANDARD)))
    assert not allowed.has(Hit("a", 1, KeyString(STANDARD)))
    assert not AllowList().has(Hit("a", 1, KeyString(AUTH)))
    path.write_text(f"{AUTH}\n")
    with pytest.raises(Problem) as caught:
        read_allow_list(path)
    assert caught.value.exit is Exit.USAGE
    assert AUTH not in str(caught.value)


def git(repository: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", *words]
    subprocess.run(command, cwd=repository, check=True, capture_output=True)


def test_history_shows_what_was_taken_out_again(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("one\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "1")
    (tmp_path / "a.py").write_text(f"one\nkey = '{STANDARD}'\n")
    git(tmp_path, "commit", "-qam", "2")
    (tmp_path / "a.py").write_text(f"one\ntwo\nkey = '{STANDARD}'\n")
    git(tmp_path, "commit", "-qam", "3")
    (tmp_path / "a.py").write_text("one\n")
    git(tmp_path, "commit", "-qam", "4")
    assert found(tmp_path) == []
    (hit,) = history.find(tmp_path)
    shown = subprocess.run(
        ["git", "log", "--format=%H", "--skip=2", "-1"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (hit.path, hit.line, hit.key.reveal(), hit.commit) == ("a.py", 2, STANDARD, shown.stdout.strip())


def test_history_of_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no git repository"):
        history.find(tmp_path)
