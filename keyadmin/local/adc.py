"""Whose Application Default Credentials a command would use, told from the file alone: nothing is loaded, nobody is asked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FILE: Final = "application_default_credentials.json"


def fingerprint(env: Mapping[str, str]) -> str:
    """The same text as long as the credentials are the same; it gives nothing of them away.

    Without a file they come from the machine (a metadata server), or there are none: one text for both.
    """
    try:
        content = _file(env).read_bytes()
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return "machine"
    return hashlib.sha256(content).hexdigest()


def _file(env: Mapping[str, str]) -> Path:
    """Where google.auth looks first. Source: google.auth.environment_vars, google.auth._cloud_sdk."""
    if named := env.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return Path(named)
    if folder := env.get("CLOUDSDK_CONFIG"):
        return Path(folder) / _FILE
    if os.name == "nt":
        return Path(env.get("APPDATA") or env.get("SystemDrive", "C:") + "\\") / "gcloud" / _FILE
    return Path(env.get("HOME") or Path.home()) / ".config" / "gcloud" / _FILE
