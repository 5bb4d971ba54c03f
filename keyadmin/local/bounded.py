"""Reading a file that somebody named, and no more of it than it can sensibly hold."""

from __future__ import annotations

from pathlib import Path

from keyadmin.model.problem import Cause, Problem


def read_bounded(path: Path, most: int, what: str) -> str:
    """The text of a file (or pipe) of at most `most` bytes. `what` = "the allow list": how messages call it.

    Raises Problem where it cannot be read, is no UTF-8, or does not end in time (/dev/zero).
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Problem(Cause.INVALID_ARGUMENT, f"{what} {path} cannot be read: {error.strerror}") from None
    if len(data) > most:
        raise Problem(Cause.INVALID_ARGUMENT, f"{what} {path} is longer than {most // 1024 // 1024} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = data[: error.start].count(b"\n") + 1
        raise Problem(Cause.INVALID_ARGUMENT, f"{what} {path} is not UTF-8 (line {where})") from None
