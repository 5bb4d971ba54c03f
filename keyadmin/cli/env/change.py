"""`keyadmin env set` and `keyadmin env unset`."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.keys.named import of_this_world, string_or_name
from keyadmin.cli.keys.options import KeyOrString
from keyadmin.cli.options import DryRun, KeyFromEnv
from keyadmin.cli.render import show_to_programs
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import one_of
from keyadmin.keys import resolve
from keyadmin.local.environment import windows
from keyadmin.local.environment.changing import FileChange, remaining, rivals, set_variable, unset_variable
from keyadmin.local.environment.places import SHELLS, VARIABLES, Place, Shell, file_of, shell_in_use, shell_of
from keyadmin.model.command_line import typed
from keyadmin.model.problem import usage
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

ShellOption = Annotated[
    str | None,
    typer.Option(
        "--shell",
        metavar="SHELL",
        autocompletion=one_of(SHELLS),
        help=f"One of {', '.join(SHELLS)}; by default yours.",
    ),
]
File = Annotated[Path | None, typer.Option("--file", metavar="PATH", help="A file other than the shell's usual one.")]
Variable = Annotated[str, typer.Option("--variable", metavar="NAME", help="GEMINI_API_KEY or GOOGLE_API_KEY.")]


def set_(
    context: typer.Context,
    key: KeyOrString = None,
    key_from_env: KeyFromEnv = None,
    shell: ShellOption = None,
    file: File = None,
    variable: Variable = "GEMINI_API_KEY",
    dry_run: DryRun = False,
) -> None:
    """Write a key into your shell's start-up file (or .env, or the Windows user environment), so that new terminals have it.

    An existing line is replaced, all other lines are kept, and a backup is made.
    """
    session = current(context)
    where = _where(session, shell, file, variable)
    given = string_or_name(session, key, key_from_env)
    if session.sandbox is not None and not session.sandbox.by_flag:
        raise usage(
            "a sandbox key is written outside the sandbox only with --sandbox on the command line",
            "add --sandbox if a sandbox key is really wanted there",
        )
    if isinstance(given, KeyString):
        of_this_world(session, given)
    if dry_run and isinstance(where, str):
        would(session, f"set {variable} in {_named(where)}")
        return
    value = given if isinstance(given, KeyString) else run(context, partial(_read, session, given))
    if isinstance(where, Place):
        change = set_variable(where, variable, value, session.env, dry_run=dry_run)
        if dry_run:
            would(session, _step(variable, where, present=True, changes=change.changed), document=False)
        _say(session, change, "" if dry_run else f"{variable} is set in {where.path}")
        if not dry_run:
            session.console.note(_reach(where))
        for text in rivals(session.env, Path.cwd(), where.path, variable, value):
            session.console.warning(text)
    else:
        windows.write(variable, value)
        session.console.note(f"{variable} is set in the Windows user environment; new terminals have it.")
    changes = change.changed if isinstance(where, Place) else True
    _tell_programs(session, variable, where, present=True, changes=changes, dry_run=dry_run)


async def _read(session: Session, name: str, cloud: Cloud) -> KeyString:
    found = await resolve.find(cloud, name, partial(session.project, cloud), newest=session.observer)
    return await cloud.keys.key_string(found.name)


def unset(
    context: typer.Context,
    shell: ShellOption = None,
    file: File = None,
    variable: Variable = "GEMINI_API_KEY",
    dry_run: DryRun = False,
) -> None:
    """Remove the variable from your shell's start-up file (or .env, or the Windows user environment). A backup is made."""
    session = current(context)
    where = _where(session, shell, file, variable)
    changes = True
    if isinstance(where, Place):
        change = unset_variable(where, variable, session.env, dry_run=dry_run)
        changes = change.changed
        if dry_run:
            would(session, _step(variable, where, present=False, changes=changes), document=False)
        gone = "is no longer" if change.changed else "was not"
        _say(session, change, "" if dry_run else f"{variable} {gone} set in {where.path}")
        for text in remaining(session.env, Path.cwd(), where.path, variable):
            session.console.warning(text)
    elif dry_run:
        would(session, f"take {variable} out of {_named(where)}", document=False)
    else:
        windows.write(variable, None)
        session.console.note(f"{variable} is not set in the Windows user environment.")
    _tell_programs(session, variable, where, present=False, changes=changes, dry_run=dry_run)


def _step(variable: str, where: Place | Literal["windows"], *, present: bool, changes: bool) -> str:
    """What would be done."""
    if not changes:
        return f"leave {_named(where)} as it is: {variable} is {'set so already' if present else 'not set there'}"
    return f"set {variable} in {_named(where)}" if present else f"take {variable} out of {_named(where)}"


def _tell_programs(
    session: Session, variable: str, where: Place | Literal["windows"], *, present: bool, changes: bool, dry_run: bool
) -> None:
    if dry_run:
        step = _step(variable, where, present=present, changes=changes)
        show_to_programs(session, {"dryRun": True, "steps": [step], **session.mark})
    else:
        show_to_programs(session, {"variable": variable, "set": present, "place": _named(where)})


def _where(session: Session, shell: str | None, file: Path | None, variable: str) -> Place | Literal["windows"]:
    if variable not in VARIABLES:
        raise usage(f"{variable} is not a variable that Gemini's libraries read: it is {' or '.join(VARIABLES)}")
    if shell is not None and shell not in SHELLS:
        raise usage(f"{shell} is not a shell that keyadmin knows", f"name one: --shell {'|'.join(SHELLS)}")
    named: Shell = shell or (shell_of(file) if file is not None else None) or shell_in_use(session.env)
    if named == "windows":
        if file is not None:
            raise usage("--file and --shell windows do not go together")
        windows.read(variable)
        return "windows"
    place = file_of(named, session.env, Path.cwd())
    return Place(file.expanduser(), place.syntax, str(file), place.shell) if file is not None else place


def _named(where: Place | Literal["windows"]) -> str:
    return str(where.path) if isinstance(where, Place) else "the Windows user environment"


def _say(session: Session, change: FileChange, text: str) -> None:
    if text:
        session.console.note(f"{text}.")
    for note in change.notes:
        session.console.note(f"Note: {note}.", always=True)
    if change.backup is not None:
        command = typed("env restore", str(change.path.absolute()))
        session.console.note(f"A private backup of the file as it was is kept. To put it back: {command}")


def _reach(place: Place) -> str:
    """Who has the variable now, and how this terminal gets it."""
    path = shlex.quote(str(place.path))
    if place.path.name == ".envrc":
        return f"direnv takes it once you allow the changed file: direnv allow {path}"
    if place.syntax == "dotenv":
        return f"Programs that read .env there have it; in this terminal: set -a; . {path}; set +a"
    return f"New terminals have it; in this one: {'.' if place.syntax == 'powershell' else 'source'} {path}"
