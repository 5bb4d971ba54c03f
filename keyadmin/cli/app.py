"""The root of the command line: its table of commands, and the one place where every failure ends.

How a command is written: options -> use case -> render. It is a plain function with Typer's annotations in a module of
its own, named by one line of a table (here, or in its group's `__init__.py`), which is all that `--help` needs:

    # keyadmin/cli/projects/__init__.py
    GROUP = CommandGroup("Projects ...", {"use": CommandEntry("keyadmin.cli.projects.use:use", "Make a project the default.")})

    # keyadmin/cli/projects/list.py
    def list_(context: typer.Context, all_: Annotated[bool, typer.Option("--all")] = False) -> None:
        \"\"\"Help text, shown by --help.\"\"\"
        session = current(context)                                    # settings, console, observer, project
        found = run(context, lambda cloud: use_case(cloud, session.observer))  # connects, awaits, disconnects
        show_list(session, found, VIEW)                               # table, json, jsonl, csv, yaml, markdown

A command prints nothing itself and catches nothing: a Problem raised anywhere ends in `main` below as a few lines on
stderr, the JSON error object and the exit code. `return Exit.FOUND` ends with another code than 0. The global options
need not be declared. The project is `await session.project(cloud)`. Asking first is `confirm(session, ...)`
(cli/confirm.py), key strings come from `key_string(...)` (cli/secret_input.py). Key strings among the arguments are
refused before Typer sees them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import typer

from keyadmin.cli import reveal, secret_input, streams
from keyadmin.cli.lazy import CommandEntry, CommandGroup, group
from keyadmin.cli.printed import use_table
from keyadmin.cli.program import global_options_typed, program
from keyadmin.cli.session import Session
from keyadmin.cli.settings import SCAN_FORMATS
from keyadmin.model.command_line import Invocation, call_as, called_as, calling_as, complete, typed
from keyadmin.model.leaned_on import COMMAND_MISSING, NO_COMMAND_GIVEN, SOMETHING_MISSING, keep_rich_out, put_into_zsh
from keyadmin.model.problem import Cause, Exit, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

PROGRAM: Final = "keyadmin"

ROOT: Final = CommandGroup(
    "Administer Google Cloud projects and Gemini API keys.\n\n"
    "No Google account? Add --sandbox to any command: it then runs in a local Google Cloud.",
    {
        "doctor": CommandEntry("keyadmin.cli.doctor:doctor", "Check what a project still lacks for API keys.", "Start here"),
        "explain": CommandEntry("keyadmin.cli.explain:explain", "Explain an error message from Google.", "Start here"),
        "projects": CommandEntry(
            "keyadmin.cli.projects:GROUP", "List, find, import, create and change projects.", "Projects and keys"
        ),
        "keys": CommandEntry("keyadmin.cli.keys:GROUP", "Create, list, restrict and verify API keys.", "Projects and keys"),
        "env": CommandEntry("keyadmin.cli.env:GROUP", "Show and set GEMINI_API_KEY and GOOGLE_API_KEY.", "Use keys"),
        "snippet": CommandEntry("keyadmin.cli.snippet:snippet", "Print a working example in your language.", "Use keys"),
        "tokens": CommandEntry("keyadmin.cli.tokens:GROUP", "Create ephemeral tokens for the Live API.", "Use keys"),
        "audit": CommandEntry("keyadmin.cli.audit:GROUP", "Find exposed, old and badly restricted keys.", "Keep keys in order"),
        "rotation": CommandEntry(
            "keyadmin.cli.rotation:GROUP", "Rotate keys by a policy; migrate to auth keys.", "Keep keys in order"
        ),
        "scan": CommandEntry(
            "keyadmin.cli.scan:scan",
            "Find key strings in files and in git history.",
            "Keep keys in order",
            formats=SCAN_FORMATS,
        ),
        "guard": CommandEntry(
            "keyadmin.cli.guard:GROUP", "Set organisation policies that keep API keys in order.", "Keep keys in order"
        ),
        "sandbox": CommandEntry(
            "keyadmin.cli.sandbox:GROUP", "Serve, fill and reset the local Google Cloud.", "keyadmin itself"
        ),
        "config": CommandEntry("keyadmin.cli.config:GROUP", "Read and change keyadmin's settings.", "keyadmin itself"),
        "completion": CommandEntry(
            "keyadmin.cli.completion:completion", "Set up completion for your shell.", "keyadmin itself"
        ),
    },
)


_FIRST_STEPS: Final = (
    ("doctor", "what a project still lacks for API keys"),
    ('explain "ERROR TEXT"', "what an error of Google's means, and what to do"),
    ("keys create --name web", "a key that works, restricted and verified"),
    ("keys list", "the keys, as AI Studio shows them"),
    ("audit", "keys that are exposed, old or badly restricted"),
    ("rotation init", "rotate keys by a policy"),
    ("scan .", "key strings in files and in git history"),
)


def _first_steps() -> str:
    """What is said where no command was given: commands with the program and the global options of this run."""
    steps = [(complete(f"`{PROGRAM} {words}`"), what) for words, what in _FIRST_STEPS]
    width = max(len(command) for command, _ in steps)
    sandbox = "--sandbox" in called_as().options
    nobody = "No Google account? Add --sandbox to any command: it runs in a local Google Cloud."
    return "\n".join(
        [
            f"{PROGRAM} administers Google Cloud projects and Gemini API keys.",
            "",
            *(f"  {command:<{width}}  {what}" for command, what in steps),
            "",
            *([] if sandbox else [nobody]),
            f"All commands: {typed('', help=True)}",
            f"One command: {typed('keys create', help=True)}",
        ]
    )


async def _choose_project(session: Session, cloud: Cloud) -> str:
    from keyadmin.cli.picker import pick_project

    return await pick_project(session, cloud)


def main(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run one command line (without the program's name) and give back its exit code. Never raises."""
    session = Session(os.environ if env is None else env)
    session.choose_project = _choose_project
    _no_tracing(arguments)
    use_table({name: entry.target for name, entry in ROOT.entries.items()})
    with calling_as(Invocation(program(), words=tuple(arguments))), reveal.nothing_yet():
        code = _boundary(session, arguments)
        try:
            streams.flush()
        except OSError as error:  # a full disk, most likely
            code = _failed(session, error, arguments)
            streams.abandon(sys.stdout)
    return int(code)


# Google's clients log whole answers, key strings included; gRPC prints headers, bearer tokens included; OpenSSL writes the
# keys of connections. Programs that keyadmin starts do not get them either.
_LOGGING: Final = "GOOGLE_SDK_PYTHON_LOGGING_SCOPE"
_TRACING: Final = ("GRPC_TRACE", "GRPC_VERBOSITY", "GRPC_STACKTRACE_MINLOGLEVEL", "SSLKEYLOGFILE", "PYTHONASYNCIODEBUG")


def _no_tracing(arguments: Sequence[str]) -> None:
    """Take what makes libraries print secrets out of the environment; tracing stays where --verbose is given twice."""
    flags = [word for word in arguments if word == "--verbose" or (word[:2] == "-v" and not word.strip("-v"))]
    said = sum(1 if word == "--verbose" else len(word) - 1 for word in flags)
    for name in (_LOGGING, *(() if said >= 2 else _TRACING)):
        os.environ.pop(name, None)


def _boundary(session: Session, arguments: Sequence[str]) -> int:
    try:
        secret_input.refuse_key_strings(arguments)
        root = group(PROGRAM, ROOT)
        if f"_{PROGRAM.upper()}_COMPLETE" in session.env:
            _complete()
        result = root.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False, obj=session)
        if result == Exit.INTERRUPTED:  # Typer's reading of Ctrl-C
            return _interrupted(session, arguments)
        return int(result) if isinstance(result, int) else Exit.OK
    except BrokenPipeError:  # what is printed for ever (keys list --watch): the reader has seen enough
        streams.abandon(sys.stdout)
        return Exit.OK
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(session, arguments)
    except typer.TyperException as error:
        return _wrong_usage(session, error, arguments)
    except typer.Exit as error:
        return error.exit_code
    except SystemExit as error:  # Typer ends a completion so
        return error.code if isinstance(error.code, int) else Exit.FAILED
    except Exception as error:  # noqa: BLE001 - the end of the command line: whatever it is, it is told and not thrown
        return _failed(session, error, arguments)


def _complete() -> None:
    """The shell asks for completions: Typer answers them once its shells are registered."""
    from typer.completion import completion_init  # type: ignore[attr-defined]

    from keyadmin.cli.suggest import for_zsh

    keep_rich_out(completion_init)
    put_into_zsh(completion_init, for_zsh)
    completion_init()


def _failed(session: Session, error: Exception, arguments: Sequence[str]) -> int:
    from keyadmin.cli import errors

    session.say_chosen_sandbox(arguments)
    return errors.report(session, errors.as_problem(error), error, as_json=_wants_json(session, arguments))


def _interrupted(session: Session, arguments: Sequence[str]) -> int:
    from keyadmin.cli import errors

    session.observer.finished()
    session.console.say("\nInterrupted.")
    errors.say_left_behind(session)
    if _wants_json(session, arguments):
        message = "; ".join(["interrupted", *(f"left unfinished: {text}" for text in session.observer.left_behind)])
        errors.say_json(Problem(Cause.UNKNOWN, message), ())
    return Exit.INTERRUPTED


def _wrong_usage(session: Session, error: typer.TyperException, arguments: Sequence[str]) -> int:
    """Typer's own complaints, in keyadmin's form; no argument that looks like a key string gets this far."""
    from keyadmin.cli import errors

    session.say_chosen_sandbox(arguments)
    context: Any = getattr(error, "ctx", None)
    call_as(replace(called_as(), options=global_options_typed({**_typed_globals(arguments), **session.raw})))
    alone = context is not None and context.parent is None
    if type(error).__name__ == NO_COMMAND_GIVEN or (alone and error.format_message().rstrip(".") == COMMAND_MISSING):
        session.console.say(_first_steps() if alone else error.format_message())
        if _wants_json(session, arguments):
            errors.say_json(usage("a command is missing"), ("one of those above",))
        return Exit.USAGE
    command = context.command_path if context else PROGRAM
    if context:
        session.console.say(context.get_usage())
    instead = _instead(session, error, context, arguments)
    if instead and hasattr(error, "possibilities"):
        error.possibilities = None  # those that are spelt alike, though it is known what was meant
    message = errors.in_plain_words(error.format_message().rstrip("."))
    whole = typed(command.partition(" ")[2], help=True)
    problem = usage(message, *dict.fromkeys([*instead, whole]), *_example(command, message))
    return errors.report(session, problem, None, as_json=_wants_json(session, arguments))


def _typed_globals(arguments: Sequence[str]) -> dict[str, str | bool]:
    """The global options that printed commands carry, from words that could not be parsed."""
    found: dict[str, str | bool] = {}
    for place, word in enumerate(arguments):
        option, sign, value = word.partition("=")
        if option in ("--sandbox", "--no-sandbox"):
            found["sandbox"] = option == "--sandbox"
        elif option in ("--impersonate-service-account", "--quota-project"):
            found[option[2:].replace("-", "_")] = value if sign else next(iter(arguments[place + 1 :]), "")
    return found


def _instead(session: Session, error: typer.TyperException, context: Any, arguments: Sequence[str]) -> tuple[str, ...]:
    """What was probably meant by a command or an option that is not there."""
    from keyadmin.cli.mistakes import for_argument, for_command, for_near, for_option

    if session.mistaken is not None:
        return for_command(*session.mistaken) or for_near(session.mistaken[1], session.near, arguments)
    option = getattr(error, "option_name", None)
    if context is None:
        return ()
    if not isinstance(option, str):
        return for_argument(context.command_path.partition(" ")[2], error.format_message(), arguments)
    return for_option(option, [name for each in context.command.get_params(context) for name in each.opts], arguments)


def _example(command: str, message: str) -> tuple[str, ...]:
    """A whole command line, for somebody who left something out."""
    if not message.startswith(SOMETHING_MISSING):
        return ()
    from keyadmin.cli.examples import EXAMPLES

    return tuple(complete(f"for example: `{line}`") for line in EXAMPLES.get(command.partition(" ")[2], ())[:1])


def _wants_json(session: Session, arguments: Sequence[str]) -> bool:
    """Whether the error object is wanted; where parsing failed, what was typed decides."""
    asked: object = session.raw.get("format")
    for place, argument in enumerate(arguments):
        if argument == "--format":
            asked = next(iter(arguments[place + 1 :]), "")
        elif argument.startswith("--format="):
            asked = argument.partition("=")[2]
    return session.json_wanted(asked)
