"""`keyadmin config ...`: the settings that stand in for global options, and where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from keyadmin.cli.confirm import would
from keyadmin.cli.lazy import CommandEntry, CommandGroup
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import Column, View, show_document, show_list, show_to_programs
from keyadmin.cli.session import Session, current
from keyadmin.cli.settings import ResolvedSetting, checked_timeout, find, known_format, plain, project_id, service_account
from keyadmin.cli.suggest import one_of
from keyadmin.local.config import SETTINGS, known

GROUP: Final = CommandGroup(
    "Read and change keyadmin's settings. The sandbox has its own.",
    {
        "get": CommandEntry("keyadmin.cli.config:get", "Print one setting."),
        "set": CommandEntry("keyadmin.cli.config:set_", "Change one setting."),
        "list": CommandEntry("keyadmin.cli.config:list_", "List all settings with their values and sources."),
    },
)


@dataclass(frozen=True, slots=True)
class ConfigSetting:
    """A setting as it stands: its value and what set it."""

    name: str
    value: str | None
    source: str | None
    about: str


def to_json(setting: ConfigSetting) -> dict[str, str | None]:
    """The JSON object of a setting."""
    return {"name": setting.name, "value": setting.value, "source": setting.source}


VIEW: Final = View[ConfigSetting](
    (
        Column("Name", lambda setting: setting.name),
        Column("Value", lambda setting: setting.value, fold=True),
        Column("Source", lambda setting: setting.source or "not set", fold=True),
        Column("About", lambda setting: setting.about, fold=True),
    ),
    to_json,
)


def setting(session: Session, name: str) -> ConfigSetting:
    """One setting as it stands in this run. Raises usage() for an unknown name."""
    settings = session.settings
    found = settings.project if known(name) == "project" else find(name, session.raw, session.env, settings.config)
    if found is None and name == "format":
        found = ResolvedSetting("table", "default")
    return ConfigSetting(name, found.value if found else None, found.source if found else None, SETTINGS[name])


def get(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=one_of(SETTINGS), help="The setting's name.")],
) -> None:
    """Print the value of one setting, wherever it comes from."""
    session = current(context)
    found = setting(session, name)
    show_document(session, to_json(found), found.value or "")
    if found.value is None:
        session.console.note(f"{name} is not set.")


def set_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=one_of(SETTINGS), help="The setting's name.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The new value; an empty one removes it.")],
    dry_run: DryRun = False,
) -> None:
    """Change one setting in the configuration file. The sandbox's settings and Google's are kept apart."""
    session = current(context)
    config = session.settings.config
    known(name)
    if value:
        check = {
            "project": project_id,
            "quota-project": project_id,
            "impersonate-service-account": service_account,
            "format": known_format,
            "timeout": checked_timeout,
        }.get(name, plain)
        value = check(ResolvedSetting(value, "the value")).value
    if dry_run:
        would(session, f"set {name} to {value}" if value else f"forget {name}")
        return
    config.set(name, value)
    session.console.note(f"{name} is now {value}." if value else f"{name} is no longer set.")
    say_outranked(session, name)
    show_to_programs(session, {"name": name, "value": value or None, "source": str(config.path) if value else None})


def say_outranked(session: Session, name: str) -> None:
    """Warn where a variable or an option hides the stored setting."""
    found = setting(session, name)
    if found.source and found.source not in ("default", str(session.settings.config.path)):
        session.console.warning(f"{found.source} outranks the stored setting; it says {found.value}")


def list_(context: typer.Context) -> None:
    """List all settings with their values and where each comes from."""
    session = current(context)
    show_list(session, [setting(session, name) for name in SETTINGS], VIEW)
