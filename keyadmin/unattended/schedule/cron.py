"""cron: one line; flock keeps runs apart, a failure is logged and mailed."""

from __future__ import annotations

import re
import shlex

from keyadmin.unattended.schedule.identity import identity
from keyadmin.unattended.schedule.plan import STATE, RunPlace, SchedulePlan
from keyadmin.unattended.schedule.template import ScheduleFile, fill


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """A file for /etc/cron.d, and the script that it runs. Raises usage() where several tasks are wanted."""
    plan.only_one_task("cron")
    place = RunPlace(f"/etc/keyadmin/{plan.policy_file}", plan.program, STATE, history=f"{STATE}/audits")
    command = re.sub(rf"{STATE}(/[\w./-]+)", r'"$STATE\1"', shlex.join(plan.command(place)))
    values = plan.values() | {"COMMAND": command, "PROGRAM": shlex.quote(plan.program)}
    return [
        *identity(plan),
        fill("cron/run.sh", values, plan.script),
        fill("cron/keyadmin.cron", values, f"keyadmin-{plan.job}.cron"),
        fill("cron/keyadmin.logrotate", values, f"keyadmin-{plan.job}.logrotate"),
        fill("cron/install.sh", values),
        plan.rules(),
    ]
