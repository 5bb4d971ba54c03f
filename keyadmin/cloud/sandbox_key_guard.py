"""A sandbox key is never taken for a real one, nor the reverse: the one check, for every way that a key string goes out."""

from __future__ import annotations

from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import KeyString


def check_marker(key: KeyString, *, sandbox: bool) -> None:
    """Refuse to send a key string without the sandbox's marker to a sandbox, or one with it to Google.

    Raises Problem(unknown, exit code 3): nothing can be said of the key there.
    """
    if key.sandbox == sandbox:
        return
    if sandbox:
        message = f"{key.masked} is not a sandbox key; it is not sent to the sandbox"
        fix = "Leave out --sandbox (and unset KEYADMIN_SANDBOX) to ask Google about it."
    else:
        message = f"{key.masked} is a sandbox key; it is not sent to Google"
        fix = "Add --sandbox to ask the sandbox about it."
    raise Problem(Cause.UNKNOWN, message, fix=(fix,), exit_code=Exit.FOUND)
