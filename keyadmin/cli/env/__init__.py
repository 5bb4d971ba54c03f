"""`keyadmin env ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import Entry, Group

GROUP: Final = Group(
    "See and set the variables by which Gemini's libraries find a key.",
    {
        "show": Entry("keyadmin.cli.env.show:show", "Say which variables are set, where, and which one counts."),
        "set": Entry("keyadmin.cli.env.change:set_", "Put a key into a shell's start file, .env or Windows."),
        "unset": Entry("keyadmin.cli.env.change:unset", "Take the variable out again."),
    },
)
