"""A key by its name or by its key string: what an argument and `--key-from-env` come to."""

from __future__ import annotations

from keyadmin.cli.secret_input import asked_or_read
from keyadmin.cli.session import Session
from keyadmin.cloud.sandbox_key_guard import check_marker
from keyadmin.model.problem import usage
from keyadmin.model.secret import KeyString


def string_or_name(session: Session, key: str | None, variable: str | None) -> KeyString | str:
    """The key string that `-`, the variable or a prompt gives, else the name. Raises usage() for both at once."""
    if key is None and variable is None and not session.interactive:
        ways = ("or give its key string on stdin, -, or by --key-from-env VARIABLE",)
        raise usage("no key was named", f"name it: {session.command} KEY", *ways)
    if key is None or key == "-":
        return asked_or_read(session, key, variable)
    if variable is not None:
        raise usage("a key and --key-from-env were given", "give one of them")
    return key


def of_this_world(session: Session, key: KeyString) -> KeyString:
    """The same, before anybody's credentials are looked for.

    Raises Problem(unknown, exit code 3) for a sandbox's key outside the sandbox, and for a real one in it.
    """
    check_marker(key, sandbox=session.sandbox is not None)
    return key
