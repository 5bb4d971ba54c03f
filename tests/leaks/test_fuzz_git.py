"""Repositories made at random: settings, attributes, contents that look like diffs, damaged files. Nothing runs, nothing is
missed, nothing ends in a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyadmin.leaks import history
from keyadmin.local.git_status import ignored, tracked
from tests.leaks.conftest import made_up

KEY = made_up()
# One a line of these blocks.
WORDS = st.sampled_from(
    f"""
+
-
++ x
-- x
+++ b/x
--- a/x
@@ -1,2 +3,4 @@
diff --git a/x b/x
commit {"ab" * 20}
\\ No newline at end of file
:100644 100644 {"0" * 40}
index 0..1
Binary files differ
tree {"cd" * 20}
GIT binary patch
\x1b[31m
ü""".split("\n")
)
ATTRIBUTES = st.lists(
    st.builds(
        "{} {}".format,
        st.sampled_from(["*", "*.txt", "/x", "!y", "[attr]z", '"a b"']),
        st.sampled_from(["-diff", "binary", "diff=evil", "filter=evil", "merge=evil", "-text", "ident", "text eol=crlf", "z"]),
    ),
    max_size=4,
)
SECTIONS = st.sampled_from(
    """diff "evil";filter "evil";merge "evil";core;log;gpg;include;includeIf "gitdir:/";alias;pager;credential;
remote "origin";hook;hook "evil";gc;extensions""".replace("\n", "").split(";")
)
NAMES = st.sampled_from(
    [
        "textconv",
        "command",
        "clean",
        "smudge",
        "process",
        "driver",
        "fsmonitor",
        "sshCommand",
        "pager",
        "program",
        "path",
        "showSignature",
        "log",
        "helper",
        "url",
        "promisor",
        "event",
        "recentObjectsHook",
        "worktree",
        "editor",
        "hooksPath",
        "attributesFile",
        "partialClone",
        "quotePath",
        "bare",
    ]
)
VALUES = st.sampled_from(["PROGRAM", "!PROGRAM", "ext::PROGRAM", "true", "false", "..", "/dev/zero"])
CONFIG = st.lists(st.tuples(SECTIONS, NAMES, VALUES))
PLACES = st.sampled_from(
    [
        "config",
        "HEAD",
        "packed-refs",
        "shallow",
        "commondir",
        "index",
        "objects/info/alternates",
        "info/exclude",
        "refs/heads/main",
    ]
)
SLOW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/mark"\n')
    program.chmod(0o755)
    return tmp_path


def built(folder: Path, text: str, attributes: list[str]) -> Path:
    """Two commits: one with the text, one without."""
    repository = Path(tempfile.mkdtemp(dir=folder))
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder)}
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]

    def git(*words: str) -> None:
        subprocess.run(["git", *who, *words], cwd=repository, env=env, check=True, capture_output=True)

    git("init", "-q")
    (repository / "x").write_bytes(text.encode())
    git("add", "x")
    git("commit", "-qm", "1")
    git("rm", "-q", "x")
    (repository / ".gitattributes").write_text("\n".join(attributes))
    git("add", ".gitattributes")
    git("commit", "-qm", "2")
    return repository


def hits(repository: Path) -> list[tuple[str, int, str]]:
    return [(hit.path, hit.line, hit.key.reveal()) for hit in history.find([repository], workers=1).hits]


@given(st.lists(WORDS, max_size=8), st.integers(0, 8), WORDS, ATTRIBUTES, CONFIG)
@SLOW
def test_settings_attributes_and_contents(
    folder: Path, lines: list[str], at: int, front: str, attributes: list[str], config: list[tuple[str, str, str]]
) -> None:
    lines = [*lines[:at], f"{front} {KEY}", *lines[at:]]
    repository = built(folder, "\n".join(lines), attributes)
    text = "".join(
        f"[{section}]\n\t{name} = {value.replace('PROGRAM', str(folder / 'program'))}\n" for section, name, value in config
    )
    with (repository / ".git" / "config").open("a") as file:
        file.write(text)
    expected = ("x", "\n".join(lines)[: "\n".join(lines).index(KEY)].count("\n") + 1, KEY)
    assert hits(repository) == [expected]
    (repository / ".env").write_text("")
    tracked(repository / ".env")
    ignored([str(repository / ".env")])
    assert not (folder / "mark").exists()
    shutil.rmtree(repository)


@given(
    PLACES,
    st.binary(max_size=120)
    | st.sampled_from([b"../../../..", b"/dev/zero\n", b"gitdir: x", b"[core\n", b"ref: refs/heads/\xff"]),
)
@SLOW
def test_damaged_files(folder: Path, place: str, data: bytes) -> None:
    repository = built(folder, f"{KEY}\n", [])
    (repository / ".git" / place).write_bytes(data)
    found = history.find([repository], workers=1)
    assert [hit.path for hit in found.hits] in ([], ["x"])
    tracked(repository / "x")
    ignored([str(repository / "x")])
    shutil.rmtree(repository)
