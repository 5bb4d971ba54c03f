"""Kubernetes: a CronJob that never overlaps, with one indexed pod a share of the projects.

A pod gets JOB_COMPLETION_INDEX and no count (https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode):
the manifest gives it as JOB_COMPLETION_COUNT.
"""

from __future__ import annotations

import json

from keyadmin.unattended.schedule.identity import identity
from keyadmin.unattended.schedule.plan import MOST_AT_ONCE, RunPlace, SchedulePlan
from keyadmin.unattended.schedule.quoting import yaml_text
from keyadmin.unattended.schedule.template import ScheduleFile, fill, wheel_beside


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """Manifests, the image, and the script that applies them."""
    place = RunPlace("/policy/keyadmin.toml", shared=True, history="/history")
    command = plan.command(place)
    shared = "--shard" in command
    values = plan.values() | {
        "IMAGE": plan.image,
        "INSTALL": plan.source.dockerfile,
        "WHEEL": wheel_beside(plan.source, "."),
        "TASKS": plan.tasks,
        "PARALLELISM": min(plan.tasks, MOST_AT_ONCE),
        "DEADLINE_S": min(plan.times.seconds, 21_600),
        "TTL_S": plan.times.seconds + 3_600,
        "ARGUMENTS": json.dumps(command[1:]),
        "POLICY_TEXT": yaml_text(plan.policy_text or plan.policy_template(), 4) if plan.uses_policy else "",
        "NOTICE_ENV": "\n".join(map(_from_secret, plan.variables)),
        "SHARED": shared,
        "ENV": shared or plan.variables,
        "HISTORY": plan.history,
    }
    return [
        *identity(plan),
        fill("image/Dockerfile", values),
        fill("kubernetes/keyadmin.yaml", values, f"keyadmin-{plan.job}.yaml"),
        fill("kubernetes/keyadmin-alert.yaml", values, f"keyadmin-{plan.job}-alert.yaml"),
        fill("kubernetes/deploy.sh", values),
    ]


def _from_secret(variable: str) -> str:
    lines = (
        f"- name: {variable}",
        "  valueFrom:",
        "    secretKeyRef:",
        "      name: keyadmin-notices",
        f"      key: {variable}",
    )
    return "\n".join(f"            {line}" for line in lines)
