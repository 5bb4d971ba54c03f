"""Where plans lie: a file that was named, or the data directory's `fixes/` under the run's id."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from keyadmin.audit.fix.journal import journal_of
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


def check_out(path: Path) -> None:
    """Raises usage(), before anything is read, for a place where no plan can be written, or that of a run that was begun."""
    if path.is_dir():
        raise usage(f"--out: {path} is a folder", "name a file in it")
    if not path.parent.is_dir():
        raise usage(f"--out: there is no folder {path.parent}", f"make it first: mkdir -p {shlex.quote(str(path.parent))}")
    if not os.access(path if path.exists() and not path.is_file() else path.parent, os.W_OK):
        raise usage(f"--out: {path.parent} may not be written", "name a file in a folder of your own")
    if (journal := journal_of(path)).exists():
        raise usage(
            f"--out: {path} belongs to a run that was begun ({journal} lies beside it): it could not be undone any more",
            "name another file",
        )


def called(path: Path, run: str) -> str:
    """How a plan is named in commands: by the run's id where it lies in the data directory, else by its path."""
    return run if path == plan_of_run(run) else str(path)
