"""GitHub Actions: a scheduled workflow without stored credentials; a failed run opens an issue.

The actions are pinned by commit, as a tag can be moved:
https://docs.github.com/en/actions/security-for-github-actions/security-guides/security-hardening-for-github-actions
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from keyadmin.model.problem import usage
from keyadmin.unattended.schedule.identity import identity
from keyadmin.unattended.schedule.install import CHOICES
from keyadmin.unattended.schedule.plan import RunPlace, SchedulePlan
from keyadmin.unattended.schedule.template import ScheduleFile, fill

MOST_JOBS: Final = 256  # of a matrix (https://docs.github.com/en/actions/reference/limits)


def files(plan: SchedulePlan) -> list[ScheduleFile]:
    """A workflow, and the commands that let it in (Workload Identity Federation).

    Raises usage() for too many tasks, and a policy outside of the repository.
    """
    if plan.tasks > MOST_JOBS:
        raise usage(f"--tasks {plan.tasks}: a workflow has at most {MOST_JOBS} jobs of a kind", f"write --tasks {MOST_JOBS}")
    if plan.uses_policy and (plan.policy.startswith("/") or ".." in plan.policy.split("/")):
        raise usage(
            f"--policy {plan.policy}: the workflow finds it in its repository only", "write its path from the root there"
        )
    wheel = Path(plan.source.what) if plan.source.file else None
    if wheel is not None and (wheel.is_absolute() or ".." in wheel.parts):
        raise usage(
            f"wheel:{wheel}: the workflow finds it in its repository only", "write its path from the root there", *CHOICES
        )
    place = RunPlace(plan.policy, history="audits")
    values = plan.values() | {
        "INSTALL": "\n".join(f"        {line}" for line in plan.source.commands()),
        "SHARDS": ", ".join(f'"{index}/{plan.tasks}"' for index in range(plan.tasks)),
        "COMMAND": " ".join(plan.command(place)),
        "NOTICE_ENV": "\n".join(f"        {name}: ${{{{ secrets.{name} }}}}" for name in plan.variables),
    }
    return [*identity(plan), plan.workflow(values), fill("github-actions/federation.sh", values)]
