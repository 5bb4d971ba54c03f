"""GitHub Actions: a scheduled workflow without stored credentials; a failed run opens an issue.

The actions are pinned by commit, as a tag can be moved:
https://docs.github.com/en/actions/security-for-github-actions/security-guides/security-hardening-for-github-actions
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from keyadmin.model.problem import usage
from keyadmin.rotation.schedule.identity import identity
from keyadmin.rotation.schedule.install import CHOICES
from keyadmin.rotation.schedule.plan import SchedulePlan
from keyadmin.rotation.schedule.template import ScheduleFile, fill

MOST_JOBS: Final = 256  # of a matrix (https://docs.github.com/en/actions/reference/limits)


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """A workflow, and the commands that let it in (Workload Identity Federation).

    Raises usage() for too many tasks, and a policy outside of the repository.
    """
    if plan.tasks > MOST_JOBS:
        raise usage(f"--tasks {plan.tasks}: a workflow has at most {MOST_JOBS} jobs of a kind", f"write --tasks {MOST_JOBS}")
    if plan.policy.startswith("/") or ".." in plan.policy.split("/"):
        raise usage(
            f"--policy {plan.policy}: the workflow finds it in its repository only", "write its path from the root there"
        )
    wheel = Path(plan.source.what) if plan.source.file else None
    if wheel is not None and (wheel.is_absolute() or ".." in wheel.parts):
        raise usage(
            f"wheel:{wheel}: the workflow finds it in its repository only", "write its path from the root there", *CHOICES
        )
    values = {
        "PROJECT": plan.project,
        "ACCOUNT": plan.account,
        "INSTALL": "\n".join(f"        {line}" for line in plan.source.commands()),
        "CRON": plan.times.cron,
        "SHARDS": ", ".join(f'"{index}/{plan.tasks}"' for index in range(plan.tasks)),
        "COMMAND": " ".join(plan.command(plan.policy)),
    }
    return [
        *identity(plan),
        fill("github-actions/keyadmin-rotation.yml", values, ".github/workflows/keyadmin-rotation.yml"),
        fill("github-actions/federation.sh", values),
    ]
