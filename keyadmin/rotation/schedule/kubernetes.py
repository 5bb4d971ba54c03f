"""Kubernetes: a CronJob that never overlaps, with one indexed pod a share of the projects.

A pod gets JOB_COMPLETION_INDEX and no count (https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode):
the manifest gives it as JOB_COMPLETION_COUNT.
"""

from __future__ import annotations

import json

from keyadmin.rotation.policy import template
from keyadmin.rotation.schedule.identity import identity
from keyadmin.rotation.schedule.plan import ACCOUNT_ID, MOST_AT_ONCE, SchedulePlan
from keyadmin.rotation.schedule.quoting import yaml_text
from keyadmin.rotation.schedule.template import ScheduleFile, fill, wheel_beside


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """Manifests, the image, and the script that applies them."""
    policy = plan.policy_text or template(plan.project, "MACHINE")
    values = {
        "PROJECT": plan.project,
        "REGION": plan.region,
        "ACCOUNT": plan.account,
        "ACCOUNT_ID": ACCOUNT_ID,
        "IMAGE": plan.image,
        "INSTALL": plan.source.dockerfile,
        "WHEEL": wheel_beside(plan.source, "."),
        "CRON": plan.times.cron,
        "TASKS": plan.tasks,
        "PARALLELISM": min(plan.tasks, MOST_AT_ONCE),
        "DEADLINE_S": min(plan.times.seconds, 21_600),
        "TTL_S": plan.times.seconds + 3_600,
        "STALE_S": plan.stale_s,
        "ARGUMENTS": json.dumps(plan.command("/policy/keyadmin.toml", "--shard", "auto")[1:]),
        "POLICY_TEXT": yaml_text(policy, 4),
    }
    names = ("keyadmin-rotation.yaml", "keyadmin-rotation-alert.yaml", "deploy.sh")
    return [*identity(plan), fill("image/Dockerfile", values), *(fill(f"kubernetes/{name}", values) for name in names)]
