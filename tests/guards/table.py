"""All guards, and the probes that tell whether everything that the tests start runs the copy.

A guard is a condition, a step or an order whose absence would break a promise: of rotation (docs/rotation.md), of what
changes and hands over keys, of what is read from files, and of the sandbox, which refuses what Google refuses.
"""

from __future__ import annotations

from typing import Final

from tests.guards import (
    access,
    audit,
    commands,
    confirmed,
    decide,
    engine,
    fixing,
    foreseeing,
    keys,
    lineage,
    machine,
    others,
    permissions,
    policies,
    projects,
    scope,
    sinks,
    steps,
    tampered,
    undo,
    wire,
)
from tests.guards.files import CRASH, RUN
from tests.guards.guard import Guard

PROBES: Final = (
    Guard(
        "the killed commands of the crash matrix run the copy",
        "rotation/engine.py",
        "return await _rounds(job)",
        'raise Problem(Cause.UNKNOWN, "broken on purpose")',
        (f"{CRASH}::test_killed_at_every_point[until published-0]",),
    ),
    Guard(
        "python -m keyadmin runs the copy",
        "__main__.py",
        'print(f"keyadmin {__version__}")',
        'print("broken on purpose")',
        ("tests/cli/test_base_commands.py::test_the_version_is_answered_anywhere",),
    ),
    Guard(
        "the sandbox's own process runs the copy",
        "sandbox/transport/control.py",
        'self._cloud.world.clock.advance(parse_duration(data.get("advance")))',
        "self._cloud.world.clock.advance(0)",
        (f"{RUN}::test_run_goes_as_far_as_it_can_each_time",),
    ),
)

ROTATION: Final = (lineage, decide, engine, steps, undo, scope, sinks, commands, tampered, confirmed)
OTHERS: Final = (others, keys, projects, audit, access, machine, wire, permissions, fixing, foreseeing, policies)
GUARDS: Final = tuple(guard for area in (*ROTATION, *OTHERS) for guard in area.GUARDS)
