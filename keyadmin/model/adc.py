"""Where Application Default Credentials are looked for, told from the environment alone: nothing is read, nobody is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE: Final = "application_default_credentials.json"
FILE_VARIABLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
# Terraform's variable, then gcloud's (their documentation); both win over every file.
TOKEN_VARIABLES: Final = ("GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN")


def token_variable(env: Mapping[str, str]) -> str | None:
    """The variable that holds an access token fetched elsewhere, where one is set."""
    return next((name for name in TOKEN_VARIABLES if env.get(name)), None)


def gcloud_folder(env: Mapping[str, str]) -> Path:
    """gcloud's configuration folder. Raises RuntimeError where there is no home directory. Source: google.auth._cloud_sdk."""
    if folder := env.get("CLOUDSDK_CONFIG"):
        return Path(folder)
    if os.name == "nt":
        return Path(env.get("APPDATA") or env.get("SystemDrive", "C:") + "\\") / "gcloud"
    return Path(env.get("HOME") or Path.home()) / ".config" / "gcloud"


def credentials_file(env: Mapping[str, str]) -> Path:
    """The file that is looked at first. Raises RuntimeError where there is no home directory."""
    if named := env.get(FILE_VARIABLE):
        return Path(named)
    return gcloud_folder(env) / FILE
