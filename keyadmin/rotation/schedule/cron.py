"""cron: one line; flock keeps runs apart, a failure is logged and mailed."""

from __future__ import annotations

import shlex

from keyadmin.rotation.schedule.identity import identity
from keyadmin.rotation.schedule.plan import SchedulePlan
from keyadmin.rotation.schedule.template import ScheduleFile, fill


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """A file for /etc/cron.d, and the script that it runs. Raises usage() where several tasks are wanted."""
    plan.only_one_task("cron")
    command = plan.command("/etc/keyadmin/keyadmin.toml", "--metrics", program=plan.program)
    values = {
        "COMMAND": f'{shlex.join(command)} "$STATE/rotation.prom"',
        "PROGRAM": shlex.quote(plan.program),
        "ACCOUNT": plan.account,
        "EVERY": plan.every,
        "CRON": plan.times.cron,
        "STALE_S": plan.stale_s,
        "POLICY": plan.policy,
    }
    names = ("rotate.sh", "keyadmin-rotation.cron", "keyadmin-rotation.logrotate", "install.sh")
    return [
        *identity(plan),
        *(fill(f"cron/{name}", values) for name in names),
        fill("textfile/keyadmin-rotation.rules.yaml", values),
    ]
