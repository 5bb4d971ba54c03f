"""Complete files for running keyadmin on a schedule: one module an engine, whatever the work is."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from keyadmin.model.problem import usage
from keyadmin.unattended.schedule.plan import SchedulePlan
from keyadmin.unattended.schedule.template import ScheduleFile

_ENGINES: Final = {
    "systemd": "systemd",
    "cron": "cron",
    "cloud-run": "cloud_run",
    "kubernetes": "kubernetes",
    "github-actions": "github_actions",
}
ENGINES: Final = tuple(_ENGINES)
ON_ONE_MACHINE: Final = ("systemd", "cron")


def files_for(engine: str, plan: SchedulePlan) -> list[ScheduleFile]:
    """The files of an engine, in the order in which a person needs them. Raises usage() for an unknown engine."""
    if engine not in _ENGINES:
        raise usage(f"{engine!r} is not an engine", f"use one of: {', '.join(ENGINES)}")
    module = import_module(f"keyadmin.unattended.schedule.{_ENGINES[engine]}")
    make: Callable[[SchedulePlan], list[ScheduleFile]] = module.files
    return make(plan)
