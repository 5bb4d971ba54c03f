"""`keyadmin sandbox env`: shell lines that point keyadmin, gcloud and Google's clients at the sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from keyadmin.cli.render import show_text
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.settings import SandboxChoice, loopback_url
from keyadmin.model.problem import Cause, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.control import Served

# What keeps gcloud from asking a metadata server, the network or a person (measured with Google Cloud SDK 528).
GCLOUD_QUIET: Final = {
    "CLOUDSDK_CORE_CHECK_GCE_METADATA": "0",
    "CLOUDSDK_METRICS_ENVIRONMENT": "local-emulator",
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
    "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
    "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "1",
    "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
    "CLOUDSDK_CORE_SHOW_STRUCTURED_LOGS": "never",
    "GCE_METADATA_ROOT": "127.0.0.1:9",
}
# gcloud sends loopback through a proxy too, and fails on a company's CA file.
IN_THE_WAY: Final = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
)
LOOPBACK: Final = "127.0.0.1,localhost,::1"


class Syntax(StrEnum):
    """How a shell sets a variable."""

    SH = "sh"
    FISH = "fish"
    POWERSHELL = "powershell"


@dataclass(frozen=True, slots=True)
class Lines:
    """Variables to set, variables to unset, and remarks for what no variable can do."""

    setting: dict[str, str]
    unsetting: tuple[str, ...]
    remarks: tuple[str, ...]


def env(
    context: typer.Context,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ready file of a served sandbox; by default KEYADMIN_SANDBOX.")
    ] = None,
    shell: Annotated[Syntax, typer.Option(metavar="SHELL", help="sh (for bash and zsh too), fish or powershell.")] = Syntax.SH,
    unset: Annotated[bool, typer.Option("--unset", help="Print the lines that undo it.")] = False,
) -> None:
    """Print shell lines that point keyadmin, gcloud and Google's client libraries to a served sandbox.

    eval "$(keyadmin sandbox env --ready-file FILE)"
    """
    session = current(context)
    choice = session.sandbox
    assert choice is not None
    lines = _lines(context, session, choice, ready_file)
    if unset:
        lines = Lines({}, tuple(lines.setting), ())
    show_text(session, lines.setting, "\n".join(rendered(lines, shell)))
    if not lines.remarks and not unset:
        session.console.note(
            "The embedded sandbox is keyadmin's alone. For gcloud and Google's clients, start `keyadmin sandbox serve "
            "--ready-file FILE` and run `keyadmin sandbox env --ready-file FILE`.",
            always=True,
        )


def _lines(context: typer.Context, session: Session, choice: SandboxChoice, ready_file: Path | None) -> Lines:
    grpc = ""
    if ready_file is not None:
        rest, grpc = read_ready_file(ready_file)
        choice = replace(choice, url=rest)
    session.say_sandbox(choice)
    if choice.url is None:
        return Lines({"KEYADMIN_SANDBOX": "1"}, (), ())
    if not grpc:
        served: Served = run(context, lambda cloud: cloud.control.describe())
        grpc = served.grpc
    project = session.settings.project
    return lines_for(choice.url, grpc, choice.user, project.value if project else "")


def read_ready_file(path: Path) -> tuple[str, str]:
    """The REST and gRPC address that `sandbox serve` wrote. Raises Problem where it is no ready file."""
    try:
        data: Any = json.loads(path.read_text("utf-8"))
        return loopback_url(str(data["rest"])), str(data["grpc"])
    except OSError as error:
        raise usage(f"{path}: {error.strerror}", "give the file named by `keyadmin sandbox serve --ready-file`") from None
    except (ValueError, KeyError, TypeError, Problem):
        raise Problem(Cause.INVALID_ARGUMENT, f"{path} is not a ready file of `keyadmin sandbox serve`") from None


def lines_for(rest: str, grpc: str, user: str, project: str) -> Lines:
    """The lines for a sandbox served at `rest` (http://HOST:PORT) and `grpc` (HOST:PORT)."""
    from platformdirs import user_data_path

    from keyadmin.sandbox.registry import services

    overrides = sorted(name.upper() for service in services().values() for name in service.gcloud)
    setting = {
        "KEYADMIN_SANDBOX": rest,
        "KEYADMIN_SANDBOX_USER": user,
        "CLOUDSDK_CONFIG": str(user_data_path("keyadmin", appauthor=False) / "sandbox-gcloud"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": user,
        "CLOUDSDK_CORE_PROJECT": project,
        **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}": f"{rest}/" for api in overrides},
        **GCLOUD_QUIET,
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
        "GOOGLE_GEMINI_BASE_URL": rest,
        "GOOGLE_CLOUD_PROJECT": project,
    }
    remarks = (
        "Google's client libraries take the address in code, not from a variable. Python, for example:",
        f"  grpc.aio.insecure_channel({grpc!r}) as the channel of a ...GrpcAsyncIOTransport, or over REST",
        f"  ClientOptions(api_endpoint={rest!r}) and transport='rest', with the caller's e-mail address as the bearer token",
        "The Gen AI SDKs read GOOGLE_GEMINI_BASE_URL; the key must be one of the sandbox's.",
    )
    return Lines(setting, IN_THE_WAY, remarks)


def rendered(lines: Lines, shell: Syntax) -> list[str]:
    """The lines in a shell's syntax."""
    return [
        *(f"# {remark}" for remark in lines.remarks),
        *(_unset(name, shell) for name in lines.unsetting),
        *(_set(name, value, shell) for name, value in lines.setting.items()),
    ]


def _set(name: str, value: str, shell: Syntax) -> str:
    if shell is Syntax.POWERSHELL:
        return f"$Env:{name} = '{value.replace(chr(39), chr(39) * 2)}'"
    if shell is Syntax.FISH:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"set -gx {name} '{escaped}'"
    from shlex import quote

    return f"export {name}={quote(value)}"


def _unset(name: str, shell: Syntax) -> str:
    if shell is Syntax.POWERSHELL:
        return f"Remove-Item -ErrorAction SilentlyContinue Env:{name}"
    return f"set -e {name}" if shell is Syntax.FISH else f"unset {name}"
