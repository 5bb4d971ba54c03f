"""The global options, as every command takes them, and the options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import Annotated, Any

import typer

from keyadmin.cli.session import current
from keyadmin.cli.settings import FORMATS
from keyadmin.model.leaned_on import coercion_is_open, set_coercion

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
KeyFromEnv = Annotated[
    str | None, typer.Option("--key-from-env", metavar="VARIABLE", help="Read the key string from this environment variable.")
]

ChargeProjects = Annotated[
    bool,
    typer.Option("--charge-projects", help="Charge each call to the project it concerns, not to one quota project."),
]


def _record(context: typer.Context, parameter: typer.CallbackParam, value: Any) -> Any:
    """Keep what was typed; where an option stands twice (before and after the command) the later one wins."""
    if value is not None and parameter.name:
        current(context).raw[parameter.name] = value
    return value


def _record_project(context: typer.Context, value: Any) -> Any:
    """Keep every project that was typed, before and after the command: `Session.settle` refuses different ones."""
    for project in value or ():
        session = current(context)
        session.projects_typed.append(project)
        session.raw["project"] = project
    return value


def _record_fields(context: typer.Context, value: Any) -> None:
    """Kept for `Session.choose_fields`: what is printed decides which fields there are."""
    if value is not None:
        current(context).fields_typed = value


def _no_plugins(context: typer.Context, value: bool | None) -> None:
    """The switch is a variable, which programs that keyadmin starts inherit."""
    if value and not context.resilient_parsing:
        os.environ["KEYADMIN_NO_PLUGINS"] = "1"


def _version(context: typer.Context, value: bool | None) -> None:
    if value and not context.resilient_parsing:
        from keyadmin import __version__

        print(f"keyadmin {__version__}")
        raise typer.Exit


def _formats(context: typer.Context, incomplete: str) -> list[str]:
    entry = getattr(context.command, "entry", None)
    return [name for name in (entry.formats if entry else FORMATS) if name.startswith(incomplete)]


def _field_names(context: typer.Context, incomplete: str) -> list[str]:
    from keyadmin.cli.fields import columns

    before, comma, last = incomplete.rpartition(",")
    names = (".".join(path) for path in columns(context.command_path.partition(" ")[2]))
    return [f"{before}{comma}{name}" for name in names if name.startswith(last)]


def _projects(context: typer.Context, incomplete: str) -> list[str | tuple[str, str]]:
    from keyadmin.cli.suggest import project_ids

    return project_ids(context, incomplete)


_Project = Annotated[
    list[str] | None,
    typer.Option(
        "--project",
        "-p",
        callback=_record_project,
        metavar="ID",
        autocompletion=_projects,
        help="The project: id or number. [KEYADMIN_PROJECT]",
    ),
]
_Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        callback=_record,
        metavar="FORMAT",
        autocompletion=_formats,
        help="table (default), json, jsonl, csv, yaml or markdown. [KEYADMIN_FORMAT]",
    ),
]
_Sandbox = Annotated[
    bool | None,
    typer.Option(
        "--sandbox/--no-sandbox",
        callback=_record,
        help="Run in the sandbox, a local Google Cloud, or against Google. [KEYADMIN_SANDBOX]",
    ),
]
_Quiet = Annotated[
    bool | None,
    typer.Option("--quiet", "-q", callback=_record, help="No notes, no progress; warnings stay. [KEYADMIN_QUIET]"),
]
_Verbose = Annotated[
    bool | None,
    typer.Option("--verbose", "-v", callback=_record, help="Show details and tracebacks. [KEYADMIN_VERBOSE]"),
]
_NoColor = Annotated[bool | None, typer.Option("--no-color", callback=_record, help="No colour. [KEYADMIN_NO_COLOR, NO_COLOR]")]
_ImpersonateServiceAccount = Annotated[
    str | None,
    typer.Option(
        "--impersonate-service-account",
        callback=_record,
        metavar="EMAIL",
        help="Act as this service account. [KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT]",
    ),
]
_QuotaProject = Annotated[
    str | None,
    typer.Option(
        "--quota-project",
        callback=_record,
        metavar="ID",
        help="The project that calls are charged to. [KEYADMIN_QUOTA_PROJECT]",
    ),
]
_Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        callback=_record,
        metavar="DURATION",
        help="How long calls wait in total for a network that does not answer; 90s by default. [KEYADMIN_TIMEOUT]",
    ),
]
_NoPlugins = Annotated[
    bool | None,
    typer.Option(
        "--no-plugins", callback=_no_plugins, help="Do not load sinks and rules of other packages. [KEYADMIN_NO_PLUGINS]"
    ),
]
_Fields = Annotated[
    str | None,
    typer.Option(
        "--fields",
        callback=_record_fields,
        metavar="NAME,..",
        autocompletion=_field_names,
        help="Print only these fields, named as in JSON, in this order: name,restrictions.apiTargets.",
    ),
]
_Version = Annotated[
    bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
]


def _global_options(
    project: _Project = None,
    format: _Format = None,
    sandbox: _Sandbox = None,
    quiet: _Quiet = None,
    verbose: _Verbose = None,
    no_color: _NoColor = None,
    impersonate_service_account: _ImpersonateServiceAccount = None,
    quota_project: _QuotaProject = None,
    timeout: _Timeout = None,
    no_plugins: _NoPlugins = None,
    version: _Version = None,
) -> None:
    """Never called: Typer reads the options off this signature."""


class _Late:
    """Stands in for Typer's coercion of one parameter: texts, lists of them, flags and what was not given need none.

    Typer imports pydantic for any coercion, a fourth of a small command's time. A value that needs it gets Typer's own.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        several = param.multiple or param.nargs == -1
        if param.name == "project" and param.multiple:
            return list(value or ())
        if value is None:
            return () if several else None
        wanted = param.type_descriptor.annotation
        if wanted in (str, bool) and isinstance(value, wanted) and not several:
            return value
        if wanted == list[str] and several and not isinstance(value, str) and all(isinstance(each, str) for each in value):
            return list(value)
        set_coercion(param, None)
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def defer_coercion(parameters: Iterable[Any]) -> None:
    """Let each parameter import pydantic only when its value needs it."""
    for parameter in parameters:
        if coercion_is_open(parameter):
            set_coercion(parameter, _Late())


def _shared_options(fields: _Fields = None) -> None:
    """Never called: Typer reads the option of every command off this signature."""


@cache
def shared_options() -> tuple[Any, ...]:
    """The parameters that every command has as its own."""
    return _parameters(_shared_options)


@cache
def global_options() -> tuple[Any, ...]:
    """The parameters to add to every command and group; they keep no state, so one set serves all."""
    return _parameters(_global_options)


def _parameters(signature: Callable[..., None]) -> tuple[Any, ...]:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(signature)
    parameters = tuple(typer.main.get_command(app).params)
    for parameter in parameters:
        parameter.expose_value = False
    defer_coercion(parameters)
    return parameters
