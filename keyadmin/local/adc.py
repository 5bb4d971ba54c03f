"""Whose Application Default Credentials a command would use, told from the file alone: nothing is loaded, nobody is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from keyadmin.model.adc import credentials_file, token_variable


def fingerprint(env: Mapping[str, str]) -> str:
    """The same text as long as the credentials are the same; it gives nothing of them away.

    An access token in a variable counts before every file. Without a file they come from the machine (a metadata server), or
    there are none: one text for both.
    """
    variable = token_variable(env)
    if variable is not None:
        return hashlib.sha256(env[variable].encode()).hexdigest()
    try:
        content = credentials_file(env).read_bytes()
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return "machine"
    return hashlib.sha256(content).hexdigest()
