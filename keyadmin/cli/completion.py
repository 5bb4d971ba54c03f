"""`keyadmin completion`: the shell's script for completing keyadmin's commands, through Typer's own mechanism."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, cast

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import show_text, show_to_programs
from keyadmin.cli.session import current
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.local.completion_files import CompletionShell

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
        Shell | None, typer.Argument(metavar="SHELL", help=f"One of {', '.join(Shell)}; by default the one you are in.")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Add it to the shell's start-up file.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Print the script that completes keyadmin's commands in your shell, or install it.

    To try it in this terminal alone: eval "$(keyadmin completion bash)"
    """
    session = current(context)
    name = shell.value if shell else detected()
    if not install:
        script = _script(name)
        show_text(session, {"shell": name, "script": script}, script)
        return
    from keyadmin.local.completion_files import install as install_script

    done = install_script(cast("CompletionShell", name), PROGRAM, _script(name), session.env, dry_run=dry_run)
    change = done.start_up
    into = f" and load it in {change.path}" if change is not None and change.changed else ""
    if dry_run:
        would(session, f"write the completion for {name} to {done.script}{into}")
        return
    show_to_programs(session, {"shell": name, "file": str(done.script)})
    session.console.note(f"Completion for {name} is installed in {done.script}. It works in shells started from now on.")
    if change is not None and change.changed:
        session.console.note(f"{change.path} loads it; {typed('env restore', str(change.path))} takes that back.")


def _script(shell: str) -> str:
    """Typer's script; in zsh, which loads it at the first Tab, that Tab gets its answer too."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    script: str = get_completion_script(prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE, shell=shell)
    if shell != "zsh":
        return script
    register = f"compdef _{PROGRAM}_completion {PROGRAM}"
    first = f'if [[ ${{funcstack[1]}} == _{PROGRAM} ]]; then\n  _{PROGRAM}_completion "$@"\nelse\n  {register}\nfi'
    return script.replace(f"\n{register}", f"\n{first}")


def detected() -> str:
    """The shell that started this process. Raises usage() where it is none that can complete."""
    import shellingham  # type: ignore[import-untyped]  # Typer brings it

    try:
        name: str = shellingham.detect_shell()[0]
    except shellingham.ShellDetectionFailure:
        name = ""
    if name not in set(Shell):
        raise usage("the shell you are in is not known", f"name it: {typed('completion')} {'|'.join(Shell)}")
    return name
