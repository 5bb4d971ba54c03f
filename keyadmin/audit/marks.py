"""What is known of findings beforehand: which are accepted, and which a baseline has already."""

from __future__ import annotations

from collections.abc import Callable

from keyadmin.audit.acceptance import Acceptance
from keyadmin.audit.accepted import Acceptances
from keyadmin.audit.baseline import Baseline
from keyadmin.audit.model import Finding


def marker(accepted: Acceptances, baseline: Baseline | None) -> Callable[[Finding], None] | None:
    """Puts on a finding what is known of it; None where nothing is."""
    if baseline is None and not accepted.entries:
        return None

    def mark(finding: Finding) -> None:
        finding.accepted = _entry(accepted, finding)
        finding.new = None if baseline is None else baseline.is_new(finding)

    return mark


def _entry(accepted: Acceptances, finding: Finding) -> Acceptance | None:
    """The entry that accepts it; the project is known by its id and by the number that its keys bear."""
    key = "" if finding.key is None else finding.key.name
    return accepted.of(finding.rule, (finding.project, *key.split("/")[1:2]), key)
