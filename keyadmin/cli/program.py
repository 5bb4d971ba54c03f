"""How keyadmin was called: what the commands that it prints begin with, and the global options that they carry."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping

from keyadmin.model.command_line import PROGRAM


def program() -> str:
    """`keyadmin` where that is the running program on the PATH; else the program as it was called, quoted for a shell."""
    called = sys.argv[0] if sys.argv else ""
    if called.endswith(os.path.join(PROGRAM, "__main__.py")) and "-m" in sys.orig_argv:
        return " ".join(map(shlex.quote, sys.orig_argv[: sys.orig_argv.index("-m") + 2]))
    if not os.path.basename(called).startswith(PROGRAM):
        return PROGRAM  # called by another program, as a library
    on_path = shutil.which(PROGRAM)
    if on_path is not None and os.path.exists(called) and os.path.samefile(on_path, called):
        return PROGRAM
    return shlex.quote(called)


def global_options_typed(raw: Mapping[str, str | bool]) -> tuple[str, ...]:
    """The global options on the command line that decide where a command goes, and as whom: what comes next needs them too."""
    sandbox = raw.get("sandbox")
    out = [] if sandbox is None else ["--sandbox" if sandbox else "--no-sandbox"]
    for name in ("impersonate_service_account", "quota_project"):
        if value := raw.get(name):
            out += [f"--{name.replace('_', '-')}", str(value)]
    return tuple(out)
