"""`keyadmin completion`: the shell's script for completing keyadmin's commands, through Typer's own mechanism."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import write
from keyadmin.cli.session import current
from keyadmin.model.problem import Cause, Problem, usage

PROGRAM = "keyadmin"
COMPLETE_VARIABLE = "_KEYADMIN_COMPLETE"


class Shell(StrEnum):
    """The shells that Typer knows how to complete in."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"
    PWSH = "pwsh"


def completion(
    context: typer.Context,
    shell: Annotated[
        Shell | None, typer.Argument(metavar="SHELL", help=f"One of {', '.join(Shell)}; the one you are in otherwise.")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Add it to the shell's start-up file.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Print the script that completes keyadmin's commands in your shell, or install it.

    To try it in this terminal alone: eval "$(keyadmin completion bash)"
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    session = current(context)
    name = shell.value if shell else detected()
    if not install:
        write(get_completion_script(prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE, shell=name))
        return
    if dry_run:
        would(session, f"install the completion for {name}")
        return
    from typer.completion import install as install_script  # type: ignore[attr-defined]

    try:
        _, path = install_script(shell=name, prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE)
    except OSError as error:
        raise Problem(Cause.UNKNOWN, f"the completion script cannot be written: {error.strerror}: {error.filename}") from error
    session.console.note(f"Completion for {name} is installed in {path}. It works in shells started from now on.")


def detected() -> str:
    """The shell that started this process. Raises usage() where it is none that can complete."""
    import shellingham  # type: ignore[import-untyped]  # Typer brings it

    try:
        name: str = shellingham.detect_shell()[0]
    except shellingham.ShellDetectionFailure:
        name = ""
    if name not in set(Shell):
        raise usage("the shell you are in is not known", f"name it: keyadmin completion {'|'.join(Shell)}")
    return name
