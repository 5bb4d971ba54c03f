"""Whether git tracks a file, or ignores it: asked of the index and the patterns alone, in a repository of keyadmin's own.

`git ls-files` and `git check-ignore` in the repository itself would start what its configuration names as core.fsmonitor.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from keyadmin.local.git import Git, own_repository
from keyadmin.local.repositories import Repository, enclosing, format_of, object_folders, read_small
from keyadmin.model.problem import Problem

_LARGE: Final = 1024 * 1024 * 1024  # bytes of an index


def tracked(path: Path) -> bool | None:
    """Whether a file is under version control; None where that cannot be found out (no git, a damaged repository)."""
    here = path.absolute()
    repository = enclosing(here.parent)
    if repository is None or repository.top is None:
        return False
    try:
        with _borrowing_index(repository) as (git, more):
            name = os.fsencode(here.relative_to(repository.top))
            return name in git.run(
                "--literal-pathspecs", "ls-files", "-z", "--cached", "--", os.fsdecode(name), more=more
            ).split(b"\0")
    except (Problem, ValueError):
        return None


def ignored(paths: Iterable[str]) -> frozenset[str]:
    """Those of some files that git ignores and does not track. Where that cannot be found out a file is not among them."""
    return frozenset(path for path, is_ignored in _asked(paths).items() if is_ignored)


def not_ignored(paths: Iterable[str]) -> frozenset[str]:
    """Those of some files that lie in a work tree and that its git does not ignore, or tracks; only what is known."""
    return frozenset(path for path, is_ignored in _asked(paths).items() if not is_ignored)


def _asked(paths: Iterable[str]) -> dict[str, bool]:
    """Whether git ignores each file. Those outside of work trees, and those of which it cannot be found out, are left out."""
    groups: dict[Path, tuple[Repository, dict[bytes, str]]] = {}
    for path in dict.fromkeys(paths):
        here = Path(path).absolute()
        repository = enclosing(here.parent)
        if repository is not None and repository.top is not None:
            with suppress(ValueError):
                name = os.fsencode(here.relative_to(repository.top))
                groups.setdefault(repository.top, (repository, {}))[1][name] = path
    found: dict[str, bool] = {}
    for repository, names in groups.values():
        with suppress(Problem), _borrowing_index(repository, _own_patterns()) as (git, more):
            asked = b"".join(b"./" + name + b"\0" for name in names)  # a name that begins with a colon would be magic
            answer = git.run("check-ignore", "-z", "--stdin", stdin=asked, more=more, accepted=(0, 1))
            matching = {name[2:] for name in answer.split(b"\0")}
            found.update({path: name in matching for name, path in names.items()})
    return found


@contextmanager
def _borrowing_index(repository: Repository, excludes: str = os.devnull) -> Iterator[tuple[Git, dict[str, str]]]:
    """git with the index and the work tree of a repository, and nothing else of it but its list of patterns."""
    form = format_of(repository)
    with own_repository(object_folders(repository), sha256=form.sha256, excludes=excludes) as git:
        more = {"GIT_WORK_TREE": str(repository.top)}
        index = read_small(repository.git_dir / "index", _LARGE)
        if index is not None:
            (git.folder / "index").write_bytes(index)
            for shared in repository.git_dir.glob("sharedindex.*"):
                (git.folder / shared.name).write_bytes(read_small(shared, _LARGE) or b"")
        (git.folder / "info" / "exclude").write_bytes(read_small(repository.common / "info" / "exclude") or b"")
        yield git, more


def _own_patterns() -> str:
    """The person's own list of patterns for all repositories, which is theirs to trust."""
    home = Path(os.environ.get("HOME") or Path.home())
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git"
    chosen = os.environ.get("GIT_CONFIG_GLOBAL")
    with suppress(Problem), own_repository() as git:
        for file in [Path(chosen)] if chosen else [home / ".gitconfig", config / "config"]:
            if file.is_file():
                words = ("config", "--file", str(file), "--includes", "--type=path", "--get", "core.excludesFile")
                if said := git.run(*words, more={"HOME": str(home)}, accepted=(0, 1)).rstrip(b"\n"):
                    return os.fsdecode(said)
    return str(config / "ignore")
