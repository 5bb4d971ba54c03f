"""One judgement a key: its findings together, and one order of steps that do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from keyadmin.audit.model import Finding, Severity, Use
from keyadmin.model.key import Key

if TYPE_CHECKING:
    from keyadmin.audit.owner import Owner

StepKind = Literal["contain", "replace", "delete", "review"]


@dataclass(frozen=True, slots=True)
class FixStep:
    """One step. `command` = what to type, complete; `why` = a short sentence.

    `not_read` = what the step depends on and the audit did not read (`use`, `clients`): the command is safe to type all the
    same, since it reads that itself and asks, or `why` says what to look at first.
    """

    kind: StepKind
    command: str
    why: str
    not_read: tuple[str, ...] = ()


@dataclass(slots=True)
class KeyJudgement:
    """What is wrong with a key, the worst first, and the steps in their order: contain, replace, delete.

    Not frozen, as Finding. `key` None = it is about the project itself; `use` = its use in the last six weeks, None = none, or
    unknown where `use` is in `not_read`; `not_read` = what was not read of it; `owner` None = nobody asked for it.
    """

    project: str
    key: Key | None
    findings: tuple[Finding, ...]
    steps: Sequence[FixStep]
    use: Use | None = None
    not_read: tuple[str, ...] = ()
    owner: Owner | None = None

    @property
    def label(self) -> str:
        """The key's display name, else its id; empty where it is about the project."""
        return self.findings[0].label

    @property
    def severity(self) -> Severity:
        """The worst of what is not accepted; where all is, the worst of that."""
        if self.findings[0].accepted is None:
            return self.findings[0].severity
        open_ = [finding.severity for finding in self.findings if finding.accepted is None]
        return max(open_ or [finding.severity for finding in self.findings])

    @property
    def fix(self) -> str:
        """What to type next."""
        return self.steps[0].command


def in_order(judgements: Iterable[KeyJudgement]) -> list[KeyJudgement]:
    """The worst first: by severity, number of findings, then by name."""
    return sorted(
        judgements,
        key=lambda each: (-each.severity, -len(each.findings), each.project, each.findings[0].place),
    )
