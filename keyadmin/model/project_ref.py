"""What a person may write for a project that exists. Whether it does, and may be seen, only a call can tell."""

from __future__ import annotations

import re
from typing import Final

from keyadmin.model.command_line import typed
from keyadmin.model.name_forms import PROJECT
from keyadmin.model.problem import usage
from keyadmin.model.secret import holds_key

REFERENCE: Final = PROJECT
_SHORT_WORDS: Final = re.compile(r"[\w '\"!-]{1,60}")


def checked(text: str, source: str) -> str:
    """A project's id or number, a leading `projects/` dropped. `source` = where it was written: an option, a variable, a file.

    Raises usage() for what no project can ever have been called, and for a key string, which is not repeated.
    """
    if holds_key(text):
        raise usage(f"{source} holds a key string: it is not used as a name", f"give {source} a project's id or number")
    value = text.removeprefix("projects/")
    if REFERENCE.fullmatch(value):
        return value
    by_name = (f"if that is a project's name: {typed('projects search', value)}",)
    raise usage(
        f"{source}: {value!r} is not a project id or number: ids consist of lower-case letters, digits and hyphens, "
        "with no hyphen first or last",
        *(by_name if _SHORT_WORDS.fullmatch(value) else ()),
        f"see the ids: {typed('projects list', all=True)}",
    )
