"""systemd: a timer, a one-shot service, and an alert where it fails. A unit that runs is never started a second time."""

from __future__ import annotations

from typing import Final

from keyadmin import __version__
from keyadmin.rotation.schedule.identity import identity
from keyadmin.rotation.schedule.plan import SchedulePlan
from keyadmin.rotation.schedule.template import ScheduleFile, fill

STATE: Final = "/var/lib/keyadmin"


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """Unit files for /etc/systemd/system. Raises usage() where several tasks are wanted."""
    plan.only_one_task("systemd")
    metrics = ("--metrics", f"{STATE}/rotation.prom")
    values = {
        "COMMAND": " ".join(plan.command("/etc/keyadmin/keyadmin.toml", *metrics, program="/opt/keyadmin/bin/keyadmin")),
        "ACCOUNT": plan.account,
        "WRITABLE": " ".join([STATE, *(f'"-{folder}"' for folder in plan.writable)]),
        "EVERY": plan.every,
        "CALENDAR": plan.times.calendar,
        "SPREAD": plan.times.spread,
        "STALE_S": plan.stale_s,
        "POLICY": plan.policy,
        "VERSION": __version__,
    }
    units = ("keyadmin-rotation.service", "keyadmin-rotation.timer", "keyadmin-rotation-alert.service", "install.sh")
    return [
        *identity(plan),
        *(fill(f"systemd/{name}", values) for name in units),
        fill("textfile/keyadmin-rotation.rules.yaml", values),
    ]
