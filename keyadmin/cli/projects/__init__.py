"""`keyadmin projects ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import Entry, Group

GROUP: Final = Group(
    "List projects and choose the default one.",
    {
        "list": Entry("keyadmin.cli.projects.list:list_", "List imported projects, or all of them."),
        "use": Entry("keyadmin.cli.projects.use:use", "Make a project the default."),
    },
)
