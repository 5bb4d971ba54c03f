"""systemd: a timer, a one-shot service, and an alert where it fails. A unit that runs is never started a second time."""

from __future__ import annotations

import shlex
from typing import Final

from keyadmin.unattended.schedule.identity import identity
from keyadmin.unattended.schedule.plan import RunPlace, SchedulePlan
from keyadmin.unattended.schedule.quoting import unit_path, unit_word
from keyadmin.unattended.schedule.template import ScheduleFile, fill

PROGRAM: Final = "/opt/keyadmin/bin/keyadmin"  # units know no PATH
STATE: Final = "/var/lib/keyadmin"


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """Unit files for /etc/systemd/system. Raises usage() where several tasks are wanted."""
    plan.only_one_task("systemd")
    program = plan.program if plan.program.startswith("/") else PROGRAM
    command = plan.command(RunPlace(f"/etc/keyadmin/{plan.policy_file}", program, STATE, history=f"{STATE}/audits"))
    values = plan.values() | {
        "COMMAND": " ".join(map(unit_word, command)),
        "PROGRAM": shlex.quote(program),
        "WRITABLE": " ".join([STATE, *(unit_path(f"-{folder}") for folder in plan.writable)]),
    }
    units = ("keyadmin.service", "keyadmin.timer", "keyadmin-alert.service")
    named = [(unit, unit.replace("keyadmin", f"keyadmin-{plan.job}", 1)) for unit in units]
    return [
        *identity(plan),
        *(fill(f"systemd/{unit}", values, name) for unit, name in named),
        fill("systemd/install.sh", values),
        plan.rules(),
    ]
