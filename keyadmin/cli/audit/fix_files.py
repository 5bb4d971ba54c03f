"""Where plans lie: a file that was named, or the data directory's `fixes/` under the run's id."""

from __future__ import annotations

from pathlib import Path

from keyadmin.audit.fix.plan import is_run
from keyadmin.local.files import data_dir
from keyadmin.model.problem import usage


def fixes() -> Path:
    """The folder of runs whose plan was not named."""
    return data_dir() / "fixes"


def plan_of_run(run: str) -> Path:
    """Where the plan of a run lies."""
    return fixes() / f"{run}.json"


def place_of(text: str) -> Path:
    """The plan that a run's id or a path names. Raises usage() where there is none."""
    if is_run(text):
        path = plan_of_run(text)
        if not path.is_file():
            raise usage(f"there is no run {text} in {fixes()}", "name the plan's file instead, where --out wrote it")
        return path
    path = Path(text)
    if not path.is_file():
        raise usage(f"there is no plan {path}", f"write its path, or the id of a run in {fixes()}")
    return path


def called(path: Path, run: str) -> str:
    """How a plan is named in commands: by the run's id where it lies in the data directory, else by its path."""
    return run if path == plan_of_run(run) else str(path)
