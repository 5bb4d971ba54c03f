"""`keyadmin audit`: without a subcommand it audits; options stand after a subcommand."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup
from keyadmin.cli.settings import AUDIT_FORMATS, FIX_FORMATS, FORMATS

_HELP: Final = "Find exposed, old and badly restricted keys."

ENTRIES: Final[dict[str, CommandEntry]] = {
    "accept": CommandEntry("keyadmin.cli.audit.accept:accept", "Accept a finding for a key until a given day."),
    "diff": CommandEntry(
        "keyadmin.cli.audit.diff:diff", "Compare two reports: new, worse, changed, gone.", formats=(*FORMATS, "html")
    ),
    "fix": CommandEntry(
        "keyadmin.cli.audit.fix:fix", "Repair the keys that the audit finds, in waves.", formats=FIX_FORMATS, feature="fix"
    ),
    "undo": CommandEntry("keyadmin.cli.audit.undo:undo", "Revert what a run of fix changed.", feature="fix"),
    "schedule": CommandEntry("keyadmin.cli.audit.schedule:schedule", "Print files that audit on a schedule."),
    "history": CommandEntry("keyadmin.cli.audit.history:history", "List kept audits."),
}

GROUP: Final = CommandGroup(_HELP, ENTRIES, CommandEntry("keyadmin.cli.audit.run:audit", _HELP, formats=AUDIT_FORMATS))
