"""Which credentials are in force and where they come from: a variable, a file, the machine. Loaded here, and nothing is asked.

google.auth.default is not used: it looks up projects over the network while it loads, with certificates and time limits of its
own, says nothing of where it found what it found, and runs gcloud.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from keyadmin.cloud.credentials import LOGIN, NO_ACCOUNT, SCOPE, CallerIdentity, Kind, home_of
from keyadmin.cloud.identity import LIMIT
from keyadmin.model.adc import FILE, FILE_VARIABLE, credentials_file, gcloud_folder, token_variable
from keyadmin.model.loading import load
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import holds_key

UNIVERSE: Final = "googleapis.com"
_POOL_PROJECT: Final = re.compile(r"//iam\.googleapis\.com/projects/([^/]+)/")
_ON: Final = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class Source:
    """Where credentials come from. `place` = a variable, a file's path or the metadata server, in words; no secrets.

    `variable` = the variable that chose them, `file` = the file they were read from, `details` = what it says of itself.
    """

    kind: Kind
    place: str
    variable: str | None = None
    file: str | None = None
    details: Mapping[str, str] = ()  # type: ignore[assignment]

    def to_json(self) -> dict[str, Any]:
        """For `doctor --connection`."""
        out: dict[str, Any] = {"kind": self.kind, "source": self.place}
        out |= {"variable": self.variable} if self.variable else {}
        out |= {"file": self.file} if self.file else {}
        return out | dict(self.details)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Credentials of google.auth, or a `token` that is not renewed."""

    source: Source
    caller: CallerIdentity
    credentials: Any = None
    token: str | None = None


def refuse_what_is_not_spoken(env: Mapping[str, str]) -> None:
    """Raise Problem for settings that keyadmin would have to ignore: client certificates, another universe."""
    for variable, values in (("GOOGLE_API_USE_CLIENT_CERTIFICATE", _ON), ("GOOGLE_API_USE_MTLS_ENDPOINT", ("always",))):
        if env.get(variable, "").lower() in values:
            raise Problem(
                Cause.CREDENTIALS_MISSING,
                f"{variable} asks for client certificates (mTLS), which keyadmin does not present: nothing was sent",
                unsent=True,
                fix=(f"unset {variable}    # if your organisation's access level does not require it",),
            )
    if universe := env.get("GOOGLE_CLOUD_UNIVERSE_DOMAIN"):
        check_universe(universe, "GOOGLE_CLOUD_UNIVERSE_DOMAIN")


def check_universe(universe: str, place: str) -> None:
    """Raise Problem for any universe but googleapis.com: a token is never sent to another universe's hosts, nor the reverse."""
    if universe != UNIVERSE:
        raise Problem(
            Cause.CREDENTIALS_MISSING,
            f"the credentials belong to the universe {universe!r} ({place}); keyadmin speaks to {UNIVERSE} alone, and their "
            "token is not sent there",
            unsent=True,
            fix=("use credentials of googleapis.com: gcloud auth application-default login", NO_ACCOUNT),
        )


def given_token(env: Mapping[str, str]) -> Loaded | None:
    """The access token in a variable. Raises Problem for a value that can be none; it is not shown."""
    variable = token_variable(env)
    if variable is None:
        return None
    value = env[variable]
    wrong = None
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        wrong = (
            f"holds the e-mail address {value}, which is not an access token (keyadmin sandbox env sets it so for a sandbox)"
        )
    elif holds_key(value):
        wrong = "holds an API key, which is not an access token"
    elif re.search(r"[\s\x00-\x1f\x7f]|[^\x00-\x7f]", value):
        wrong = "has blanks or other characters in it that no access token has"
    if wrong:
        raise Problem(
            Cause.CREDENTIALS_MISSING,
            f"{variable} {wrong}; it is not sent to Google",
            unsent=True,
            fix=(
                f"unset {variable}    # other credentials are used then",
                f"export {variable}=$(gcloud auth print-access-token)",
                NO_ACCOUNT,
            ),
        )
    caller = CallerIdentity(None, "access-token", quota_project=env.get("GOOGLE_CLOUD_QUOTA_PROJECT") or None)
    return Loaded(Source("access-token", f"the variable {variable}", variable), caller, token=value)


def from_file(env: Mapping[str, str]) -> Loaded | None:
    """What GOOGLE_APPLICATION_CREDENTIALS or gcloud's own file holds; None where neither is there. Raises Problem."""
    try:
        path = credentials_file(env)
    except RuntimeError:
        return None
    variable = FILE_VARIABLE if env.get(FILE_VARIABLE) else None
    if variable is None and not path.is_file():
        return None
    place = f"the file {path}" + (f", which {variable} names" if variable else ", which gcloud wrote")
    info = _read(path, variable)
    check_universe(str(info.get("universe_domain") or UNIVERSE), place)
    kind, details = _described(info)
    try:
        credentials = _built(info, env)
    except Exception as error:  # noqa: BLE001 - what it does not like of a file, google.auth says by exceptions of every kind
        raise _broken(path, variable, str(error).partition("\n")[0] or type(error).__name__) from None
    quota = env.get("GOOGLE_CLOUD_QUOTA_PROJECT") or info.get("quota_project_id") or None
    principal = _address(info)
    caller = CallerIdentity(
        principal,
        kind,
        quota_project=quota,
        impersonating=principal if kind == "impersonated" else None,
        credentials_project=_project(info, env, variable),
        own_project=home_of(principal) or _charged(info),
    )
    return Loaded(Source(kind, place, variable, str(path), details), caller, credentials)


def _read(path: Path, variable: str | None) -> dict[str, Any]:
    try:
        info = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise _broken(path, variable, error.strerror or "it cannot be read") from None
    except ValueError:
        raise _broken(path, variable, "it is not JSON") from None
    if not isinstance(info, dict) or not isinstance(info.get("type"), str):
        raise _broken(path, variable, 'it holds no credentials: it has no "type"')
    return info


def _broken(path: Path, variable: str | None, why: str) -> Problem:
    if variable is None:
        return Problem(
            Cause.CREDENTIALS_MISSING,
            f"the Application Default Credentials in {path} cannot be used: {why}",
            unsent=True,
            fix=(f"{LOGIN}    # writes it again", NO_ACCOUNT),
        )
    return Problem(
        Cause.CREDENTIALS_MISSING,
        f"{variable} names {path}, which cannot be used: {why}",
        unsent=True,
        fix=(
            f"correct {variable}; while it is set it wins over every other login, so logging in again does not help",
            f"unset {variable}    # then gcloud's login counts: {LOGIN}",
            NO_ACCOUNT,
        ),
    )


# The type of a file -> google.auth's module and the constructor of its `Credentials`.
_BUILDERS: Final[Mapping[str, tuple[str, str]]] = {
    "authorized_user": ("google.oauth2.credentials", "from_authorized_user_info"),
    "service_account": ("google.oauth2.service_account", "from_service_account_info"),
    "impersonated_service_account": ("google.auth.impersonated_credentials", "from_impersonated_service_account_info"),
    "external_account_authorized_user": ("google.auth.external_account_authorized_user", "from_info"),
}


def _built(info: dict[str, Any], env: Mapping[str, str]) -> Any:
    """google.auth's object for it; no request is made. Raises its exceptions, ValueError, KeyError, ..."""
    kind = info["type"]
    if kind == "external_account":
        return _external(info)
    if kind not in _BUILDERS:
        raise ValueError(f"credentials of the type {kind!r} are not known")
    module, constructor = _BUILDERS[kind]
    scopes = (
        {} if kind == "external_account_authorized_user" else {"scopes": [SCOPE]}
    )  # a login has the scopes it was made with
    credentials: Any = getattr(load(module).Credentials, constructor)(info, **scopes)
    # gcloud's setting auth/service_account_use_self_signed_jwt: no token endpoint is needed then (AIP-4111).
    signs = env.get("CLOUDSDK_AUTH_SERVICE_ACCOUNT_USE_SELF_SIGNED_JWT", "").lower() in _ON
    return credentials.with_always_use_jwt_access(True) if signs and kind == "service_account" else credentials


def _external(info: dict[str, Any]) -> Any:
    source = info.get("credential_source") or {}
    if "certificate" in source:
        raise ValueError("X.509 federation needs client certificates (mTLS), which keyadmin does not present")
    module = "google.auth.identity_pool"
    if str(source.get("environment_id", "")).startswith("aws"):
        module = "google.auth.aws"
    elif "executable" in source:
        module = "google.auth.pluggable"
        program = dict(source["executable"])
        # The program is ended with the limit that every way to a token has.
        program["timeout_millis"] = min(int(program.get("timeout_millis") or 30_000), int((LIMIT - 1) * 1000))
        info = info | {"credential_source": source | {"executable": program}}
    return load(module).Credentials.from_info(info, scopes=[SCOPE])


_KINDS: Final[Mapping[str, Kind]] = {
    "authorized_user": "user",
    "service_account": "service-account",
    "impersonated_service_account": "impersonated",
    "external_account": "workload-identity",
    "external_account_authorized_user": "workforce-identity",
}


def _described(info: dict[str, Any]) -> tuple[Kind, dict[str, str]]:
    """The kind, and what may be shown of the file: no secret, no token."""
    kind = _KINDS.get(info["type"], "unknown")
    details: dict[str, str] = {}
    if info["type"] == "external_account":
        source = info.get("credential_source") or {}
        form = next((name for name in ("file", "url", "executable", "certificate") if name in source), None)
        details["subjectTokenFrom"] = "aws" if str(source.get("environment_id", "")).startswith("aws") else form or "unknown"
        details["audience"] = str(info.get("audience", ""))
        if "workforcePools" in details["audience"]:
            kind = "workforce-identity"
    if (account := _address(info)) and kind != "service-account":
        details["impersonates"] = account
    if info["type"] == "service_account" and info.get("private_key_id"):
        details["privateKeyId"] = str(info["private_key_id"])
    return kind, details


def _address(info: dict[str, Any]) -> str | None:
    """The service account that calls, where the file names one."""
    url = str(info.get("service_account_impersonation_url") or "")
    named = url.rpartition("/")[2].partition(":")[0] if url else info.get("client_email") or info.get("account")
    return str(named) if named and "@" in str(named) else None


def _project(info: dict[str, Any], env: Mapping[str, str], variable: str | None) -> str | None:
    """The project that the credentials name, federation's by number."""
    if info.get("project_id"):
        return str(info["project_id"])
    if info["type"] == "external_account":
        return _charged(info)
    return gcloud_setting(env, "core", "project") if variable is None else None


def _charged(info: dict[str, Any]) -> str | None:
    """Of federated callers: the project of the pool, or the one that a workforce's calls are to be charged to."""
    if named := info.get("workforce_pool_user_project"):
        return str(named)
    found = _POOL_PROJECT.match(str(info.get("audience", "")))
    return found.group(1) if found else None


def gcloud_setting(env: Mapping[str, str], section: str, name: str) -> str | None:
    """A value of gcloud's active configuration, read off its files; None where it has none."""
    try:
        folder = gcloud_folder(env)
        active = env.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or (folder / "active_config").read_text("utf-8").strip()
    except (OSError, RuntimeError):
        active = "default"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(gcloud_folder(env) / "configurations" / f"config_{active}", "utf-8")
    except (OSError, RuntimeError, configparser.Error, UnicodeDecodeError):
        return None
    return parser.get(section, name, fallback=None) or None


def nothing_found(env: Mapping[str, str]) -> Problem:
    """No credentials at all, with the way that fits this machine."""
    steps = [LOGIN, NO_ACCOUNT]
    account = gcloud_setting(env, "core", "account")
    instead = "export CLOUDSDK_AUTH_ACCESS_TOKEN=$(gcloud auth print-access-token)    # or, for an hour"
    message = "no Application Default Credentials were found"
    if env.get("CLOUD_SHELL") == "true" or env.get("DEVSHELL_CLIENT_PORT"):
        message += ", and this Cloud Shell gave no token"
        steps = ["gcloud auth login    # Cloud Shell: authorise it again", instead, NO_ACCOUNT]
    elif account:
        message += f": gcloud is signed in as {account}, but its own login is not theirs ({FILE} is missing)"
        steps = [f"{LOGIN}    # the login that other programs use", instead, NO_ACCOUNT]
    return Problem(Cause.CREDENTIALS_MISSING, message, status="UNAUTHENTICATED", unsent=True, fix=tuple(steps))
