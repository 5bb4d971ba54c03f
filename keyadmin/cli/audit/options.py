"""Options that commands of audits take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.audit.rules import chosen, rules
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.audit.inventory import Inventory
    from keyadmin.audit.rule import AuditRule
    from keyadmin.audit.selection import AuditSelection, GroupBy

ANOMALY: Final = "use-anomaly"
THRESHOLDS: Final = ("low", "medium", "high", "none")
SEVERITIES: Final = ("info", "low", "medium", "high")
_INVENTORIES: Final = ("auto", "api", "asset")
_GROUPINGS: Final = ("key", "project", "rule", "owner")


def complete_rules(incomplete: str) -> list[tuple[str, str]]:
    """The rules that begin so, each with what it finds."""
    return [(rule.id, rule.title) for rule in rules().values() if rule.id.startswith(incomplete)]


def _inventories(incomplete: str) -> list[str]:
    return [name for name in _INVENTORIES if name.startswith(incomplete)]


def _thresholds(incomplete: str) -> list[str]:
    return [name for name in THRESHOLDS if name.startswith(incomplete)]


def _severities(incomplete: str) -> list[str]:
    return [name for name in SEVERITIES if name.startswith(incomplete)]


def _groupings(incomplete: str) -> list[str]:
    return [name for name in _GROUPINGS if name.startswith(incomplete)]


Source = Annotated[
    str,
    typer.Option(
        "--inventory",
        metavar="auto|api|asset",
        autocompletion=_inventories,
        help="Ask each project (api), Cloud Asset Inventory (asset), or whichever is faster and permitted (auto).",
    ),
]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="RULE", autocompletion=complete_rules, help="Only this rule; may be repeated."),
]
MaxAge = Annotated[str, typer.Option("--max-age", metavar="DURATION", help="The age from which a key is too old.")]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        metavar="low|medium|high|none",
        autocompletion=_thresholds,
        help="The lowest severity that makes the exit code 3.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report to a file, in the format of its extension.")
]
MinSeverity = Annotated[
    str | None,
    typer.Option(
        "--min-severity",
        metavar="info|low|medium|high",
        autocompletion=_severities,
        help="Show only findings this bad or worse.",
    ),
]
ShownAtMost = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Show the N worst keys or groups; tables show 20.")
]
GroupedBy = Annotated[
    str,
    typer.Option(
        "--group-by",
        metavar="key|project|rule|owner",
        autocompletion=_groupings,
        help="Group keys that have this in common.",
    ),
]
ShowAll = Annotated[bool, typer.Option("--all", help="Show all keys in a table, including accepted ones.")]
BaselineFile = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help="An earlier report in JSON; only new findings decide the exit code."),
]
PolicyFile = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", help="The file with accepted findings, by default keyadmin.toml in this folder."),
]
KeptIn = Annotated[
    str | None, typer.Option("--keep", metavar="DIR", help="The folder of kept audits, by default in the data directory.")
]
KeepIn = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="DIR|none",
        help="Keep the report in this folder (by default in the data directory); none = do not keep it.",
    ),
]

Compared = Annotated[bool, typer.Option("--diff", help="Also show what changed since the last kept audit of the same scope.")]
MetricsFile = Annotated[Path | None, typer.Option("--metrics", metavar="FILE", help="Write a Prometheus textfile.")]

Anomaly = Annotated[
    float | None,
    typer.Option(
        "--anomaly",
        metavar="N",
        help="Also find keys with over N times their usual calls, or calls of a service new to them.",
    ),
]


def rules_of(names: list[str] | None, anomaly: float | None) -> tuple[AuditRule, ...]:
    """The rules to be applied. Raises usage() for use-anomaly without its multiple."""
    if names and ANOMALY in names and anomaly is None:
        raise usage(f"--rule {ANOMALY} needs a multiple of the usual use", "add --anomaly 5, say")
    return chosen(names, ANOMALY if anomaly is not None else None)


def anomaly_of(times: float | None) -> float | None:
    """Raises usage() for what is no multiple."""
    if times is not None and not 1 < times < 1e6:
        raise usage(f"--anomaly {times:g}: a number above 1", "--anomaly 5 finds keys with five times their usual calls")
    return times


def inventory_of(text: str) -> Inventory:
    """Raises usage() for an unknown one."""
    from keyadmin.audit.inventory import INVENTORIES

    for known in INVENTORIES:
        if known == text:
            return known
    raise usage(f"--inventory: {text!r} is not an inventory", f"use one of: {', '.join(INVENTORIES)}")


def selection_of(least: str | None, limit: int | None, group_by: str, *, every: bool) -> AuditSelection:
    """What is shown. Raises usage() for an unknown severity or grouping, and for options that contradict each other."""
    from keyadmin.audit.model import Severity
    from keyadmin.audit.selection import AuditSelection

    if least is not None and least not in SEVERITIES:
        raise usage(f"--min-severity: {least!r} is not a severity", f"use one of: {', '.join(SEVERITIES)}")
    if every and limit is not None:
        raise usage("--all and --limit do not go together", "leave one of them out")
    return AuditSelection(Severity[least.upper()] if least else Severity.INFO, limit, _grouping(group_by))


def _grouping(text: str) -> GroupBy:
    from keyadmin.audit.selection import GROUPINGS

    for known in GROUPINGS:
        if known == text:
            return known
    raise usage(f"--group-by: {text!r} is not a grouping", f"use one of: {', '.join(GROUPINGS)}")
