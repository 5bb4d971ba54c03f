"""`keyadmin audit history`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from keyadmin.cli.audit.options import KeptIn
from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.session import current
from keyadmin.model.key_codec import format_time

if TYPE_CHECKING:
    from keyadmin.audit.baseline import ReportHead


def history(context: typer.Context, keep: KeptIn = None) -> None:
    """List kept audits, newest first, with time, scope, counts and file.

    The last sixty audits by all rules are kept; those of the sandbox separately. Compare two with audit diff, or use one as
    the --baseline.
    """
    from keyadmin.audit.history import default_folder, kept

    session = current(context)
    folder = Path(keep) if keep is not None else default_folder(sandbox=session.sandbox is not None)
    heads, wrong = kept(folder, sandbox=session.sandbox is not None)
    for text in wrong:
        session.console.warning(text)
    show_list(session, heads, _VIEW)


def _count(*names: str) -> Any:
    """A number of the summary, as far as the report has one."""

    def read(head: ReportHead) -> object:
        found: Any = head.summary
        for name in names:
            found = found.get(name, "") if isinstance(found, dict) else ""
        return found

    return read


def _json(head: ReportHead) -> dict[str, Any]:
    time = format_time(head.time) if head.time else None
    sandbox = {"sandbox": True} if head.sandbox else {}
    return {"time": time, "scope": head.scope, "summary": dict(head.summary), "file": str(head.path), **sandbox}


_VIEW: Final[View[ReportHead]] = View(
    (
        Column("time", lambda each: each.time),
        Column("scope", lambda each: each.scope, fold=True),
        Column("projects", _count("projects")),
        Column("keys", _count("keys")),
        *(Column(word, _count("bySeverity", word)) for word in ("high", "medium", "low", "info")),
        Column("accepted", _count("accepted")),
        Column("errors", _count("errors")),
        Column("file", lambda each: str(each.path), below=True),
    ),
    _json,
    "No audit was kept there.",
)
