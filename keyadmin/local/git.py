"""The one way in which keyadmin starts git: in an empty repository of its own, which borrows the objects of another.

A repository may name programs in a dozen ways (configuration, its includes, attributes, hooks, filters, a remote's address),
and git run inside it starts them. git run here reads none of that: neither the other repository's configuration nor its
attributes, nor the machine's or the person's. It fetches nothing, asks nobody and writes nothing outside its own folder.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from keyadmin.local.subprocesses import environment
from keyadmin.model.problem import Cause, Problem

_PREFIX: Final = "keyadmin-git-"
_FRESH_S: Final = 60.0
_PATIENCE_S: Final = 60.0
_SAID: Final = 500  # bytes of git's complaint that are told

_SETTINGS: Final = """\
[core]
\trepositoryformatversion = {version}
\tbare = true
\tcommitGraph = false
\tmultiPackIndex = false
\tfsmonitor = false
\thooksPath = {nothing}
\tattributesFile = {nothing}
\texcludesFile = {excludes}
[protocol]
\tallow = never
[maintenance]
\tauto = false
[gc]
\tauto = 0
"""

_NO_SETTINGS: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_PAGER": "cat",
    "PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}


def program() -> str:
    """The path of git. Raises Problem where there is none.

    Only absolute folders of PATH count: with `.` in it a program called git in the scanned folder would be run.
    """
    names = ("git.exe", "git.cmd") if sys.platform == "win32" else ("git",)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    raise Problem(Cause.INVALID_ARGUMENT, "git is not installed", fix=("install git, or scan without --history",))


class Git:
    """git in a repository of keyadmin's own, for as long as `own_repository` lasts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._program = program()

    def command(self, *arguments: str) -> list[str]:
        """The words to start."""
        return [self._program, "--no-pager", *arguments]

    def environment(self) -> dict[str, str]:
        """What git is given: nothing of the caller's GIT_ variables, no configuration, no network, no prompt."""
        kept = {name: value for name, value in environment().items() if not name.upper().startswith(("GIT_", "SSH_ASKPASS"))}
        nothing, own = os.devnull, str(self.folder)
        own_only = dict.fromkeys(("GIT_DIR", "HOME", "XDG_CONFIG_HOME", "GIT_CEILING_DIRECTORIES"), own)
        return kept | own_only | _NO_SETTINGS | {"GIT_CONFIG_SYSTEM": nothing, "GIT_CONFIG_GLOBAL": nothing}

    def run(
        self, *arguments: str, stdin: bytes = b"", more: dict[str, str] | None = None, accepted: Sequence[int] = (0,)
    ) -> bytes:
        """What git printed. Raises Problem where it failed or did not end within a minute."""
        try:
            done = subprocess.run(  # noqa: S603 - fixed words
                self.command(*arguments),
                input=stdin,
                capture_output=True,
                check=False,
                timeout=_PATIENCE_S,
                cwd=self.folder,
                env=self.environment() | (more or {}),
            )
        except subprocess.TimeoutExpired:
            raise _failed(arguments[0], f"did not end within {_PATIENCE_S:.0f} s") from None
        except OSError as error:
            raise _failed(arguments[0], f"cannot be started: {error.strerror}") from None
        if done.returncode not in accepted:
            raise _failed(arguments[0], _last(done.stderr))
        return done.stdout

    @contextmanager
    def streaming(self, *arguments: str, stdin: bytes) -> Iterator[IO[bytes]]:
        """What git prints, as it comes. Raises Problem at the end where git failed.

        stdin and stderr are files, not pipes: whatever git writes there, and however much, nobody has to read it meanwhile.
        """
        with tempfile.TemporaryFile(dir=self.folder) as given, tempfile.TemporaryFile(dir=self.folder) as complaints:
            given.write(stdin)
            given.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 - fixed words
                    self.command(*arguments),
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    cwd=self.folder,
                    env=self.environment(),
                )
            except OSError as error:
                raise _failed(arguments[0], f"cannot be started: {error.strerror}") from None
            assert process.stdout is not None
            try:
                yield process.stdout
            except BaseException:
                process.kill()
                raise
            finally:
                process.stdout.close()
                process.wait()
            if process.returncode != 0:
                size = complaints.seek(0, os.SEEK_END)
                complaints.seek(max(0, size - _SAID))
                raise _failed(arguments[0], _last(complaints.read()))

    def version(self) -> tuple[int, ...]:
        """As numbers, `(2, 39, 5)`."""
        found = re.search(rb"(\d+)\.(\d+)(?:\.(\d+))?", self.run("version"))
        return tuple(int(each) for each in found.groups() if each) if found else ()


def _failed(what: str, why: str) -> Problem:
    return Problem(Cause.UNKNOWN, f"git {what} failed: {why}")


def _last(said: bytes) -> str:
    """The last line of a complaint, fit to stand in a message: repositories may put anything into it."""
    lines = said.decode(errors="replace").strip().splitlines() or ["it did not say why"]
    return "".join(each if each.isprintable() else "?" for each in lines[-1])[-_SAID:]


@contextmanager
def own_repository(
    objects: Sequence[Path] = (), *, sha256: bool = False, shallow: Sequence[str] = (), excludes: str = os.devnull
) -> Iterator[Git]:
    """An empty bare repository in a private folder. `objects` = the object folders it borrows; `shallow` = commits without
    parents; `excludes` = a file of patterns of ignored files. Raises Problem: no git, no room.
    """
    _remove_left_over()
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # 0700
    except OSError as error:
        raise _failed("scan", f"no folder for temporary files: {error.strerror}") from None
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if os.name == "posix":
            import fcntl

            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)  # for as long as this process lives: the folder is in use
        for name in ("objects/info", "objects/pack", "refs", "info"):
            (folder / name).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        write_settings(folder, {"objectformat": "sha256"} if sha256 else {}, excludes)
        (folder / "objects" / "info" / "alternates").write_bytes(b"".join(_quoted(path) + b"\n" for path in objects))
        if shallow:
            (folder / "shallow").write_text("".join(f"{each}\n" for each in shallow))
        yield Git(folder)


def write_settings(folder: Path, extensions: dict[str, str], excludes: str = os.devnull) -> None:
    """The whole configuration of an own repository."""
    text = _SETTINGS.format(
        version=1 if extensions else 0, nothing=os.devnull, excludes=_quoted(Path(excludes)).decode("utf-8", "surrogateescape")
    )
    lines = "".join(f"\t{name} = {value}\n" for name, value in extensions.items())
    whole = text + (f"[extensions]\n{lines}" if lines else "")
    (folder / "config").write_bytes(whole.encode("utf-8", "surrogateescape"))


def _quoted(path: Path) -> bytes:
    """A path as a line of `alternates` and a value of a configuration, both of which take C's quotes."""
    raw = os.fsencode(path)
    return b'"' + raw.replace(b"\\", rb"\\").replace(b'"', rb"\"").replace(b"\n", rb"\n") + b'"'


def _remove_left_over() -> None:
    """Folders of runs that were killed: nobody else clears them away. One that another process has locked is in use."""
    if os.name != "posix":
        return
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                with suppress(OSError):
                    _remove_unused(entry)


def _remove_unused(entry: os.DirEntry[str]) -> None:
    import fcntl

    known = entry.stat(follow_symlinks=False)
    fresh = time.time() - known.st_mtime < _FRESH_S  # made, and not locked yet
    if known.st_uid != os.getuid() or not stat.S_ISDIR(known.st_mode) or fresh:
        return
    handle = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(entry.path, ignore_errors=True)
    finally:
        os.close(handle)
