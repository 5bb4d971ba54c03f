"""`keyadmin env ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup

GROUP: Final = CommandGroup(
    "Show and set the variables in which Gemini's libraries look for a key.",
    {
        "show": CommandEntry("keyadmin.cli.env.show:show", "Show which variables are set, where, and which one is used."),
        "set": CommandEntry("keyadmin.cli.env.change:set_", "Put a key into a shell's start-up file, .env or Windows."),
        "unset": CommandEntry("keyadmin.cli.env.change:unset", "Remove the variable."),
        "restore": CommandEntry("keyadmin.cli.env.restore:restore_", "Restore a file to what it was before a change."),
    },
)
