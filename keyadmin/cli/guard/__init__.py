"""`keyadmin guard ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup

GROUP: Final = CommandGroup(
    "Organisation policies that keep API keys in order.",
    {
        "plan": CommandEntry(
            "keyadmin.cli.guard.plan:plan", "Show what apply would do; rehearse it on the keys.", feature="guard"
        ),
        "apply": CommandEntry(
            "keyadmin.cli.guard.apply:apply", "Set policies: in dry run first, then enforced.", feature="guard"
        ),
        "status": CommandEntry("keyadmin.cli.guard.status:status", "Show which constraints apply where.", feature="guard"),
        "remove": CommandEntry("keyadmin.cli.guard.remove:remove", "Remove keyadmin's policies.", feature="guard"),
    },
)
