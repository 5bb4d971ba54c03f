"""Finding key strings in what a git repository ever held."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from keyadmin.leaks.finder import Hit, search
from keyadmin.local.subprocesses import environment
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

# Added lines of every commit that any reference or reflog leads to; no user configuration changes the form.
_LOG: Final = (
    *("git", "-c", "core.quotePath=false", "log", "--all", "--reflog", "--patch", "--unified=0", "--no-color", "--no-ext-diff"),
    *(
        "--no-textconv",
        "--no-renames",
        "--diff-merges=first-parent",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        "--format=commit %H",
    ),
)


def find(repository: Path) -> list[Hit]:
    """Every key string once for each path, at the oldest commit that shows it. Raises Problem: no git, no repository."""
    try:
        process = subprocess.Popen(  # noqa: S603 - fixed words
            _LOG, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
    except FileNotFoundError:
        raise Problem(Cause.INVALID_ARGUMENT, "--history needs git, which is not installed") from None
    except OSError as error:
        raise Problem(Cause.INVALID_ARGUMENT, f"{repository} cannot be looked at: {error.strerror}") from None
    assert process.stdout is not None
    assert process.stderr is not None
    seen: dict[tuple[str, str], Hit] = {}
    with process:
        for hit in _hits(process.stdout):
            seen[(hit.path, hit.key.reveal())] = hit  # git log goes backwards: the last is the oldest
        complaint = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise Problem(Cause.INVALID_ARGUMENT, f"{repository} is no git repository that can be read: {complaint}")
    return list(seen.values())


def _hits(stream: IO[bytes]) -> Iterator[Hit]:
    commit, path, line = "", "", 0
    for raw in stream:
        if raw.startswith(b"+++ "):
            path = raw[6:].rstrip(b"\t\r\n").decode(errors="replace")
        elif raw.startswith(b"+"):
            for _, text in search(raw[1:]):
                yield Hit(path, line, KeyString(text), commit)
            line += 1
        elif raw.startswith(b"@@ "):
            line = int(raw.split(b" +")[1].split(b" ")[0].split(b",")[0])
        elif raw.startswith(b"commit "):
            commit = raw[7:].strip().decode()
