"""The files of a schedule as they lie in `templates/`, with `@NAME@` where a value goes.

What stands between the lines `#if NAME` (`#ifnot NAME`) and `#end` is there where the value is (not) empty.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from keyadmin.unattended.schedule.install import InstallSource


@dataclass(frozen=True)
class ScheduleFile:
    """A file to be written; `path` is relative."""

    path: str
    content: str


def wheel_beside(source: InstallSource, folder: str) -> str:
    """Shell lines that put a wheel of this machine beside the Dockerfile in `folder`, as a shell writes that; else nothing."""
    if source.kind != "wheel":
        return ""
    path = shlex.quote(str(Path(source.what).absolute()))
    return f"[ -r {folder}/{source.file} ] || cp -- {path} {folder}/\n"


_BLOCK: Final = re.compile(r"^#(if|ifnot) ([A-Z_]+)\n(.*?)^#end\n", re.DOTALL | re.MULTILINE)


def fill(
    template: str, values: Mapping[str, object], path: str | None = None, package: str = __package__ or ""
) -> ScheduleFile:
    """The file `ENGINE/NAME` of a package with its values filled in. Raises KeyError for a name that has no value."""
    text = files(package).joinpath("templates", *template.split("/")).read_text("utf-8")
    chosen = _BLOCK.sub(lambda found: found[3] if bool(values[found[2]]) is (found[1] == "if") else "", text)
    content = re.sub(r"@([A-Z_]+)@", lambda found: str(values[found[1]]), chosen)
    return ScheduleFile(path or template.rpartition("/")[2], content)
