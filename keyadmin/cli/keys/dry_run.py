"""What `--dry-run` prints for the `keys` commands."""

from __future__ import annotations

from collections.abc import Sequence

from keyadmin.cli.confirm import would
from keyadmin.cli.render import show_to_programs
from keyadmin.cli.session import Session


def dry_run(session: Session, project: str, steps: Sequence[str]) -> None:
    """Say the steps; programs get `{"dryRun": true, "project", "steps"}`."""
    if len(steps) == 1:
        would(session, steps[0], document=False)
    else:
        lines = "\n".join(f"  {step}" for step in steps)
        session.console.note(f"Dry run: nothing was changed. It would:\n{lines}", always=True)
    data: dict[str, object] = {"dryRun": True, "project": project, "steps": list(steps)}
    show_to_programs(session, data | session.mark)
