"""`scan --history`: every object once, whatever the repository looks like; right paths, lines and commits."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.leaks.conftest import Done, Git, made_up

KEY, OTHER = made_up(), made_up("AQ.")
LINE = f"k = '{KEY}'\n"
Repository = Callable[..., Path]
Scan = Callable[..., Done]


def commits(git: Git, folder: Path, *words: str) -> list[str]:
    """From the oldest on."""
    return git(folder, "rev-list", "--reverse", "--topo-order", *(words or ("HEAD",))).splitlines()


def at(done: Done) -> set[tuple[str, int, str | None]]:
    return {(place["path"], place["line"], place.get("commit")) for leak in done.json for place in leak["places"]}


def test_what_was_taken_out_again_at_the_oldest_commit_that_shows_it(repository: Repository, git: Git, offline: Scan) -> None:
    folder = repository("r", {"a.py": "one\n"}, {"a.py": f"one\n{LINE}"}, {"a.py": f"one\ntwo\n{LINE}"}, {"a.py": "one\n"})
    done = offline(folder, "--history")
    assert done.code == 3
    assert at(done) == {("a.py", 2, commits(git, folder)[1])}
    assert "4 commits" in done.err
    assert KEY not in done.out + done.err


ODD_NAMES = [
    "a b.txt",
    "ü.txt",
    "tab\there",
    "new\nline",
    '"quoted"',
    "++ b",
    "-x",
    "commit 0123",
    "\x1b[31mred",
    "x" * 200,
]


def test_contents_and_names_that_look_like_a_diff(repository: Repository, git: Git, offline: Scan) -> None:
    text = f"++ curl x?key={KEY}\n-- gone\n+++ b/other\n@@ -1 +99 @@\ncommit {'01' * 20}\n\n:100644 x\n+{OTHER}\n"
    folder = repository("r", {name: f"{text}{number}\n" for number, name in enumerate(ODD_NAMES)}, {"last": "x"})
    for name in ODD_NAMES:
        (folder / name).unlink()
    git(folder, "commit", "-qam", "gone")
    first = commits(git, folder)[0]
    assert at(offline(folder, "--history")) == {(name, line, first) for name in ODD_NAMES for line in (1, 8)}


@pytest.mark.parametrize(
    "attributes", ["* -diff\n", "* binary\n", "*.ipynb -diff -text\n", "* diff=nothing\n", "[attr]binary -diff\n* binary\n"]
)
def test_attributes_hide_nothing(repository: Repository, offline: Scan, attributes: str) -> None:
    folder = repository("r", {".gitattributes": attributes, "n.ipynb": LINE}, {"n.ipynb": None})
    assert offline(folder, "--history").places() == [("n.ipynb", 1)]


def test_git_that_complains_without_end_does_not_hang(repository: Repository, offline: Scan) -> None:
    attributes = "".join(f"!neg{number}& text\n" for number in range(8000))
    folder = repository("r", {"x": LINE, "b": "b"}, {"x": None})
    (folder / ".gitattributes").write_text(attributes)
    (folder / ".git" / "info" / "attributes").write_text(attributes)
    assert offline(folder, "--history").places() == [("x", 1)]


def test_settings_of_the_repository_change_nothing(repository: Repository, git: Git, offline: Scan) -> None:
    folder = repository("r", {"x": LINE}, {"x": None})
    for name, value in (
        ("log.showRoot", "false"), ("core.quotePath", "true"), ("diff.noprefix", "true"), ("core.bare", "true"),
        ("diff.renames", "copies"), ("log.excludeDecoration", "*"), ("color.ui", "always"), ("format.pretty", "oneline"),
    ):  # fmt: skip
        git(folder, "config", name, value)
    assert offline(folder, "--history").places() == [("x", 1)]


def test_messages_tags_and_notes(repository: Repository, git: Git, offline: Scan) -> None:
    folder = repository("r", {"a": "a"})
    git(folder, "commit", "-q", "--allow-empty", "-m", f"subject\n\nuse {KEY}")
    second = commits(git, folder)[1]
    git(folder, "tag", "-a", "v1", "-m", f"first\nline {OTHER}")
    git(folder, "notes", "add", "-m", f"note {made_up(seed=3)}")
    git(
        folder,
        "tag",
        "-a",
        "of-a-blob",
        "-m",
        made_up(seed=4),
        git(folder, "hash-object", "-w", "--stdin", stdin=made_up(seed=5)),
    )
    blob = git(folder, "hash-object", "-w", "--stdin", stdin=made_up(seed=6))
    git(folder, "update-ref", "refs/odd/tree", git(folder, "mktree", stdin=f"100644 blob {blob}\tfile\n"))
    note = git(folder, "rev-parse", "refs/notes/commits")
    assert at(offline(folder, "--history")) == {
        ("(commit message)", 3, second),
        ("(tag v1)", 2, None),
        (f"(note on {second})", 1, note),
        ("(tag of-a-blob)", 1, None),
        ("(refs/tags/of-a-blob)", 1, None),
        ("(refs/odd/tree)/file", 1, None),
    }


def test_a_merge_that_brings_in_what_no_parent_has(repository: Repository, git: Git, offline: Scan) -> None:
    folder = repository("r", {"a": "a\n"})
    git(folder, "checkout", "-q", "-b", "side")
    (folder / "b").write_text("b\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "side")
    git(folder, "checkout", "-q", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "main")
    git(folder, "merge", "-q", "--no-commit", "--no-ff", "side")
    (folder / "evil").write_text(LINE)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "merge")
    merge = git(folder, "rev-parse", "HEAD")
    git(folder, "rm", "-q", "evil")
    git(folder, "commit", "-qm", "gone")
    assert at(offline(folder, "--history")) == {("evil", 1, merge)}


def test_a_file_that_is_copied_out_of_what_is_allowed(repository: Repository, offline: Scan, tmp_path: Path) -> None:
    folder = repository("r", {"tests/a.py": LINE}, {"src/a.py": LINE}, {"src/a.py": None, "tests/a.py": None})
    (tmp_path / "allow").write_text("tests/*\n")
    assert offline(folder, "--history").places() == [("src/a.py", 1), ("tests/a.py", 1)]
    assert offline(folder, "--history", "--allow", tmp_path / "allow").places() == [("src/a.py", 1)]


def test_the_stash_and_what_only_the_reflog_knows(repository: Repository, git: Git, offline: Scan) -> None:
    folder = repository("r", {"a": "a\n"})
    for text in (OTHER, "later"):
        (folder / "a").write_text(f"{text}\n")
        git(folder, "stash", "-q")
    (folder / "b").write_text(LINE)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "b")
    git(folder, "reset", "-q", "--hard", "HEAD~1")
    (folder / ".git" / "ORIG_HEAD").unlink()
    git(folder, "hash-object", "-w", "--stdin", stdin=f"dangling\n{made_up(seed=9)}\n")
    assert offline(folder, "--history").places() == [("a", 1)]
    assert offline(folder, "--reflog").places() == [("(in no commit)", 2), ("a", 1), ("b", 1)]


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_forms_of_repositories(
    repository: Repository, git: Git, offline: Scan, tmp_path: Path, options: tuple[str, ...]
) -> None:
    folder = repository("r", {"x": LINE}, {"x": None}, options=options)
    git(folder, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    git(tmp_path, "clone", "-q", "--bare", str(folder), "bare.git")
    git(tmp_path, "clone", "-q", "--shared", str(folder), "shared")
    git(tmp_path, "clone", "-q", "--shared", str(tmp_path / "shared"), "chain")
    git(tmp_path, "init", "-q", *options, "--separate-git-dir", str(tmp_path / "apart"), str(tmp_path / "work"))
    git(tmp_path / "work", "pull", "-q", str(folder), "main")
    git(folder, "gc", "-q")
    assert (folder / ".git" / "packed-refs").exists()
    for name in ("r", "linked", "bare.git", "shared", "chain", "work", "r/.git"):
        done = offline(tmp_path / name, "--history")
        assert done.places() == [("x", 1)], (name, done.err)
        assert "Warning" not in done.err


def test_a_head_that_no_branch_holds(repository: Repository, git: Git, offline: Scan, tmp_path: Path) -> None:
    folder = repository("r", {"a": "a"})
    git(folder, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    (tmp_path / "linked" / "x").write_text(LINE)
    git(tmp_path / "linked", "add", "-A")
    git(tmp_path / "linked", "commit", "-qm", "x")
    (tmp_path / "linked" / "x").unlink()
    assert offline(folder, "--history").places() == [("x", 1)]


def test_references_as_a_table(repository: Repository, git: Git, offline: Scan, tmp_path: Path) -> None:
    version = tuple(map(int, re.findall(r"\d+", git(tmp_path, "version"))[:2]))
    if version < (2, 45):
        folder = repository("r", {"x": LINE})
        git(folder, "config", "core.repositoryFormatVersion", "1")
        git(folder, "config", "extensions.refStorage", "reftable")
        (folder / ".git" / "reftable").mkdir()
        done = offline(folder, "--history")
        assert done.code == 3  # the file
        assert "git reads from 2.45 on" in done.err
        return
    folder = repository("r", {"x": LINE}, {"x": None}, options=("--ref-format=reftable",))
    git(folder, "checkout", "-q", "--detach")
    assert offline(folder, "--history").places() == [("x", 1)]


def test_several_below_a_folder_and_one_around_it(repository: Repository, git: Git, offline: Scan, tmp_path: Path) -> None:
    outer = repository("outer", {"x": LINE, "docs/a": "a"}, {"x": None})
    repository("outer/docs/one", {"y": LINE}, {"y": None})
    repository("outer/docs/deep/two", {"z": f"{OTHER}\n"}, {"z": None})
    assert offline(outer / "docs", "--history").places() == [("deep/two/z", 1), ("one/y", 1), ("x", 1)]
    assert offline(outer, outer / "docs", "--history").places() == [("docs/deep/two/z", 1), ("docs/one/y", 1), ("x", 1)]


def test_submodules_also_those_whose_work_tree_is_gone(repository: Repository, git: Git, offline: Scan) -> None:
    inner = repository("inner", {"x": LINE}, {"x": None})
    folder = repository("super", {"a": "a"})
    git(folder, "submodule", "add", "-q", str(inner), "lib/sub")
    git(folder, "commit", "-qm", "sub")
    shutil.rmtree(inner)
    assert offline(folder, "--history").places() == [("lib/sub/x", 1)]
    git(folder, "submodule", "deinit", "-q", "-f", "lib/sub")
    assert offline(folder, "--history").places() == [("lib/sub/x", 1)]


def test_a_path_without_a_repository_does_not_stop_the_others(repository: Repository, offline: Scan, tmp_path: Path) -> None:
    folder = repository("r", {"x": LINE}, {"x": None})
    (tmp_path / "none").mkdir()
    done = offline(tmp_path / "none", folder, "--history")
    assert (done.code, done.places()) == (3, [("x", 1)])
    assert "none is not in a git repository" in done.err
    assert offline(tmp_path / "none", "--history").code == 1


def test_a_shallow_clone_says_so(repository: Repository, git: Git, offline: Scan, tmp_path: Path) -> None:
    folder = repository("r", {"x": LINE}, {"x": None}, {"y": "y"})
    git(tmp_path, "clone", "-q", "--depth", "2", f"file://{folder}", "shallow")
    done = offline(tmp_path / "shallow", "--history")
    assert (done.code, done.json) == (0, [])
    assert "cut off" in done.err
    assert "git fetch --unshallow" in done.err


def test_a_list_of_cuts_that_is_made_up_hides_nothing(repository: Repository, git: Git, offline: Scan) -> None:
    folder = repository("r", {"x": LINE}, {"x": None})
    (folder / ".git" / "shallow").write_text(git(folder, "rev-parse", "HEAD") + "\n")
    assert offline(folder, "--history").places() == [("x", 1)]


@pytest.mark.parametrize("what", ["blob:none", "tree:0"])
def test_a_partial_clone_says_what_is_missing_and_fetches_nothing(
    repository: Repository, git: Git, offline: Scan, tmp_path: Path, what: str
) -> None:
    folder = repository("r", {"x": LINE, "old": "1\n"}, {"x": None}, {"y": f"{OTHER}\n"})
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", f"--filter={what}", f"file://{folder}", "partial")
    before = sorted(path for path in (tmp_path / "partial" / ".git" / "objects").rglob("*"))
    done = offline(tmp_path / "partial", "--history")
    assert done.code == 3
    assert ("y", 1) in done.places()  # of the newest commit, which a clone has for its work tree
    assert re.search(r"\d+ objects? .* not there", done.err)
    assert before == sorted(path for path in (tmp_path / "partial" / ".git" / "objects").rglob("*"))


def test_a_damaged_repository_is_searched_as_far_as_it_goes(repository: Repository, git: Git, offline: Scan) -> None:
    folder = repository("r", {"x": LINE}, {"x": None}, {"y": "y"})
    lost = git(folder, "rev-parse", "HEAD^{tree}")
    (folder / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    done = offline(folder, "--history")
    assert (done.code, done.places()) == (3, [("x", 1)])
    assert "1 object" in done.err


@pytest.mark.parametrize("what", ["blob", "tree", "commit"])
def test_a_damaged_object_hides_no_other(repository: Repository, git: Git, offline: Scan, what: str) -> None:
    folder = repository("r", {"a": LINE}, {"a": None, "b": "b\n"}, {"b": None, "z": f"{OTHER}\n"}, {"z": None})
    lost = git(folder, "rev-parse", {"blob": "HEAD~2:b", "tree": "HEAD~2^{tree}", "commit": "HEAD~2"}[what])
    path = folder / ".git" / "objects" / lost[:2] / lost[2:]
    path.chmod(0o644)
    path.write_bytes(b"no object at all")
    done = offline(folder, "--history")
    assert done.code == 3
    assert ("z", 1) in done.places()
    assert what == "commit" or ("a", 1) in done.places()  # what is behind a damaged commit cannot be known
    assert "1 object" in done.err


@pytest.mark.parametrize("text", [b"gitdir: \0x\n", b"gitdir: " + b"x" * 5000, b"gitdir: .git\n", b"gitdir: /proc/self\n"])
def test_a_file_git_that_leads_nowhere(tmp_path: Path, offline: Scan, text: bytes) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".git").write_bytes(text)
    (tmp_path / "r" / "x").write_text(LINE)
    done = offline(tmp_path / "r", "--history", "--ignore-gitignored")
    assert (done.code, done.places()) == (3, [(f"{tmp_path}/r/x", 1)])
    assert "not in a git repository" in done.err


@pytest.mark.parametrize("quoted", [b'"%b"', b"%b", b'# x\n\n"\\x"\n"\\777"\n"\\u1234"\n%b'])
def test_alternates_as_git_quotes_them(repository: Repository, git: Git, offline: Scan, tmp_path: Path, quoted: bytes) -> None:
    store = repository("st ore", {"x": LINE}, {"x": None})
    git(tmp_path, "init", "-q", "borrower")
    path = os.fsencode(store / ".git" / "objects")
    (tmp_path / "borrower" / ".git" / "objects" / "info" / "alternates").write_bytes(quoted % path + b"\n")
    git(tmp_path / "borrower", "update-ref", "refs/heads/main", git(store, "rev-parse", "HEAD"))
    assert offline(tmp_path / "borrower", "--history").places() == [("x", 1)]


def test_pipes_among_the_objects_are_not_waited_for(repository: Repository, offline: Scan) -> None:
    folder = repository("r", {"a": "a"})
    os.mkfifo(folder / ".git" / "objects" / "info" / "alternates")
    done = offline(folder, "--history", timeout=150)
    assert done.code == 1
    assert "neither a file nor a folder" in done.err


@pytest.mark.parametrize("name", ["HEAD", "packed-refs", "config", "shallow", "commondir", "refs/heads/x", "index"])
def test_nor_elsewhere(repository: Repository, offline: Scan, name: str) -> None:
    folder = repository("r", {"x": LINE})
    (folder / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(folder / ".git" / name)
    assert offline(folder, "--history", "--ignore-gitignored", timeout=150).code == 3


def test_a_message_of_git_s_cannot_write_to_the_terminal(repository: Repository, offline: Scan) -> None:
    folder = repository("r", {"x": "x"})
    (folder / ".git" / "config").write_text('[extensions]\n\tobjectFormat = "\x1b]0;owned\x07\nx"\n')
    done = offline(folder, "--history")
    assert done.code == 1
    assert "\x1b" not in done.err


def test_what_the_allow_mark_and_the_list_take_out(repository: Repository, offline: Scan) -> None:
    folder = repository("r", {"x": f"{LINE.strip()}  # keyadmin:allow\n"}, {"x": None})
    assert offline(folder, "--history").json == []


def test_without_git(repository: Repository, keyadmin: Callable[..., Done], tmp_path: Path) -> None:
    folder = repository("r", {"x": "x"})
    (tmp_path / "empty").mkdir()
    done = keyadmin("scan", folder, "--history", "--offline", env={"PATH": str(tmp_path / "empty")})
    assert done.code == 1
    assert "git is not installed" in done.err


def test_the_objects_of_a_repository_as_git_lists_them(repository: Repository, git: Git, home: dict[str, str]) -> None:
    """Against git's own list: no blob that a commit reaches is left out, none is asked for twice."""
    from keyadmin.leaks.walk import Walk
    from keyadmin.local.git import own_repository
    from keyadmin.local.repositories import Format, below, object_folders, tips_of

    folder = repository("r", *({f"d{n % 3}/f{n}": f"{n}\n", "same": "s\n"} for n in range(12)))
    (there,) = below(folder)
    with own_repository(object_folders(there)) as own:
        walk = Walk(own)
        walk.start_at(tips_of(there, Format()).names)
        walk.run()
        wanted = list(walk.wanted())
    listed = subprocess.run(
        ["git", "rev-list", "--objects", "--all"], cwd=folder, env=home, capture_output=True, text=True, check=True
    )
    numbers = [line.split()[0] for line in listed.stdout.splitlines()]
    kinds = git(folder, "cat-file", "--batch-check=%(objecttype)", stdin="\n".join(numbers)).splitlines()
    assert sorted(wanted) == sorted(number for number, kind in zip(numbers, kinds, strict=True) if kind != "tree")
