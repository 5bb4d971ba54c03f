"""What keyadmin leans on in packages of others though they promise nothing: names that are private, sentences in English.

All of it is here, so that a new version of a package breaks one file. `tests/architecture/test_leaned_on.py` asks the installed
packages for each of them and says which one changed; it also finds what is private and used elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

# --- Typer: names -------------------------------------------------------------------------------------------------------


def set_coercion(parameter: Any, coercion: Any | None) -> None:
    """What turns a parameter's text into its value, kept once it was made; None = Typer makes it when it is needed."""
    parameter._runtime_param = coercion


def coercion_is_open(parameter: Any) -> bool:
    """Whether a parameter has such a thing and Typer has not made it yet; making it imports pydantic."""
    return getattr(parameter, "_runtime_param", ...) is None


def subcommand_typed(context: Any) -> bool:
    """Whether a subcommand stands behind a group's name: Typer keeps it until the group is invoked."""
    return bool(context._protected_args)


def keep_rich_out(completion_init: Callable[[], None]) -> None:
    """Typer would import Rich to strip markup that our texts do not have: a tenth of a second at each press of Tab."""
    completion_init.__globals__["_sanitize_help_text"] = str


def put_into_zsh(completion_init: Callable[[], None], line: Callable[[str, str], str]) -> None:
    """Typer drops apostrophes and doubles quotation marks on the way to zsh; `line` makes a line of a value and its help."""
    completion_init.__globals__["ZshComplete"].format_completion = lambda _, item: line(item.value, item.help or "")


NO_COMMAND_GIVEN: Final = "NoArgsIsHelpError"
"""The name of Typer's exception for a group that was called alone."""

# --- Typer and pydantic: sentences --------------------------------------------------------------------------------------

SOMETHING_MISSING: Final = "Missing "
"""How Typer begins to say that an argument or an option was left out."""

COMMAND_MISSING: Final = "Missing command"
"""What Typer says where options stand without a command."""

ONE_TOO_MANY: Final = "Got unexpected extra argument"
"""How Typer begins to say that a command takes no further argument."""

WRONG_VALUES: Final = (
    (r"Invalid value for '([^']+)': Input should be a valid integer.*", r"\1 takes a whole number"),
    (r"Invalid value for '([^']+)': Input should be less than or equal to (\d+)", r"\1 is at most \2"),
    (r"Invalid value for '([^']+)': Input should be greater than or equal to (\d+)", r"\1 is at least \2"),
    (r"Invalid value for '([^']+)': Value error, (.*)", r"\1: \2"),
)
"""What Typer and pydantic say of values, as patterns, and the same in our words."""

# --- aiohttp ------------------------------------------------------------------------------------------------------------


def repeat_nothing(session: Any) -> None:
    """aiohttp repeats a DELETE silently when a kept connection breaks; a lost answer must be known to the caller."""
    session._retry_connection = False


# --- google-auth --------------------------------------------------------------------------------------------------------


def target_scopes(credentials: Any) -> Sequence[str] | None:
    """The scopes that impersonating credentials ask for; None for other credentials."""
    found: Sequence[str] | None = getattr(credentials, "_target_scopes", None)
    return found


REAUTHENTICATION: Final = "ReauthFailError"
"""The name of the exception where an organisation asks for another sign-in."""
REAUTHENTICATION_SAID: Final = ("invalid_rapt", "rapt_required", "Reauthentication is needed")
"""The words of google.oauth2.reauth, and the token endpoint's that it looks for."""
EXECUTABLES_SAID: Final = ("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "Executables need to be explicitly allowed")
"""Of a program that gives subject tokens and may not be run."""
IMPERSONATION_SAID: Final = "impersonated"
"""A word of the first argument of the exception whose second one is what the IAM Credentials API answered."""
ANSWER_FOLLOWS: Final = " Response:"
"""What stands between a sentence about the metadata server and the body of its answer."""

# --- gRPC's core --------------------------------------------------------------------------------------------------------

HTTP_WITHOUT_GRPC: Final = r"Received http2 (?:header with status|:status header with non-200 OK status): (\d{3})"
"""An HTTP answer without gRPC in it, which a gateway gave: a pattern with the status."""
UNHEARD: Final = r"Deadline Exceeded|Socket closed|Connection reset by peer|GOAWAY received|Stream removed|keepalive"
"""Where nothing came back: a pattern."""
PROXY_SAID: Final = r"HTTP proxy returned response code (\d{3})"
"""What a proxy answered to CONNECT: a pattern with the status."""
NEVER_CONNECTED: Final = ("failed to connect", "errors resolving", "DNS resolution failed", "HTTP proxy returned")
"""Where there was never a connection."""
LAST_ERROR: Final = "last error: "
"""What stands before the reason."""
TLS_SAID: Final = ("certificate_verify_failed", "handshake")
"""Where TLS was the reason; in any case of letters."""

# --- python-dotenv ------------------------------------------------------------------------------------------------------


def env_bindings(stream: Any) -> Iterator[Any]:
    """A .env file as python-dotenv's parser cuts it. Each: `key`, `value`, `error`, `original.string`, `original.line`."""
    from dotenv.parser import parse_stream

    return parse_stream(stream)


# --- Python's own -------------------------------------------------------------------------------------------------------

TOML_LINE: Final = r"at line (\d+)"
"""Where tomllib found the fault: a pattern with the line."""
