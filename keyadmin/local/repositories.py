"""git repositories on disk, read as files: where they are, where their objects lie, what their references name.

git is given a copy of the configuration, and links to the files of a table of references; the rest is read here.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyadmin.local.git import Git, own_repository, write_settings
from keyadmin.model.problem import Cause, Problem

_SMALL: Final = 1024 * 1024  # bytes of a file that names other places
_LARGE: Final = 512 * 1024 * 1024  # of one that lists references
_DEEPEST: Final = 5  # alternates of alternates, as git follows them
_ID: Final = re.compile(rb"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_REFTABLE_SINCE: Final = (2, 45)
SKIPPED: Final = frozenset({".git", ".hg", ".svn"})


@dataclass(frozen=True)
class Repository:
    """A repository: `label` is what stands before its paths (empty for the one that was named)."""

    label: str
    git_dir: Path
    common: Path
    """Where objects and references lie: `git_dir` itself but in a linked work tree."""
    top: Path | None = None
    """The folder of the work tree; None for a bare one."""


def read_small(path: Path, limit: int = _SMALL) -> bytes | None:
    """A regular file's content; None for anything else and for more than `limit` bytes."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):  # a path with a NUL byte in it
        return None
    with os.fdopen(handle, "rb") as file:
        known = os.fstat(file.fileno())
        if not stat.S_ISREG(known.st_mode) or known.st_size > limit:
            return None
        try:
            return file.read(limit)
        except OSError:
            return None


def at(folder: Path, label: str = "") -> Repository | None:
    """The repository whose work tree or bare folder this is."""
    marker = folder / ".git"
    if marker.is_dir():
        return _opened(label, marker, folder)
    if (text := read_small(marker)) is not None and text.startswith(b"gitdir:"):
        return _opened(label, folder / os.fsdecode(text[7:].strip()), folder)
    return _opened(label, folder, None)


def _opened(label: str, git_dir: Path, top: Path | None) -> Repository | None:
    common = git_dir
    if (text := read_small(git_dir / "commondir")) is not None:
        common = git_dir / os.fsdecode(text.strip())
    try:
        whole = (git_dir / "HEAD").is_file() and (common / "objects").is_dir()
        if not whole or not any((common / name).exists() for name in ("refs", "packed-refs", "reftable")):
            return None
        return Repository(label, git_dir.resolve(), common.resolve(), top)
    except (OSError, ValueError):
        return None


def enclosing(path: Path) -> Repository | None:
    """The repository that a file or folder lies in."""
    here = path.absolute()
    for folder in (here, *here.parents):
        if found := at(folder):
            return found
    return None


def below(path: Path) -> list[Repository]:
    """The repositories at and below a folder, submodules too, each object store once; the one at the folder itself first."""
    found: dict[Path, Repository] = {}
    todo = [path]
    while todo:
        folder = todo.pop()
        label = "" if folder == path else folder.relative_to(path).as_posix()
        repository = at(folder, label)
        if repository is not None:
            found.setdefault(repository.common, repository)
            for module in _modules(repository):
                found.setdefault(module.common, module)
            if repository.top is None:
                continue  # what lies in a bare repository is its own
        todo += _folders(folder)
    return list(found.values())


def _modules(repository: Repository) -> Iterator[Repository]:
    """Submodules whose work trees may be gone: git keeps them below `modules`, by name."""
    root = repository.common / "modules"
    todo = _folders(root)
    while todo:
        folder = todo.pop()
        name = folder.relative_to(root).as_posix()
        if module := _opened(f"{repository.label}/{name}".strip("/"), folder, None):
            yield module
            yield from _modules(module)
        else:
            todo += _folders(folder)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (Path(e.path) for e in entries if e.is_dir(follow_symlinks=False) and e.name not in SKIPPED), reverse=True
            )
    except OSError:
        return []


def object_folders(repository: Repository) -> list[Path]:
    """Where its objects lie, alternates included. Raises Problem for what git could not read to its end (pipes, devices)."""
    found: list[Path] = []
    todo = [(repository.common / "objects", 0)]
    while todo:
        folder, depth = todo.pop(0)
        if folder in found or not folder.is_dir():
            continue
        _refuse_odd(folder)
        found.append(folder)
        if depth < _DEEPEST:
            todo += [(each, depth + 1) for each in _alternates(folder)]
    return found


def _alternates(objects: Path) -> list[Path]:
    text = read_small(objects / "info" / "alternates") or b""
    lines = [line for line in text.split(b"\n") if line and not line.startswith(b"#")]
    paths = [_unquoted(line[1:-1]) if line[:1] == b'"' == line[-1:] else line for line in lines]
    return [Path(os.path.normpath(objects / os.fsdecode(path))) for path in paths if b"\0" not in path]


_NAMED_ESCAPES: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def _unquoted(text: bytes) -> bytes:
    """As git quotes, which is as C does."""

    def plain(found: re.Match[bytes]) -> bytes:
        escaped = found[1]
        return bytes((int(escaped, 8) & 0xFF,)) if escaped.isdigit() else _NAMED_ESCAPES.get(escaped, escaped)

    return re.sub(rb"\\([0-7]{3}|[^0-9])", plain, text)


def _refuse_odd(objects: Path) -> None:
    todo = [str(objects)]
    while todo:
        folder = todo.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    if folder == str(objects):
                        todo.append(entry.path)
                elif not entry.is_file() and os.path.exists(entry.path):
                    raise Problem(
                        Cause.INVALID_ARGUMENT, f"{entry.path} is neither a file nor a folder; its repository is not read"
                    )


@dataclass(frozen=True)
class Format:
    """What has to be known of a repository's configuration, and all that is read of it."""

    sha256: bool = False
    reftable: bool = False


def format_of(repository: Repository) -> Format:
    """By a copy of its configuration file, without what that includes. Raises Problem for a form of it that is not known."""
    text = read_small(repository.common / "config")
    if text is None or b"extensions" not in text.lower():
        return Format()
    with own_repository() as git:
        (git.folder / "copy").write_bytes(text)
        listed = git.run("config", "--file", "copy", "--no-includes", "--null", "--list")
    values = dict(line.partition(b"\n")[::2] for line in listed.split(b"\0"))
    objects, refs = (values.get(b"extensions." + name, b"").lower() for name in (b"objectformat", b"refstorage"))
    if objects not in (b"", b"sha1", b"sha256") or refs not in (b"", b"files", b"reftable"):
        names = ", ".join(each.decode(errors="replace") for each in (objects, refs) if each)
        raise Problem(
            Cause.INVALID_ARGUMENT, f"the repository {repository.git_dir} is stored in a way that is not known: {names}"
        )
    return Format(objects == b"sha256", refs == b"reftable")


@dataclass(frozen=True)
class Tips:
    """Where history begins: names by object id. `cut` = the commits at which a shallow clone ends."""

    names: dict[str, str]
    cut: tuple[str, ...] = ()


def tips_of(repository: Repository, form: Format) -> Tips:
    """What references and HEADs name, and what lies in the stash below its top.

    Raises Problem where the references are a table and git cannot read it.
    """
    names: dict[str, str] = {}
    homes = [repository.common, repository.git_dir, *_folders(repository.common / "worktrees")]
    for home in dict.fromkeys(homes):
        if form.reftable:
            _from_table(home, form, names)
        for path in _files(home, "*"):
            if path.name == "HEAD" or path.name.endswith("_HEAD"):
                _note(names, read_small(path), path.name)
        for path in _files(home / "refs"):
            _note(names, read_small(path, 4096), path.relative_to(home).as_posix())
        for line in (read_small(home / "logs" / "refs" / "stash", _LARGE) or b"").splitlines():
            _note(names, line[:129], "stash")
    for line in (read_small(repository.common / "packed-refs", _LARGE) or b"").splitlines():
        if not line.startswith((b"#", b"^")):
            number, _, name = line.partition(b" ")
            _note(names, number, name.decode(errors="replace"))
    cut = _ID.findall(read_small(repository.common / "shallow", _LARGE) or b"")
    return Tips(names, tuple(each.decode() for each in cut))


def _note(names: dict[str, str], text: bytes | None, name: str) -> None:
    for number in _ID.findall(text or b""):
        if number.strip(b"0"):
            names.setdefault(number.decode(), name)


def _files(folder: Path, only: str = "") -> Iterator[Path]:
    """The regular files below a folder; with `only` those in it."""
    todo = [str(folder)]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in sorted(entries, key=lambda each: each.name):
                    if entry.is_file(follow_symlinks=False):
                        yield Path(entry.path)
                    elif not only and entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
        except OSError:
            continue


def _from_table(home: Path, form: Format, names: dict[str, str]) -> None:
    """References that are kept as a table (reftable): git reads links to its files."""
    table = home / "reftable"
    if not table.is_dir():
        return
    with own_repository(sha256=form.sha256) as git:
        if git.version() < _REFTABLE_SINCE:
            needed = ".".join(map(str, _REFTABLE_SINCE))
            raise Problem(
                *(Cause.INVALID_ARGUMENT, f"the references of {home} are stored as a table, which git reads from {needed} on"),
                fix=(f"install git {needed} or later",),
            )
        (git.folder / "reftable").mkdir()
        for path in _files(table, "*"):
            (git.folder / "reftable" / path.name).symlink_to(path)
        (git.folder / "HEAD").write_text("ref: refs/heads/.invalid\n")
        write_settings(git.folder, {"refstorage": "reftable"} | ({"objectformat": "sha256"} if form.sha256 else {}))
        _note_lines(names, git, "for-each-ref", "--format=%(objectname) %(refname)")
        _note_lines(names, git, "rev-parse", "--verify", "--quiet", "HEAD")


def _note_lines(names: dict[str, str], git: Git, *arguments: str) -> None:
    for line in git.run(*arguments, accepted=(0, 1)).splitlines():
        number, _, name = line.partition(b" ")
        _note(names, number, name.decode(errors="replace") or "HEAD")
