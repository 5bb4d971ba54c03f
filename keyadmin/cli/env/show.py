"""`keyadmin env show`."""

from __future__ import annotations

from pathlib import Path

import typer

from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.session import current
from keyadmin.local.environment.variables import VariableSetting, look_up
from keyadmin.model.command_line import typed


def show(context: typer.Context) -> None:
    """Show which of GOOGLE_API_KEY and GEMINI_API_KEY are set, where each comes from, and which one Gemini's libraries use.

    It reads this process, the start-up files of bash, zsh, sh, fish (with conf.d and universal variables) and PowerShell, .env,
    .env.local and .envrc in this folder, ~/.gemini/.env, environment.d, and on Windows the user environment. Values are masked.
    """
    session = current(context)
    report = look_up(session.env, Path.cwd())
    view = View[VariableSetting](
        (
            Column("Variable", lambda one: one.name),
            Column("Key", lambda one: one.value.masked if one.value else "(worked out by the shell)"),
            Column("Source", lambda one: one.source + (f":{one.line}" if one.line else ""), fold=True),
            Column("Used", lambda one: "yes" if one is report.used else "", style=lambda one: "green"),
        ),
        lambda one: one.to_json(used=one is report.used),
        f"Neither GOOGLE_API_KEY nor GEMINI_API_KEY is set anywhere. Set one: {typed('env set', 'KEY')}",
    )
    show_list(session, report.settings, view)
    if report.settings and report.used is None:
        session.console.note("Set in files only: open a new terminal, or source the file.")
    for warning in (*report.warnings, *(text for one in report.settings for text in one.warnings)):
        session.console.warning(warning)
