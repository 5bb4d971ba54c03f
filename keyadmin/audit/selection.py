"""What of a report is shown: some severities, some keys, in groups. The counts of the whole stay what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

from keyadmin.audit.judgement import KeyJudgement
from keyadmin.audit.model import Finding, Severity
from keyadmin.audit.result import AuditReport

GroupBy = Literal["key", "project", "rule", "owner"]
GROUPINGS: Final[tuple[GroupBy, ...]] = ("key", "project", "rule", "owner")


@dataclass(frozen=True, slots=True)
class AuditSelection:
    """What was asked for. `limit` = at most so many keys, or groups where they are grouped; None = all.

    `open_only` = without the keys of which all that was found is accepted.
    """

    at_least: Severity = Severity.INFO
    limit: int | None = None
    group_by: GroupBy = "key"
    open_only: bool = False

    @property
    def all(self) -> bool:
        """Whether it leaves nothing out."""
        return self.at_least is Severity.INFO and self.limit is None and not self.open_only


_WORST_FIRST: Final = tuple(sorted(Severity, reverse=True))


@dataclass
class Group:
    """Keys that have something in common, the worst first; `findings` = those that count for the group.

    All of them are there before anybody asks for its counts.
    """

    name: str
    judgements: list[KeyJudgement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def keys(self) -> int:
        """How many keys, those alone that are not the project itself."""
        return sum(each.key is not None for each in self.judgements)

    @property
    def by_severity(self) -> dict[str, int]:
        """Its findings by severity, the worst first; accepted ones left out."""
        return dict(zip((severity.word for severity in _WORST_FIRST), self.rank, strict=True))

    @cached_property
    def rank(self) -> tuple[int, ...]:
        """The higher the worse: the counts of each severity, the worst first."""
        counts = [0] * len(Severity)
        for finding in self.findings:
            counts[finding.severity] += finding.accepted is None
        return tuple(reversed(counts))


def severe(judgements: Iterable[KeyJudgement], wish: AuditSelection) -> Iterator[KeyJudgement]:
    """The keys that have findings as bad as was asked for, with these alone; those last of which all is accepted."""
    done: list[KeyJudgement] = []
    for each in judgements:
        findings = each.findings if wish.at_least is Severity.INFO else _bad(each, wish.at_least)
        if not findings:
            continue
        kept = each if len(findings) == len(each.findings) else replace(each, findings=findings)
        if all(finding.accepted is not None for finding in findings):
            done.append(kept)
        else:
            yield kept
    if not wish.open_only:
        yield from done


def _bad(judgement: KeyJudgement, at_least: Severity) -> tuple[Finding, ...]:
    return tuple(finding for finding in judgement.findings if finding.severity >= at_least)


def grouped(judgements: Iterable[KeyJudgement], by: GroupBy) -> list[Group]:
    """The groups, the worst first; `key` = each key is one. Owners are those that the judgements bear."""
    groups: dict[str, Group] = {}
    for judgement in judgements:
        for name, findings in _shares(judgement, by):
            group = groups.setdefault(name, Group(_shown(name, judgement, by)))
            group.judgements.append(judgement)
            group.findings.extend(findings)
    if by == "key":
        return list(groups.values())
    return sorted(groups.values(), key=lambda each: (*(-count for count in each.rank), each.name))


def worst_projects(judgements: Iterable[KeyJudgement]) -> list[tuple[str, int]]:
    """The projects with the numbers of their findings that are not accepted, in the order of `grouped`."""
    ranks: dict[str, list[int]] = {}
    for each in judgements:
        rank = ranks.setdefault(each.project, [0] * len(Severity))
        for finding in each.findings:
            rank[-1 - finding.severity] -= finding.accepted is None
    return [(name, -sum(rank)) for name, rank in sorted(ranks.items(), key=lambda each: (each[1], each[0]))]


def _shown(name: str, judgement: KeyJudgement, by: GroupBy) -> str:
    return judgement.label if by == "key" else name


def _shares(judgement: KeyJudgement, by: GroupBy) -> Iterator[tuple[str, Sequence[Finding]]]:
    match by:
        case "rule":
            for finding in judgement.findings:
                yield finding.rule, (finding,)
        case "project":
            yield judgement.project, judgement.findings
        case "owner":
            names = judgement.owner.who if judgement.owner is not None else ()
            for name in names or ("unknown",):
                yield name, judgement.findings
        case _:
            yield (judgement.key.name if judgement.key else f"projects/{judgement.project}"), judgement.findings


def shown(report: AuditReport, wish: AuditSelection) -> AuditReport:
    """The report with what is shown of it; its counts are those of the whole.

    Findings stand in the order of the report, or group by group.
    """
    if wish.all and wish.group_by == "key":
        return report
    judgements = list(severe(report.judgements, wish))
    if wish.group_by == "key":
        chosen = judgements[: wish.limit]
        return _of(report, chosen, _in_order(report, chosen, wish.at_least))
    groups = grouped(judgements, wish.group_by)[: wish.limit]
    findings = {id(finding): finding for group in groups for finding in group.findings}
    return _of(report, _once(groups), list(findings.values()))


def _once(groups: Iterable[Group]) -> list[KeyJudgement]:
    return list({id(each): each for group in groups for each in group.judgements}.values())


def _in_order(report: AuditReport, chosen: Sequence[KeyJudgement], at_least: Severity) -> list[Finding]:
    names = {subject(each) for each in chosen}
    kept: Callable[[Finding], bool] = lambda each: each.severity >= at_least and subject(each) in names  # noqa: E731
    return list(filter(kept, report.findings))


def subject(of: KeyJudgement | Finding) -> str:
    """What it is about: the key's full name, else its project."""
    return of.key.name if of.key is not None else f"projects/{of.project}"


def _of(report: AuditReport, judgements: Sequence[KeyJudgement], findings: Sequence[Finding]) -> AuditReport:
    return replace(report, judgements=tuple(judgements), findings=tuple(findings), whole=report.whole or report)
