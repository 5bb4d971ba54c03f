"""systemd: a timer, a one-shot service, and an alert where it fails. A unit that runs is never started a second time."""

from __future__ import annotations

import shlex
from typing import Final

from keyadmin.rotation.schedule.identity import identity
from keyadmin.rotation.schedule.plan import SchedulePlan
from keyadmin.rotation.schedule.quoting import unit_path, unit_word
from keyadmin.rotation.schedule.template import ScheduleFile, fill

PROGRAM: Final = "/opt/keyadmin/bin/keyadmin"  # units know no PATH
STATE: Final = "/var/lib/keyadmin"


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """Unit files for /etc/systemd/system. Raises usage() where several tasks are wanted."""
    plan.only_one_task("systemd")
    metrics = ("--metrics", f"{STATE}/rotation.prom")
    program = plan.program if plan.program.startswith("/") else PROGRAM
    values = {
        "COMMAND": " ".join(map(unit_word, plan.command("/etc/keyadmin/keyadmin.toml", *metrics, program=program))),
        "PROGRAM": shlex.quote(program),
        "ACCOUNT": plan.account,
        "WRITABLE": " ".join([STATE, *(unit_path(f"-{folder}") for folder in plan.writable)]),
        "EVERY": plan.every,
        "CALENDAR": plan.times.calendar,
        "SPREAD": plan.times.spread,
        "STALE_S": plan.stale_s,
        "POLICY": plan.policy,
    }
    units = ("keyadmin-rotation.service", "keyadmin-rotation.timer", "keyadmin-rotation-alert.service", "install.sh")
    return [
        *identity(plan),
        *(fill(f"systemd/{name}", values) for name in units),
        fill("textfile/keyadmin-rotation.rules.yaml", values),
    ]
