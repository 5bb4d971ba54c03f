"""`keyadmin sandbox ...`: serve the local Google Cloud, fill it, start it over, point other programs at it."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.lazy import CommandEntry, CommandGroup
from keyadmin.cli.options import DryRun, Yes
from keyadmin.cli.render import show_to_programs
from keyadmin.cli.runner import run, run_alone
from keyadmin.cli.session import current
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Exit, Problem, usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyadmin.sandbox.server import CannotListen

GROUP: Final = CommandGroup(
    "The sandbox: a local Google Cloud to try things on. Any command runs in it with --sandbox.",
    {
        "serve": CommandEntry(
            "keyadmin.cli.sandbox:serve", "Serve it in the foreground, for other programs too.", world="server", fields=False
        ),
        "seed": CommandEntry("keyadmin.cli.sandbox:seed", "Add projects, keys and more from a seed file.", world="sandbox"),
        "reset": CommandEntry("keyadmin.cli.sandbox:reset", "Reset it to what it began with.", world="sandbox"),
        "env": CommandEntry("keyadmin.cli.sandbox_env:env", "Print shell lines that point programs to it.", world="server"),
    },
)

Port = Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="TCP port; 0 = any free one.")]


def serve(
    context: typer.Context,
    rest_port: Port = 0,
    grpc_port: Port = 0,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep everything in this SQLite file (else in memory only).")
    ] = None,
    seed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Begin with this seed (JSON) instead of the default one.")
    ] = None,
    latency: Annotated[str | None, typer.Option(metavar="MS|recorded", help="Answer as slowly as this.")] = None,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write addresses and pid here once it is ready.")
    ] = None,
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="Accept connections from other machines.")] = False,
) -> None:
    """Serve the sandbox in the foreground until Ctrl-C or SIGTERM. Other programs reach it over REST and gRPC.

    When it is ready, one line of JSON with its addresses and pid goes to stdout and to --ready-file.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC would say on stderr what is said in words below
    from keyadmin.sandbox.serve import ServeOptions
    from keyadmin.sandbox.serve import serve as serving

    session = current(context)
    _check_latency(latency)
    _check_ports(rest_port, grpc_port)
    if allow_remote:
        session.console.warning("anybody who can reach this machine over the network can use and change this sandbox")
    session.console.note("Starting the sandbox, a local Google Cloud; Ctrl-C stops it.", always=True)
    options = ServeOptions(rest_port, grpc_port, state, seed, latency, ready_file, allow_remote)
    with plain_words(ready_file):
        run_alone(context, serving(options))
    session.console.note("The sandbox has stopped.")


def seed(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A seed (JSON).")],
    dry_run: DryRun = False,
) -> None:
    """Add what a seed file (JSON with projects, keys and more) describes; entries with the same id are replaced. A file with a
    mistake changes nothing."""
    from keyadmin.sandbox.seed import read

    session = current(context)
    with plain_words():
        data = read(file)
    if dry_run:
        would(session, f"add what {file} describes to {session.sandbox}")
        return
    try:
        now = run(context, lambda cloud: cloud.control.seed(data))
    except Problem as problem:
        if problem.cause is Cause.INVALID_ARGUMENT:
            raise bad_seed(f"{file}: {problem.message}") from None
        raise
    show_to_programs(session, {"now": now, "sandbox": True})
    session.console.note(f"The sandbox now holds what {file} describes.")


def reset(context: typer.Context, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Reset the sandbox to the seed it began with, including clock, faults and quotas."""
    session = current(context)
    what = str(session.sandbox)
    if dry_run:
        would(session, f"throw away everything in {what} and start over")
        return
    confirm(session, f"Throw away everything in {what} and start over?", yes=yes)
    show_to_programs(session, {"now": run(context, lambda cloud: cloud.control.reset()), "sandbox": True})
    session.console.note("The sandbox is as it was at the start.")


@contextmanager
def plain_words(ready_file: Path | None = None) -> Iterator[None]:
    """The sandbox's own exceptions, and those of sockets and files, as Problems (exit code 1)."""
    from keyadmin.sandbox.seed import BadSeed
    from keyadmin.sandbox.server import CannotListen
    from keyadmin.sandbox.state.lock import StateLocked
    from keyadmin.sandbox.state.store import NotAState

    try:
        yield
    except BadSeed as error:
        raise bad_seed(str(error), there=error.there) from None
    except NotAState as error:
        fix = "give another file with --state; keyadmin left this one as it was"
        fixes = (error.mend, fix) if error.mend else (fix,)
        raise Problem(Cause.INVALID_ARGUMENT, str(error), fix=fixes, exit_code=Exit.FAILED) from None
    except StateLocked as error:
        fix = "stop that one, use it (KEYADMIN_SANDBOX=its URL), or give another file with --state"
        raise Problem(Cause.CONFLICT, str(error), fix=(fix,)) from None
    except CannotListen as error:
        raise _port(error) from None
    except OSError as error:
        raise _system(error, ready_file) from error


def bad_seed(message: str, *, there: bool = True) -> Problem:
    """The Problem of a seed with a mistake in it, or of one that is not there."""
    fix = "fix the file and try again; nothing was changed" if there else "name an existing seed file that you can read"
    return Problem(Cause.INVALID_ARGUMENT, message, fix=(fix,))


def _port(error: CannotListen) -> Problem:
    """The Problem of a port that cannot be had: which one, why, and what to type."""
    option, place = f"--{error.transport}-port", f"{error.host}:{error.port}"
    free = f"{typed('sandbox serve')} {option} 0"
    if error.why == errno.EACCES:
        fix = f"give a port from 1024 on, or any free one: {free}"
        return Problem(Cause.INVALID_ARGUMENT, f"{option} {error.port}: this user may not listen on {place}", fix=(fix,))
    if error.why != errno.EADDRINUSE:
        return Problem(Cause.UNKNOWN, f"{option} {error.port}: {error}", fix=(f"take any free port: {free}",))
    use_it = (f"if it is a sandbox, use that one: export KEYADMIN_SANDBOX=http://{place}",) if error.transport == "rest" else ()
    return Problem(
        Cause.CONFLICT,
        f"{option} {error.port} is in use: another program listens on {place}",
        fix=(f"take any free port: {free}", *use_it),
    )


def _system(error: OSError, ready_file: Path | None) -> Problem:
    place = str(error.filename or ready_file or "a file").removesuffix(".lock")  # what lies beside the state, to its user
    if ready_file is not None and Path(place).parent == ready_file.parent:
        place = str(ready_file)  # not the file beside it that is written first
    return Problem(Cause.UNKNOWN, f"{place}: {error.strerror or error}")


def _check_latency(latency: str | None) -> None:
    if latency is None or latency == "recorded":
        return
    try:
        fits = 0 <= float(latency) < 3_600_000
    except ValueError:
        fits = False
    if not fits:
        raise usage(f"--latency: {latency!r} is neither a number of milliseconds nor `recorded`")


def _check_ports(rest_port: int, grpc_port: int) -> None:
    if rest_port and rest_port == grpc_port:
        raise usage("--rest-port and --grpc-port are the same", "give two ports, or leave one out")
