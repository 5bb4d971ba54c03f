"""An audit as a person at a terminal reads it: what there is in all, then the worst keys, then how to see the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from keyadmin.audit.judgement import KeyJudgement
from keyadmin.audit.model import Severity
from keyadmin.audit.result import AuditReport
from keyadmin.audit.selection import AuditSelection, Group, grouped, worst_projects
from keyadmin.cli.console import paint
from keyadmin.cli.text import clean, command_lines, counted, cut, display_width, folded, padded, terminal_rows

WORST: Final = 20  # keys or groups that are shown unless more are asked for
STYLES: Final = {Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "blue", Severity.INFO: "dim"}
_WIDE: Final = 120  # columns where stdout is not a terminal
_ERRORS: Final = 10
_SEVERITY: Final = 6
_LEAST_OWNER: Final = 10  # columns; narrower than these an owner, a project or a name is not told from others
_LEAST_NAME: Final = 14
_INDENT: Final = " " * (_SEVERITY + 2)
_BY_WORD: Final = {severity.word: severity for severity in Severity}


@dataclass(frozen=True)
class Look:
    """How it is shown: `width`, `height` of the terminal, None = there is none; `more` = the command that shows all of it."""

    wish: AuditSelection
    more: str
    width: int | None = None
    colour: bool = False
    height: int | None = None

    @property
    def columns(self) -> int:
        """The width to lay out for."""
        return max(40, self.width or _WIDE)

    def paint(self, text: str, style: str | None) -> str:
        """`text` in a style, where colour is wanted."""
        return paint(text, style, self.colour)


def lines(report: AuditReport, whole: AuditReport, look: Look) -> list[str]:
    """`report` = what is shown of `whole`.

    Where some keys alone are shown and are too many for the terminal, its first screen has a line for each of the worst, and
    what to type about them comes behind.
    """
    roomy = list(_roomy(report, whole, look))
    some = look.wish.limit is not None and look.wish.group_by == "key" and len(report.judgements) > 1
    if look.height is None or not some or terminal_rows(roomy, look.columns) < look.height:
        return roomy
    return list(_close(report, whole, look))


def _roomy(report: AuditReport, whole: AuditReport, look: Look) -> Iterator[str]:
    yield from _summary(whole, look)
    if not whole.findings:
        yield from ("", whole.known.nothing())
    elif look.wish.group_by == "key":
        yield from _keys(report, whole, look)
    else:
        yield from _groups(report, whole, look)
    yield from _unseen(whole, look)


def _close(report: AuditReport, whole: AuditReport, look: Look) -> Iterator[str]:
    """A line a key, the worst of them on the first screen, with all that has to be known to read it."""
    shown, every = report.judgements, whole.judgements
    yield from _summary(whole, look, lines=1)
    what = f"The worst {len(shown)} of {counted(len(every), 'key')}" if len(shown) < len(every) else counted(len(every), "key")
    yield look.paint(f"{what}, each with why; what to type about them stands below", "bold")
    if len(shown) < len(every):
        yield from _typed("All of them: ", look.more, look)
    first = {each.findings[0].rule for each in shown}
    yield from _meanings(report, first, look)
    yield from _numbered(shown, look)
    yield from _more_findings(shown)
    yield ""
    yield look.paint("What to type first", "bold")
    for number, each in enumerate(shown, 1):
        yield from _typed(f"{number:>2}  ", clean(each.fix), look)
    if others := {finding.rule for each in shown for finding in each.findings} - first:
        yield ""
        yield from _meanings(report, others, look)
    yield from _unseen(whole, look)


def _numbered(judgements: Sequence[KeyJudgement], look: Look) -> Iterator[str]:
    """A line a key: its number, how bad, where, which, whose, and which rules found something."""
    severity = max(len(each.severity.word) for each in judgements)
    projects, names, owners = _widths(judgements, (20, 20, 16), look.columns - 4 - severity - 2)
    for number, each in enumerate(judgements, 1):
        word = look.paint(padded(each.severity.word.upper(), severity), STYLES[each.severity])
        cells = [padded(clean(each.project), projects), padded(clean(each.label or "(the project)"), names)]
        cells += [padded(clean(_owner(each)), owners)] if owners else []
        used = 4 + severity + 2 + sum(display_width(cell) + 2 for cell in cells)
        yield "  ".join([f"{number:>2}", word, *cells, _rules_of(each, look.columns - used)]).rstrip()


def _typed(head: str, command: str, look: Look, style: str | None = None) -> Iterator[str]:
    """A command behind `head`, in lines that fit the terminal and can be pasted."""
    first, *rest = command_lines(command, look.width, " " * len(head))
    yield f"{head}{look.paint(first, style)}"
    yield from (look.paint(line, style) for line in rest)


def _more_findings(judgements: Sequence[KeyJudgement]) -> Iterator[str]:
    """What `+4` means, where one stands above."""
    if any(len(each.findings) > 1 for each in judgements):
        yield "+N: N more findings about the key; --format json and html have each of them"


def _widths(judgements: Sequence[KeyJudgement], most: tuple[int, int, int], room: int) -> tuple[int, int, int]:
    """Of projects, names and owners, so that the first rule of each and how many more there are stand whole behind them."""
    widths = [
        _width((each.project for each in judgements), most[0]),
        _width((each.label or "(the project)" for each in judgements), most[1]),
        _width((_owner(each) for each in judgements), most[2]),
    ]
    rules = max(len(_first_rule(each)) for each in judgements) if judgements else 0
    for at, least in ((2, _LEAST_OWNER), (1, _LEAST_NAME), (0, _LEAST_NAME)):
        over = sum(widths) + 2 * sum(map(bool, widths)) + rules - room
        widths[at] = max(min(widths[at], least), widths[at] - max(0, over))
    return widths[0], widths[1], widths[2]


def _summary(report: AuditReport, look: Look, *, lines: int = 2) -> Iterator[str]:
    """`lines` = how many the rules, and the projects, may take."""
    about = f"{counted(report.projects, 'project')}, {counted(report.keys, 'key')}: {counted(len(report.findings), 'finding')}"
    yield look.paint(about, "bold")
    counts = [look.paint(f"{count} {word}", STYLES[_BY_WORD[word]]) for word, count in report.by_severity.items() if count]
    aside = [f"{report.accepted} accepted"] if report.accepted else []
    aside += [f"{report.new} new"] if report.new is not None else []
    aside += [look.paint(f"{counted(len(report.errors), 'project')} not checked", "red")] if report.errors else []
    if counts or aside:
        yield "  ".join([*counts, *aside])
    yield from _trend(report)
    yield from _commonest("Rules", ((rule, count) for rule, count in report.by_rule.items() if count), look, lines)
    projects = worst_projects(report.judgements)
    if len(projects) > 1:
        yield from _commonest("Projects", projects, look, lines, by_count=False)
    first, *rest = folded(report.known.words(), look.columns - 10)
    yield f"{'Known':<10}{first}"
    yield from (f"{'':<10}{line}" for line in rest)


def _trend(report: AuditReport) -> Iterator[str]:
    if report.trend:
        points = [*(each.by_severity for each in report.trend[-5:]), report.by_severity]
        high = " > ".join(str(each.get("high", 0)) for each in points)
        every = " > ".join(str(sum(each.values())) for each in points)
        yield f"Trend     high {high}; all {every} (since {report.trend[-5:][0].time:%Y-%m-%d})"


def _commonest(
    title: str, counts: Iterable[tuple[str, int]], look: Look, lines: int, *, by_count: bool = True
) -> Iterator[str]:
    """So many lines at most: the first names with their counts, and how many more there are."""
    named = sorted(counts, key=lambda each: -each[1]) if by_count else list(counts)
    if not named:
        return
    room = lines * (look.columns - 10) - 14  # the last words say how many more there are
    texts: list[str] = []
    for name, count in named:
        text = f"{clean(name)} {count}"
        if sum(map(len, texts)) + 2 * len(texts) + len(text) > room:
            break
        texts.append(text)
    more = len(named) - len(texts)
    whole = ", ".join(texts) + (f", and {more} more" if more else "")
    first, *rest = folded(whole, look.columns - 10) or [""]
    yield f"{title:<10}{first}"
    yield from (f"{'':<10}{line}" for line in rest)


def _keys(report: AuditReport, whole: AuditReport, look: Look) -> Iterator[str]:
    every, shown = whole.judgements, report.judgements
    yield ""
    what = f"The worst {len(shown)} of {counted(len(every), 'key')}" if len(shown) < len(every) else counted(len(every), "key")
    if len(shown) < len(every):
        yield from _typed(look.paint(f"{what}; all of them: ", "bold"), look.more, look)
    else:
        yield look.paint(what, "bold")
    yield from key_rows(shown, look)
    yield from _more_findings(shown)
    yield from _legend(report, look)


def key_rows(judgements: Sequence[KeyJudgement], look: Look) -> Iterator[str]:
    """Two lines a key: how bad, where, which, whose, what was found; then what to type next."""
    projects, names, owners = _widths(judgements, (22, 22, 20), look.columns - _SEVERITY - 2)
    for each in judgements:
        word = look.paint(padded(each.severity.word.upper(), _SEVERITY), STYLES[each.severity])
        cells = [padded(clean(each.project), projects), padded(clean(each.label or "(the project)"), names)]
        cells += [padded(clean(_owner(each)), owners)] if owners else []
        used = _SEVERITY + 2 + sum(display_width(cell) + 2 for cell in cells)
        yield "  ".join([word, *cells, _rules_of(each, look.columns - used)]).rstrip()
        yield from _typed(_INDENT, clean(each.fix), look, "dim")


def _owner(judgement: KeyJudgement) -> str:
    if judgement.owner is None:
        return ""
    return ", ".join(judgement.owner.who) or "owner unknown"


def _width(texts: Iterable[str], most: int) -> int:
    return min(most, max((display_width(clean(text)) for text in texts), default=0))


def _rules_of(judgement: KeyJudgement, room: int) -> str:
    """The rules that found something, the worst first, as many as there is room for; the first in any case."""
    rules = [f"{each.rule}{' (accepted)' if each.accepted else ''}" for each in judgement.findings]
    for count in range(len(rules), 1, -1):
        left = f" +{len(rules) - count}" if count < len(rules) else ""
        if len(text := ", ".join(rules[:count]) + left) <= room:
            return text
    return _first_rule(judgement)


def _first_rule(judgement: KeyJudgement) -> str:
    """The worst, and how many more there are."""
    first, more = judgement.findings[0], len(judgement.findings) - 1
    return f"{first.rule}{' (accepted)' if first.accepted else ''}{f' +{more}' if more else ''}"


def _legend(report: AuditReport, look: Look) -> Iterator[str]:
    """What the rules mean that the keys name."""
    yield ""
    yield from _meanings(report, {finding.rule for each in report.judgements for finding in each.findings}, look)


def _meanings(report: AuditReport, found: Collection[str], look: Look) -> Iterator[str]:
    from keyadmin.audit.rules import rules

    width = _width(found, 24)
    for rule in report.rules:
        if rule in found:
            yield f"{padded(rule, width)}  {cut(rules()[rule].title, max(20, look.columns - width - 2))}"


def _groups(report: AuditReport, whole: AuditReport, look: Look) -> Iterator[str]:
    by = look.wish.group_by
    every = grouped(whole.judgements if by != "owner" else report.judgements, by)
    groups = every[: look.wish.limit]
    width = min(44, max(len(by), *(display_width(clean(group.name)) for group in groups)) if groups else len(by))
    yield ""
    words = list(whole.by_severity)
    head = f"{padded(by.upper(), width)}  {'KEYS':>6}  " + "  ".join(f"{word.upper():>6}" for word in words) + "  WORST KEY"
    yield look.paint(head.rstrip(), "bold")
    for group in groups:
        yield _group_row(group, width, words, look)
    if len(groups) < len(every):
        yield f"and {counted(len(every) - len(groups), 'more group')}: {look.more}"


def _group_row(group: Group, width: int, words: Sequence[str], look: Look) -> str:
    counts = group.by_severity
    cells = [look.paint(f"{counts[word]:>6}", STYLES[_BY_WORD[word]] if counts[word] else None) for word in words]
    worst = group.judgements[0]
    used = width + 2 + 8 * (len(words) + 1)
    name = clean(worst.label or worst.project)
    return "  ".join([padded(clean(group.name), width), f"{group.keys:>6}", *cells, cut(name, max(12, look.columns - used))])


def _unseen(report: AuditReport, look: Look) -> Iterator[str]:
    if not report.errors:
        return
    yield ""
    what = f"Not checked: {counted(len(report.errors), 'project')}. What is in them is unknown."
    yield look.paint(what, "red")
    shown = report.errors if look.wish.limit is None else report.errors[:_ERRORS]
    for error in shown:
        text = f"{error.project} ({error.cause}): {' '.join(error.message.split())}"
        yield from folded(clean(text), look.width, "  ")
    if len(shown) < len(report.errors):
        yield f"  and {counted(len(report.errors) - len(shown), 'more project')}: {look.more}"
