"""`keyadmin rotation init`."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

import typer

from keyadmin.cli.options import DryRun
from keyadmin.cli.render import write
from keyadmin.cli.rotation.options import PolicyFile
from keyadmin.cli.session import current
from keyadmin.local.files import write_text
from keyadmin.problem import Cause, Problem
from keyadmin.rotation.policy import DEFAULT_FILE, template


def init(
    context: typer.Context,
    policy: PolicyFile = DEFAULT_FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Write a commented policy file to begin with. A file that is there is left alone."""
    session = current(context)
    project = session.settings.project.value if session.settings.project else None
    text = template(project, socket.gethostname())
    if dry_run:
        write(text)
        return
    path = Path(policy)
    if path.exists() and not force:
        raise Problem(Cause.ALREADY_EXISTS, f"{path} is there already", fix=("edit it, or replace it with --force",))
    write_text(path, text, mode=0o644)
    session.talk.note(f"Wrote {path}. See what it selects: keyadmin rotation plan --policy {path}")
