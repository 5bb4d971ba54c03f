"""`keyadmin rotation init`."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Annotated

import typer

from keyadmin.cli.options import DryRun
from keyadmin.cli.render import show_text, show_to_programs
from keyadmin.cli.session import current
from keyadmin.local.files import write_text
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.policy import DEFAULT_FILE, template
from keyadmin.rotation.settings import SCHEMA_FILE
from keyadmin.rotation.settings import schema as schema_of


def init(
    context: typer.Context,
    policy: Annotated[str, typer.Option("--policy", metavar="FILE", help="The policy file.")] = DEFAULT_FILE,
    schema: Annotated[
        bool, typer.Option("--schema", help=f"Write {SCHEMA_FILE} beside it too, for editors that complete and check TOML.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Write a commented policy file to start from. An existing file is not changed."""
    session = current(context)
    project = session.settings.project.value if session.settings.project else None
    text = (f"#:schema ./{SCHEMA_FILE}\n" if schema else "") + template(project, socket.gethostname())
    path = Path(policy)
    if path.exists() and not force:
        raise Problem(Cause.ALREADY_EXISTS, f"{path} is there already", fix=("edit it, or replace it with --force",))
    if dry_run:
        files = f"{path} and {SCHEMA_FILE} beside it" if schema else str(path)
        show_text(session, {"dryRun": True, "steps": [f"write {files}"]}, text)
        return
    if schema:
        write_text(path.with_name(SCHEMA_FILE), json.dumps(schema_of(), indent=2) + "\n", mode=0o644)
    write_text(path, text, mode=0o644)
    show_to_programs(session, {"files": [str(path), *([str(path.with_name(SCHEMA_FILE))] if schema else [])]})
    written = f"{path} and {path.with_name(SCHEMA_FILE)}" if schema else str(path)
    which = None if policy == DEFAULT_FILE else policy
    session.console.note(f"Wrote {written}. See what the policy selects: {typed('rotation plan', policy=which)}")
