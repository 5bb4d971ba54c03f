"""What a rule is: its words (contract 6), what has to be asked for it, and the check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.model.key import Key

Need = Literal["gemini", "usage", "apis"]

GEMINI_KEYS_PAGE: Final = "https://ai.google.dev/gemini-api/docs/api-key"
API_KEYS_PAGE: Final = "https://cloud.google.com/docs/authentication/api-keys"
BEST_PRACTICES_PAGE: Final = "https://cloud.google.com/docs/authentication/api-keys-best-practices"


@dataclass(frozen=True, slots=True)
class AuditRule:
    """One rule.

    `severity` = the worst that it finds; `title`, `help` = what is wrong and why that matters; `fix` = what to do about it;
    `source` = where that is said; `check` = from what is known of a project to what is wrong in it, asking nobody anything;
    `needs` = what has to be asked for it beside the keys; `default` = applied unless rules are named.
    """

    id: str
    severity: Severity
    title: str
    help: str
    fix: str
    source: str
    check: Callable[[AuditFacts], Iterator[Finding]]
    needs: frozenset[Need] = frozenset()
    default: bool = True


def finding_of(
    rule: AuditRule, facts: AuditFacts, key: Key | None, message: str, fix: str = "", severity: Severity | None = None
) -> Finding:
    """A finding of a rule. `key` = None: it is about the project.

    `fix` = what to type about this alone; which step comes first for the key, `audit.steps` decides.
    """
    return Finding(rule.id, rule.severity if severity is None else severity, facts.project, key, message, fix)


def open_keys(facts: AuditFacts) -> Iterator[Key]:
    """Live keys with no API restriction, or with all APIs as their target."""
    return (key for key in facts.live if key.restricted == "none")
