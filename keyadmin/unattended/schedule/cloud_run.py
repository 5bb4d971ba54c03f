"""Cloud Run jobs, started by Cloud Scheduler: each task looks after its share of the projects.

Cloud Run starts an execution whatever the last one does, so the tasks' time is bounded by the interval. Each task gets
CLOUD_RUN_TASK_INDEX and CLOUD_RUN_TASK_COUNT (https://cloud.google.com/run/docs/container-contract#jobs-env-vars). Metric
and resource of the alert: https://cloud.google.com/monitoring/api/metrics_gcp_p_z (run.googleapis.com/job).
"""

from __future__ import annotations

from typing import Final

from keyadmin.model.problem import usage
from keyadmin.unattended.schedule.identity import identity
from keyadmin.unattended.schedule.plan import MOST_AT_ONCE, RunPlace, SchedulePlan
from keyadmin.unattended.schedule.template import ScheduleFile, fill, wheel_beside

TRIES: Final = 2  # of a task: job.yaml allows one retry
LONGEST_S: Final = 21_600
SHORTEST_S: Final = 300  # less than any run needs


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """The job, the image, the schedule and the alerts. Raises usage() for more tasks than fit into the interval."""
    timeout_s = _timeout_s(plan)
    place = RunPlace("/policy/keyadmin.toml", shared=True, history="/history")
    history = f"{plan.project.rpartition(':')[2]}-keyadmin-{plan.job}" if plan.history else ""
    values = plan.values() | {
        "IMAGE": plan.image,
        "INSTALL": plan.source.dockerfile,
        "WHEEL": wheel_beside(plan.source, '"$(dirname "$0")"'),
        "TASKS": plan.tasks,
        "PARALLELISM": min(plan.tasks, MOST_AT_ONCE),
        "TIMEOUT_S": timeout_s,
        "ARGUMENTS": "\n".join(f"            - {word}" for word in plan.command(place)[1:]),
        "NOTICE_ENV": "\n".join(map(_from_secret, plan.variables)),
        "HISTORY": history,
        "VOLUMES": plan.uses_policy or plan.history,
    }
    names = ("job.yaml", "alert-failed.json", "alert-not-started.json", "deploy.sh")
    return [*identity(plan), fill("image/Dockerfile", values), *(fill(f"cloud-run/{name}", values) for name in names)]


def _from_secret(variable: str) -> str:
    lines = (
        f"- name: {variable}",
        "  valueFrom:",
        "    secretKeyRef:",
        f"      name: keyadmin-{variable}",
        "      key: latest",
    )
    return "\n".join(f"            {line}" for line in lines)


def _timeout_s(plan: SchedulePlan) -> int:
    """How long one try of a task may take: all of them, with their repetitions, end before the next execution starts."""
    rounds = -(-plan.tasks // MOST_AT_ONCE) * TRIES
    longest = int(0.9 * plan.times.seconds / rounds)  # the rest is for starting them
    if longest < SHORTEST_S:
        most = int(0.9 * plan.times.seconds / SHORTEST_S / TRIES) * MOST_AT_ONCE
        raise usage(
            f"--tasks {plan.tasks} --every {plan.every}: they would not end before the next ones start",
            f"take at most {most} tasks; a task can take some hundred projects",
        )
    return min(longest, LONGEST_S)
