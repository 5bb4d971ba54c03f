"""`keyadmin audit`: without a subcommand it audits; options stand after a subcommand."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup
from keyadmin.cli.settings import AUDIT_FORMATS

_HELP: Final = "Find exposed, old and badly restricted keys."

ENTRIES: Final[dict[str, CommandEntry]] = {
    "accept": CommandEntry("keyadmin.cli.audit.accept:accept", "Accept what a rule finds of a key, until a day."),
}

GROUP: Final = CommandGroup(_HELP, ENTRIES, CommandEntry("keyadmin.cli.audit.run:audit", _HELP, formats=AUDIT_FORMATS))
