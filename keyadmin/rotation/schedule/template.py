"""The files of a schedule as they lie in `templates/`, with `@NAME@` where a value goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class ScheduleFile:
    """A file to be written; `path` is relative."""

    path: str
    content: str


def fill(template: str, values: Mapping[str, object], path: str | None = None) -> ScheduleFile:
    """The file `ENGINE/NAME` with its values filled in. Raises KeyError for a name that has no value."""
    text = files(__package__).joinpath("templates", *template.split("/")).read_text("utf-8")
    content = re.sub(r"@([A-Z_]+)@", lambda found: str(values[found[1]]), text)
    return ScheduleFile(path or template.rpartition("/")[2], content)
