"""`keyadmin rotation ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup

_POLICY: Final = "By the policy file"
_ONE: Final = "One lineage"

GROUP: Final = CommandGroup(
    "Rotate keys by a policy, step by step; it is safe to interrupt at any step.",
    {
        "init": CommandEntry("keyadmin.cli.rotation.init:init", "Write a commented policy file.", _POLICY),
        "plan": CommandEntry(
            "keyadmin.cli.rotation.plan:plan", "Show what a run would do, and why.", _POLICY, feature="rotate"
        ),
        "run": CommandEntry("keyadmin.cli.rotation.run:run_", "Advance every lineage that is due.", _POLICY, feature="rotate"),
        "status": CommandEntry(
            "keyadmin.cli.rotation.status:status", "Show the state of every lineage.", _POLICY, feature="rotate"
        ),
        "migrate": CommandEntry(
            "keyadmin.cli.rotation.migrate:migrate", "Turn standard keys into auth keys.", _POLICY, feature="migrate"
        ),
        "adopt": CommandEntry(
            "keyadmin.cli.rotation.adopt:adopt",
            "Mark keys for rotation by keyadmin.",
            _ONE,
            feature="rotate",
        ),
        "rollback": CommandEntry(
            "keyadmin.cli.rotation.rollback:rollback", "Bring an earlier key back.", _ONE, feature="rotate"
        ),
        "schedule": CommandEntry(
            "keyadmin.cli.rotation.schedule:schedule", "Print complete files for a scheduler.", "On a schedule"
        ),
    },
)
