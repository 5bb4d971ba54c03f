"""The audit's rules, one file each, in the order of lists and documents.

Adding one is a file here and its name in `_BUILT_IN`: docs/contributing/audit-rule.md. Other packages bring theirs by the
entry point group `keyadmin.audit_rules`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache
from typing import Final

from keyadmin.audit.model import AuditFacts, Finding
from keyadmin.audit.rule import AuditRule
from keyadmin.handover.plugins import entries
from keyadmin.model.problem import Cause, Exit, Problem, usage

ENTRY_POINTS: Final = "keyadmin.audit_rules"
_BUILT_IN: Final = (
    "gemini_exposed_key",
    "key_string_in_name",
    "unrestricted_key",
    "standard_key",
    "mixed_targets",
    "open_client_restriction",
    "key_too_old",
    "rotation_stuck",
    "rotation_overdue",
    "unused_key",
    "unused_target",
    "use_anomaly",
    "api_off",
    "no_client_restriction",
    "too_many_keys",
    "deleted_key_recoverable",
    "undisplayable_key",
)
NAMES: Final = tuple(name.replace("_", "-") for name in _BUILT_IN)
"""The ids of the rules that come with keyadmin."""


@cache
def rules() -> dict[str, AuditRule]:
    """Every rule by its id. Raises Problem (exit 2) for a package whose rule cannot be used."""
    found: list[AuditRule] = [importlib.import_module(f"{__name__}.{name}").RULE for name in _BUILT_IN]
    known = {rule.id: rule for rule in found}
    for rule in _of_others():
        if rule.id in known:
            raise _refused(rule.id, "the id is taken")
        known[rule.id] = rule
    return known


def chosen(names: list[str] | None, also: str | None = None) -> tuple[AuditRule, ...]:
    """The rules of these ids in the order of the list, or all that are on by default; `also` = one more.

    Raises usage() for an unknown one.
    """
    every = rules()
    if not names:
        return tuple(rule for rule in every.values() if rule.default or rule.id == also)
    for name in names:
        if name not in every:
            from difflib import get_close_matches

            near = get_close_matches(name, every, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(every)}"
            raise usage(f"--rule: there is no rule {name!r}", hint)
    return tuple(rule for rule in every.values() if rule.id in names or rule.id == also)


def apply(facts: AuditFacts, wanted: Iterable[AuditRule]) -> list[Finding]:
    """What these rules find in a project."""
    return [finding for rule in wanted for finding in rule.check(facts)]


def _of_others() -> list[AuditRule]:
    out: list[AuditRule] = []
    for entry in entries(ENTRY_POINTS):
        try:
            rule = entry.load()
        except Exception as error:
            raise _refused(entry.name, f"it cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(rule, AuditRule):
            raise _refused(entry.name, "it is not an AuditRule")
        out.append(rule)
    return out


def _refused(name: str, why: str) -> Problem:
    fix = ("update or remove the package that brings it",)
    return Problem(Cause.INVALID_ARGUMENT, f"the audit rule {name} of another package: {why}", fix=fix, exit_code=Exit.USAGE)
