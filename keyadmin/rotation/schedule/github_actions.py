"""GitHub Actions: a scheduled workflow without stored credentials; a failed run opens an issue.

The actions are pinned by commit, as a tag can be moved:
https://docs.github.com/en/actions/security-for-github-actions/security-guides/security-hardening-for-github-actions
"""

from __future__ import annotations

from typing import Final

from keyadmin import __version__
from keyadmin.model.problem import usage
from keyadmin.rotation.schedule.identity import identity
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
    values = {
        "PROJECT": plan.project,
        "ACCOUNT": plan.account,
        "VERSION": __version__,
        "CRON": plan.times.cron,
        "SHARDS": ", ".join(f'"{index}/{plan.tasks}"' for index in range(plan.tasks)),
        "COMMAND": " ".join(plan.command(plan.policy)),
    }
    return [
        *identity(plan),
        fill("github-actions/keyadmin-rotation.yml", values, ".github/workflows/keyadmin-rotation.yml"),
        fill("github-actions/federation.sh", values),
    ]
