"""No program that a scanned repository names is run: every key of git's documentation that takes a command, in every form."""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.leaks.conftest import Done, Git, made_up

KEY = made_up()
ENV = f"GEMINI_API_KEY={made_up(seed=1)}\n"

# Every key of git's configuration that takes a command or the path of a program: git-config(1) of 2.39, and the release notes
# up to 2.55. %s = the program.
COMMANDS = {
    "alias.log": "!%s",
    "alias.cat-file": "!%s",
    "alias.for-each-ref": "!%s",
    "browser.x.cmd": "%s",
    "browser.x.path": "%s",
    "core.alternateRefsCommand": "%s",
    "core.askPass": "%s",
    "core.editor": "%s",
    "core.fsmonitor": "%s",
    "core.gitProxy": "%s",
    "core.hooksPath": "HOOKS",
    "core.pager": "%s",
    "core.sshCommand": "%s",
    "credential.helper": "!%s",
    "credential.https://example.com.helper": "!%s",
    "diff.external": "%s",
    "diff.evil.command": "%s",
    "diff.evil.textconv": "%s",
    "diff.evil.cachetextconv": "true",
    "difftool.x.cmd": "%s",
    "difftool.x.path": "%s",
    "filter.evil.clean": "%s",
    "filter.evil.smudge": "%s",
    "filter.evil.process": "%s",
    "filter.evil.required": "true",
    "gc.recentObjectsHook": "%s",
    "gpg.program": "%s",
    "gpg.openpgp.program": "%s",
    "gpg.x509.program": "%s",
    "gpg.ssh.program": "%s",
    "gpg.ssh.defaultKeyCommand": "%s",
    "guitool.x.cmd": "%s",
    "help.browser": "x",
    "hook.evil.command": "%s",
    "hook.evil.event": "post-index-change",
    "imap.tunnel": "%s",
    "instaweb.httpd": "%s",
    "instaweb.browser": "x",
    "interactive.diffFilter": "%s",
    "man.viewer": "x",
    "man.x.cmd": "%s",
    "man.x.path": "%s",
    "merge.evil.driver": "%s",
    "mergetool.x.cmd": "%s",
    "mergetool.x.path": "%s",
    "pager.log": "%s",
    "pager.cat-file": "%s",
    "pager.for-each-ref": "%s",
    "pager.config": "%s",
    "remote.origin.url": "ext::%s",
    "remote.origin.uploadpack": "%s",
    "remote.origin.receivepack": "%s",
    "remote.origin.vcs": "evil",
    "remote.origin.promisor": "true",
    "remote.origin.partialclonefilter": "blob:none",
    "sendemail.smtpServer": "%s",
    "sendemail.sendmailCmd": "%s",
    "sendemail.toCmd": "%s",
    "sendemail.ccCmd": "%s",
    "sendemail.headerCmd": "%s",
    "sequence.editor": "%s",
    "ssh.variant": "simple",
    "submodule.sub.update": "!%s",
    "tar.evil.command": "%s",
    "trailer.x.command": "%s",
    "trailer.x.cmd": "%s",
    "uploadpack.packObjectsHook": "%s",
    "web.browser": "x",
    # And what makes git use them.
    "core.untrackedCache": "true",
    "core.attributesFile": "ATTRIBUTES",
    "core.worktree": None,
    "diff.tool": "x",
    "log.showSignature": "true",
    "log.showRoot": "false",
    "log.diffMerges": "separate",
    "merge.tool": "x",
    "protocol.ext.allow": "always",
    "protocol.allow": "always",
    "protocol.file.allow": "always",
    "extensions.partialClone": "origin",
}
# What has to come first of a config file: without it extensions are ignored.
FIRST = "[core]\n\trepositoryformatversion = 1\n"
HOOKS = [
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "p4-changelist",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
]
ATTRIBUTES = "* diff=evil filter=evil merge=evil -text ident export-subst\n"
ORDINARY = b"tree %b\nauthor a <a@example.com> 1700000000 +0000\ncommitter a <a@example.com> 1700000000 +0000\n"
SIGNED = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----\n\nsigned\n"


@pytest.fixture
def evil(tmp_path: Path) -> Callable[[], list[str]]:
    """A program that leaves a mark for each run; `evil()` = who ran it."""
    marks = tmp_path / "marks"
    marks.mkdir()
    program = tmp_path / "evil-program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {shlex.quote(str(marks))}/mark\ncat >/dev/null 2>&1 </dev/null\nexit 0\n')
    program.chmod(0o755)
    return lambda: (marks / "mark").read_text().splitlines() if (marks / "mark").exists() else []


def poison(git: Git, folder: Path, git_dir: Path, program: Path, *, into: Path | None = None) -> None:
    """Write all of it into a repository: configuration (or a file that it includes), hooks, attributes, a signed commit."""
    hooks = git_dir / "evil-hooks"
    hooks.mkdir()
    for name in HOOKS:
        for place in (hooks, git_dir / "hooks"):
            place.mkdir(exist_ok=True)
            (place / name).write_text(f"#!/bin/sh\nexec {shlex.quote(str(program))} hook {name}\n")
            (place / name).chmod(0o755)
    (git_dir / "evil-attributes").write_text(ATTRIBUTES)
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info" / "attributes").write_text(ATTRIBUTES)
    config = into or git_dir / "config"
    special = {"HOOKS": str(hooks), "ATTRIBUTES": str(git_dir / "evil-attributes")}
    for name, value in COMMANDS.items():
        if value is not None:
            text = special.get(value, value % program if "%s" in value else value)
            git(folder, "config", "--file", str(config), name, text)


def sign_head(git: Git, folder: Path, git_dir: Path) -> None:
    """Put a commit with a signature on top: what log.showSignature hands to gpg.program."""
    tree = git(folder, "--git-dir", str(git_dir), "rev-parse", "HEAD^{tree}").encode()
    parent = git(folder, "--git-dir", str(git_dir), "rev-parse", "HEAD")
    text = ORDINARY.replace(b"\nauthor", b"\nparent " + parent.encode() + b"\nauthor", 1) % tree + SIGNED
    made = git(folder, "--git-dir", str(git_dir), "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.decode())
    git(folder, "--git-dir", str(git_dir), "update-ref", "HEAD", made)


Form = Callable[[Path, Git, Callable[..., Path], Path], Path]


def _plain(tmp_path: Path, git: Git, repository: Callable[..., Path], program: Path) -> Path:
    folder = repository("plain", {"a.txt": f"k={KEY}\n", ".env": ENV, ".gitattributes": ATTRIBUTES}, {"a.txt": "gone\n"})
    sign_head(git, folder, folder / ".git")
    poison(git, folder, folder / ".git", program)
    return folder


def _bare_in_a_sub_folder(tmp_path: Path, git: Git, repository: Callable[..., Path], program: Path) -> Path:
    inner = _plain(tmp_path, git, repository, program)
    outer = tmp_path / "outer"
    (outer / "docs").mkdir(parents=True)
    git(outer, "init", "-q")
    (inner / ".git").rename(outer / "docs" / "notes")
    git(outer, "config", "--file", str(outer / "docs" / "notes" / "config"), "core.bare", "false")
    git(outer, "config", "--file", str(outer / "docs" / "notes" / "config"), "core.worktree", "..")
    (outer / "docs" / ".env").write_text(ENV)
    return outer / "docs" / "notes"


def _included(tmp_path: Path, git: Git, repository: Callable[..., Path], program: Path) -> Path:
    folder = repository("included", {"a.txt": f"k={KEY}\n", ".env": ENV}, {"a.txt": "gone\n"})
    sign_head(git, folder, folder / ".git")
    poison(git, folder, folder / ".git", program, into=folder / ".git" / "more")
    for name in ("include.path", f"includeIf.gitdir:{folder}/.path", "includeIf.onbranch:main.path"):
        git(folder, "config", "--file", str(folder / ".git" / "config"), name, "more")
    return folder


def _linked_worktree(tmp_path: Path, git: Git, repository: Callable[..., Path], program: Path) -> Path:
    folder = repository("first", {"a.txt": f"k={KEY}\n", ".env": ENV}, {"a.txt": "gone\n"})
    git(folder, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    sign_head(git, folder, folder / ".git")
    home = folder / ".git" / "worktrees" / "linked"
    poison(git, folder, folder / ".git", program)
    poison(git, folder, home, program, into=home / "config.worktree")
    git(folder, "config", "--file", str(folder / ".git" / "config"), "extensions.worktreeConfig", "true")
    return tmp_path / "linked"


def _submodule(tmp_path: Path, git: Git, repository: Callable[..., Path], program: Path) -> Path:
    inner = repository("inner", {"a.txt": f"k={KEY}\n"}, {"a.txt": "gone\n"})
    folder = repository("super", {"b": "b\n", ".env": ENV})
    git(folder, "submodule", "add", "-q", str(inner), "sub")
    git(folder, "commit", "-q", "-m", "sub")
    module = folder / ".git" / "modules" / "sub"
    sign_head(git, folder / "sub", module)
    poison(git, folder, module, program)
    poison(git, folder, folder / ".git", program)
    return folder


def _alternates(tmp_path: Path, git: Git, repository: Callable[..., Path], program: Path) -> Path:
    store = _plain(tmp_path, git, repository, program)
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(store), "borrower", more={"GIT_CONFIG_COUNT": "0"})
    poison(git, tmp_path / "borrower", tmp_path / "borrower" / ".git", program)
    (tmp_path / "borrower" / ".env").write_text(ENV)
    return tmp_path / "borrower"


def _partial_clone(tmp_path: Path, git: Git, repository: Callable[..., Path], program: Path) -> Path:
    folder = _plain(tmp_path, git, repository, program)
    blob = git(folder, "--git-dir", str(folder / ".git"), "hash-object", "--no-filters", "a.txt")
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    (folder / ".git" / "objects" / "pack" / "pack-x.promisor").touch()
    return folder


FORMS = [_plain, _bare_in_a_sub_folder, _included, _linked_worktree, _submodule, _alternates, _partial_clone]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__.strip("_"))
def test_no_mark_is_left(
    form: Form,
    tmp_path: Path,
    git: Git,
    repository: Callable[..., Path],
    offline: Callable[..., Done],
    keyadmin: Callable[..., Done],
    evil: Callable[[], list[str]],
) -> None:
    folder = form(tmp_path, git, repository, tmp_path / "evil-program")
    assert evil() == [], "building it ran something already"
    for words in (("--history",), ("--reflog",), ("--history", "--ignore-gitignored")):
        done = offline(folder, *words)
        assert done.code == 3, done.err
        assert any(place.get("commit") for leak in done.json for place in leak["places"])
    work = folder if (folder / ".env").exists() else folder.parent
    shown = keyadmin("env", "show", cwd=work)
    assert shown.code == 0
    assert ".env" in shown.out  # and so git was asked whether it is tracked
    assert evil() == []


@pytest.mark.parametrize(
    "words", [("log", "-p"), ("log", "--show-signature"), ("status",)], ids=["textconv", "signatures", "fsmonitor"]
)
def test_git_itself_would_have_run_it(
    tmp_path: Path,
    git: Git,
    repository: Callable[..., Path],
    evil: Callable[[], list[str]],
    words: tuple[str, ...],
    home: dict[str, str],
) -> None:
    """So that the test above can fail: the traps are set."""
    folder = _plain(tmp_path, git, repository, tmp_path / "evil-program")
    subprocess.run(["git", *words], cwd=folder, env=home, capture_output=True, check=False)
    assert evil()


def test_nor_a_git_that_lies_in_the_scanned_folder(
    tmp_path: Path,
    repository: Callable[..., Path],
    offline: Callable[..., Done],
    evil: Callable[[], list[str]],
    home: dict[str, str],
) -> None:
    folder = repository("r", {"a": f"k={KEY}\n"})
    (tmp_path / "evil-program").rename(folder / "git")
    for path in (f".{os.pathsep}{home['PATH']}", f"{os.pathsep}{home['PATH']}"):
        assert offline(".", "--history", cwd=folder, env={"PATH": path}).code == 3
    assert evil() == []


@pytest.fixture
def hostile_variables(tmp_path: Path) -> dict[str, str]:
    """Variables of git's that lead it elsewhere or name programs."""
    program = str(tmp_path / "evil-program")
    return {
        **{name: str(tmp_path / "nowhere") for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")},
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "gpg.program",
        "GIT_CONFIG_VALUE_0": program,
        **dict.fromkeys(("GIT_EXTERNAL_DIFF", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_PAGER", "GIT_ASKPASS", "GIT_EDITOR"), program),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={program}'",
        "GIT_NAMESPACE": "x",
        "GIT_TRACE": str(tmp_path / "trace"),
    }


def test_variables_of_git_do_not_count(
    tmp_path: Path,
    repository: Callable[..., Path],
    offline: Callable[..., Done],
    evil: Callable[[], list[str]],
    hostile_variables: dict[str, str],
) -> None:
    folder = repository("r", {"a": f"k={KEY}\n"}, {"a": "gone\n"})
    done = offline(folder, "--history", env=hostile_variables)
    assert done.places() == [("a", 1)]
    assert evil() == []
    assert not (tmp_path / "trace").exists()


def test_one_module_starts_git() -> None:
    """Whoever writes the word git as a program to start does it in keyadmin/local/git.py."""
    import ast

    import keyadmin

    for path in Path(keyadmin.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            first = node.elts[0] if isinstance(node, ast.List | ast.Tuple) and node.elts else None
            if isinstance(first, ast.Constant) and first.value == "git":
                assert path.name == "git.py", f"{path}:{first.lineno}"


def test_nothing_stays_behind(repository: Callable[..., Path], offline: Callable[..., Done], home: dict[str, str]) -> None:
    folder = repository("r", {"a": f"k={KEY}\n"})
    killed, running = (Path(home["TMPDIR"]) / f"keyadmin-git-{name}" for name in ("killed", "running"))
    for path in (killed, running):
        (path / "objects").mkdir(parents=True)
        os.utime(path, (0, 0))
    handle = os.open(running, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert offline(folder, "--history").code == 3
        assert list(Path(home["TMPDIR"]).iterdir()) == [running]
    finally:
        os.close(handle)
