"""`keyadmin env ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup

GROUP: Final = CommandGroup(
    "See and set the variables by which Gemini's libraries find a key.",
    {
        "show": CommandEntry("keyadmin.cli.env.show:show", "Say which variables are set, where, and which one counts."),
        "set": CommandEntry("keyadmin.cli.env.change:set_", "Put a key into a shell's start file, .env or Windows."),
        "unset": CommandEntry("keyadmin.cli.env.change:unset", "Take the variable out again."),
        "restore": CommandEntry("keyadmin.cli.env.restore:restore_", "Put a file back as it was before a change."),
    },
)
