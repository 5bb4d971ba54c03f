"""What the global options, their variables and the configuration come to. Options win over variables over configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyadmin.audit.report import NAMES as AUDIT_ONLY
from keyadmin.model.duration import parse as parse_duration
from keyadmin.model.problem import Problem, usage
from keyadmin.model.project_ref import checked
from keyadmin.model.secret import holds_key

if TYPE_CHECKING:
    from pathlib import Path

    from keyadmin.local.config import Config

FORMATS: Final = ("table", "json", "jsonl", "csv", "yaml", "markdown")
AUDIT_FORMATS: Final = (*FORMATS, *AUDIT_ONLY)
FIX_FORMATS: Final = (*FORMATS, "html")
SCAN_FORMATS: Final = (*FORMATS, "sarif")
GOOGLE_PROJECT_VARIABLES: Final = ("KEYADMIN_PROJECT", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
SANDBOX_PROJECT_VARIABLES: Final = ("KEYADMIN_PROJECT",)
SANDBOX_PROJECT: Final = "demo-project"
SANDBOX_USER: Final = "owner@example.com"

# What the sandbox lets in as a caller, and nothing that would break a header.
_ADDRESS: Final = re.compile(r"(?:(?![@:/])[!-~]){1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{1,63}")
_OFF: Final = ("", "0", "false")
_ON: Final = ("1", "true")

Raw = Mapping[str, str | bool]


@dataclass(frozen=True, slots=True)
class SandboxChoice:
    """The sandbox a command runs against: a server's URL, or the embedded one with its state file."""

    url: str | None
    state: Path
    user: str
    by_flag: bool  # `--sandbox` stood on the command line: sinks that write outside the sandbox ask for that

    def __str__(self) -> str:
        return f"the sandbox at {self.url}" if self.url else "the embedded sandbox"


@dataclass(frozen=True, slots=True)
class ResolvedSetting:
    """A value and where it came from (`--project`, `KEYADMIN_PROJECT`, a file, `default`)."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The global options, settled."""

    format: str
    quiet: bool
    verbose: bool
    no_color: bool
    sandbox: SandboxChoice | None
    project: ResolvedSetting | None  # None = ask the credentials (Google only)
    quota_project: str | None
    impersonate: str | None
    timeout_s: float | None  # how long calls may wait in all for a network that does not answer; None = the usual time
    config: Config


def settle(raw: Raw, env: Mapping[str, str], formats: tuple[str, ...] = FORMATS) -> Settings:
    """The settings of one command that offers `formats`. Raises usage() for any wrong value."""
    from keyadmin.local.config import Config  # --help needs no configuration

    sandbox = sandbox_choice(raw.get("sandbox"), env)
    config = Config(sandbox=sandbox is not None)
    format_found = find("format", raw, env, config)
    return Settings(
        format=_format(format_found, formats),
        quiet=_switch("quiet", raw, env),
        verbose=_switch("verbose", raw, env),
        no_color=_switch("no_color", raw, env) or bool(env.get("NO_COLOR")),
        sandbox=sandbox,
        project=_project(raw, env, config, sandbox),
        quota_project=_quota_project(find("quota-project", raw, env, config)),
        impersonate=_account(find("impersonate-service-account", raw, env, config)),
        timeout_s=_timeout(find("timeout", raw, env, config)),
        config=config,
    )


def find(name: str, raw: Raw, env: Mapping[str, str], config: Config) -> ResolvedSetting | None:
    """The option `name` from the command line, its variable or the configuration."""
    given = raw.get(name.replace("-", "_"))
    if isinstance(given, str) and given:
        return ResolvedSetting(given, f"--{name}")
    variable = f"KEYADMIN_{name.replace('-', '_').upper()}"
    if env.get(variable):
        return ResolvedSetting(env[variable], variable)
    if stored := config.get(name):
        return ResolvedSetting(stored, str(config.path))
    return None


def _account(found: ResolvedSetting | None) -> str | None:
    return service_account(found).value if found else None


def service_account(found: ResolvedSetting) -> ResolvedSetting:
    """The same. Raises usage() for what can be neither a service account's address nor its unique id."""
    plain(found)
    if not re.fullmatch(r"[^@]+@[^@]+\.[^@.]+|\d+", found.value):
        raise usage(
            f"{found.source}: {found.value!r} is not a service account",
            "write its address: NAME@PROJECT.iam.gserviceaccount.com",
        )
    return found


def checked_timeout(found: ResolvedSetting) -> ResolvedSetting:
    """The same. Raises usage() for what is not a duration or is shorter than a second."""
    _timeout(found)
    return found


def _timeout(found: ResolvedSetting | None) -> float | None:
    """Seconds. Raises usage() for what is not a duration or is shorter than a second."""
    if found is None:
        return None
    try:
        seconds = parse_duration(found.value).total_seconds()
    except Problem as problem:
        raise usage(f"{found.source}: {problem.message}", *problem.fix) from None
    if seconds < 1:
        raise usage(f"{found.source}: {found.value!r} is too short", "write a duration of at least 1s, such as 30s or 2m")
    return seconds


def _quota_project(found: ResolvedSetting | None) -> str | None:
    return project_id(found).value if found else None


def plain(found: ResolvedSetting) -> ResolvedSetting:
    """The same. Raises usage() where the value has blanks or control characters in it: it will stand in a header."""
    if re.search(r"[\s\x00-\x1f\x7f]", found.value):
        raise usage(f"{found.source} has blanks or control characters in it")
    return no_key_string(found)


def no_key_string(found: ResolvedSetting) -> ResolvedSetting:
    """The same. Raises usage() for a key string, which would be sent as a name, in headers and URLs."""
    if holds_key(found.value):
        raise usage(f"{found.source} holds a key string: it is not used as a name")
    return found


def _format(found: ResolvedSetting | None, formats: tuple[str, ...]) -> str:
    return known_format(found, formats).value if found else "table"


def known_format(found: ResolvedSetting, formats: tuple[str, ...] = FORMATS) -> ResolvedSetting:
    """The same. Raises usage() where it is none of `formats`."""
    if found.value not in formats:
        raise usage(f"{found.source}: {found.value!r} is not a format here", f"use one of: {', '.join(formats)}")
    return found


def _switch(name: str, raw: Raw, env: Mapping[str, str]) -> bool:
    if name in raw:
        return bool(raw[name])
    variable = f"KEYADMIN_{name.upper()}"
    value = env.get(variable, "")
    if value in _OFF or value in _ON:
        return value in _ON
    raise usage(f"{variable} is {value!r}", f"set {variable} to 1 or 0, or unset it")


def _project(raw: Raw, env: Mapping[str, str], config: Config, sandbox: SandboxChoice | None) -> ResolvedSetting | None:
    """Contract 1: the option, the variables, the configuration; in the sandbox none of Google's variables."""
    given = raw.get("project")
    if isinstance(given, str) and given:
        return project_id(ResolvedSetting(given, "--project"))
    for variable in SANDBOX_PROJECT_VARIABLES if sandbox else GOOGLE_PROJECT_VARIABLES:
        if env.get(variable):
            return project_id(ResolvedSetting(env[variable], variable))
    if stored := config.get("project"):
        return project_id(ResolvedSetting(stored, str(config.path)))
    return ResolvedSetting(SANDBOX_PROJECT, "default") if sandbox else None


def project_id(found: ResolvedSetting) -> ResolvedSetting:
    """The same with a leading `projects/` dropped. Raises usage() for what can be neither a project id nor a number."""
    return ResolvedSetting(checked(found.value, found.source), found.source)


def sandbox_choice(flag: str | bool | None, env: Mapping[str, str]) -> SandboxChoice | None:
    """The sandbox chosen by `--sandbox/--no-sandbox` and `KEYADMIN_SANDBOX`, None = Google (contract 2)."""
    if flag is False:
        return None
    variable = env.get("KEYADMIN_SANDBOX", "")
    url = None if variable in _OFF or variable in _ON else loopback_url(variable)
    if flag is None and variable in _OFF:
        return None
    user = env.get("KEYADMIN_SANDBOX_USER") or SANDBOX_USER
    no_key_string(ResolvedSetting(user, "KEYADMIN_SANDBOX_USER"))
    if not _ADDRESS.fullmatch(user):
        raise usage(
            f"KEYADMIN_SANDBOX_USER is {user!r}, which is not an e-mail address",
            f"set it to one, such as {SANDBOX_USER}, or unset it",
        )
    return SandboxChoice(url, state_file(env), user, by_flag=flag is True)


def state_file(env: Mapping[str, str]) -> Path:
    """The embedded sandbox's state: what `KEYADMIN_SANDBOX_STATE` names, else a file in the user's data directory."""
    from pathlib import Path

    from platformdirs import user_data_path

    named = env.get("KEYADMIN_SANDBOX_STATE")
    return Path(named).expanduser() if named else user_data_path("keyadmin", appauthor=False) / "sandbox.db"


def loopback_url(value: str) -> str:
    """`value` as `http://HOST:PORT`. Raises usage() where it is no plain http URL of this machine."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    wrong = usage(
        "KEYADMIN_SANDBOX is neither 0, 1 nor the http URL of a sandbox on this machine",
        "set it to 1 for the embedded sandbox, to http://127.0.0.1:PORT for a served one, or unset it",
    )
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        raise wrong from None
    extra = parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/")
    if parts.scheme != "http" or not local or extra:
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port or 80}"
