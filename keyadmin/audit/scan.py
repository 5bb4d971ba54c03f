"""The audit: what there is, what has to be asked besides, what the rules find. One project's failure stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from keyadmin import __version__
from keyadmin.audit.candidates import Candidate, Taken
from keyadmin.audit.inventory import AuditScope, Inventory, take
from keyadmin.audit.judgement import KeyJudgement, in_order
from keyadmin.audit.judging import judge
from keyadmin.audit.known import UseRead
from keyadmin.audit.model import UNUSED_AFTER, USUAL_AFTER, AuditFacts, Finding, Severity, Unseen, Use
from keyadmin.audit.result import AuditReport
from keyadmin.audit.rule import AuditRule, Need, open_keys
from keyadmin.audit.rules import apply, chosen, rules
from keyadmin.audit.steps import StepBook
from keyadmin.keys.denial import told_apart
from keyadmin.model.duration import words
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.usage import KeyUsage

AT_ONCE: Final = 256
USE_AT_MOST: Final = 240
"""Projects whose use of keys is read unasked where the inventory saves the other calls: what a minute's quota lets through."""
TELL_FROM: Final = 60.0  # seconds that the quota costs, from where on it is said beforehand


@dataclass(frozen=True)
class AuditOptions:
    """What to look for. `explicit` = the rules were named, so that what they need is asked for whatever it takes.

    `anomaly` = how many times a key's usual calls are too many, for the rule use-anomaly.

    `found` gets the judgements of each project that has any, as soon as they are there, in the order of arrival.
    """

    rules: tuple[AuditRule, ...]
    max_age: timedelta
    explicit: bool = False
    anomaly: float | None = None
    found: Callable[[Sequence[KeyJudgement]], None] | None = None


@dataclass(frozen=True, slots=True)
class _Looked:
    """One project after it was looked at.

    `unseen` = why not, or not wholly; `blind` = why the use of its keys is unknown, `dark` = why the state of its APIs is;
    `use` = whether it was read, None without a key that works.
    """

    project: str
    judgements: list[KeyJudgement]
    found: list[Finding]
    """What the judgements hold, in the order of the rules."""
    keys: int = 0
    names: tuple[str, ...] = ()
    """The id and the number of the project, where it was checked."""
    unseen: Unseen | None = None
    failure: Problem | None = None
    blind: Problem | None = None
    dark: Problem | None = None
    use: bool | None = None
    dim: tuple[str, ...] = ()
    """The APIs that its keys are restricted to and of which it is unknown whether they are on."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known of a project after it was asked, and what could not be found out.

    `blind` = why the use of its keys is unknown, `dark` = why the state of its APIs is; `use` = its use was asked for.
    """

    facts: AuditFacts
    unseen: Unseen | None = None
    blind: Problem | None = None
    dark: Problem | None = None
    use: bool = False


async def scan(cloud: Cloud, scope: AuditScope, inventory: Inventory, wishes: AuditOptions, observer: Observer) -> AuditReport:
    """Audit a scope. Raises Problem where its projects cannot be found out, or nobody is signed in."""
    from keyadmin.cloud.pace import gather_limited

    taken = await take(cloud, scope, inventory, observer)
    may_read = _may_read_use(taken, wishes)
    reads_use = may_read and any("usage" in rule.needs for rule in wishes.rules)
    look = _Look(cloud, wishes, reads_use=reads_use, may_read_use=may_read, named=bool(scope.projects))
    to_list = sum(candidate.keys is None for candidate in taken.candidates)
    left = cloud.forecast(reads=to_list)
    if left is not None and left() > TELL_FROM:
        observer.note(_long_way(to_list, left(), scope))
    observer.total(len(taken.candidates), "Auditing projects", left)

    async def one(candidate: Candidate) -> _Looked:
        try:
            looked = await look.at(candidate)
            if wishes.found is not None and looked.judgements:
                wishes.found(looked.judgements)
            return looked
        finally:
            observer.advance()

    return _report(taken, scope, wishes, await gather_limited(taken.candidates, one, AT_ONCE), look)


def _long_way(projects: int, seconds: float, scope: AuditScope) -> str:
    quicker = "--charge-projects" if scope.projects else "--inventory asset or --charge-projects"
    took = words(timedelta(seconds=seconds))
    return f"{projects} projects are asked one by one: that takes {took} at the default quota; quicker: {quicker}"


def _may_read_use(taken: Taken, wishes: AuditOptions) -> bool:
    """Whether the use of keys may be read: a call a project, which no inventory saves."""
    if taken.source == "api" or (wishes.explicit and any("usage" in rule.needs for rule in wishes.rules)):
        return True
    with_keys = sum(each.keys is None or any(key.delete_time is None for key in each.keys) for each in taken.candidates)
    return with_keys <= USE_AT_MOST


def _judgeable(keys: Sequence[Key], now: datetime, youngest: timedelta) -> bool:
    """Whether a key lives that is old enough for its use, or for none, to say anything."""
    limit = now - youngest
    return any(key.delete_time is None and key.create_time is not None and key.create_time <= limit for key in keys)


class _Look:
    """Looks at one project after another, with one time for all: the server's, as of the first answer."""

    def __init__(self, cloud: Cloud, wishes: AuditOptions, *, reads_use: bool, may_read_use: bool, named: bool) -> None:
        self._cloud = cloud
        self.sandbox = cloud.sandbox
        self._wishes = wishes
        self._needs: frozenset[Need] = frozenset(need for rule in wishes.rules for need in rule.needs)
        self._reads_use = reads_use
        self._may_read_use = may_read_use
        self._may_ask = may_read_use or (wishes.explicit and "apis" in self._needs)
        self._shown = frozenset(rule.id for rule in wishes.rules)
        # What is to be done about a key depends on all that is wrong with it.
        order = list(rules())
        every = {rule.id: rule for rule in (*chosen(None), *wishes.rules)}
        self._rules = tuple(sorted(every.values(), key=lambda rule: order.index(rule.id) if rule.id in order else len(order)))
        self._book = StepBook()
        self._named = named
        self._youngest = UNUSED_AFTER if wishes.anomaly is None else USUAL_AFTER
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        """The server's time, once a call was answered; fixed when first asked for.

        Rounded up by the second that Date headers are cut by: what is 90 days old counts as that.
        """
        if self._now is None:
            self._now = self._cloud.now() + timedelta(seconds=1)
        return self._now

    @property
    def passed_over_use(self) -> bool:
        """Whether a rule would have liked to know the use of keys, and it was not read."""
        return not self._may_read_use

    async def at(self, candidate: Candidate) -> _Looked:
        """Ask what is not known yet, and apply the rules. Raises Problem for missing credentials alone."""
        keys = candidate.keys
        if keys is None:
            try:
                keys = await self._listed(candidate.project)
            except Problem as problem:
                return _Looked(
                    candidate.project, [], [], unseen=_unseen(candidate.project, problem), failure=_no_credentials(problem)
                )
        keys = tuple(sorted(keys, key=_PLACE))  # so findings have the same order however a server lists keys
        facts = AuditFacts(candidate.project, keys, self.now, self._wishes.max_age, candidate.gemini, apis=candidate.apis)
        facts = replace(facts, anomaly=self._wishes.anomaly) if self._wishes.anomaly is not None else facts
        asked = await self._asked(facts, self._needs, use=self._reads_use and _judgeable(keys, self.now, self._youngest))
        every = found = apply(asked.facts, self._wishes.rules)
        before = asked.facts
        if any(finding.key is not None and finding.key.delete_time is None for finding in found):
            more = await self._asked(asked.facts, _STATES - self._needs, use=self._may_read_use and not asked.use, again=asked)
            asked = _Asked(more.facts, asked.unseen or more.unseen, asked.blind or more.blind, asked.dark or more.dark)
        if asked.facts is not before or len(self._rules) > len(self._shown):
            every = apply(asked.facts, self._rules)
        judgements = judge(asked.facts, every, self._shown, self._book)
        shown = every if len(self._rules) == len(self._shown) else [each for each in every if each.rule in self._shown]
        use = asked.facts.used is not None if facts.live else None
        about = (len(keys), _names(facts), asked.unseen)
        dim = _dim(asked.facts) if "apis" in self._needs else ()
        return _Looked(candidate.project, judgements, shown, *about, blind=asked.blind, dark=asked.dark, use=use, dim=dim)

    async def _asked(self, facts: AuditFacts, needs: Collection[Need], *, use: bool, again: _Asked | None = None) -> _Asked:
        """The facts with what is not known yet: which APIs are on, where that matters, and the use of the keys."""
        services = [] if again is not None and again.dark is not None else self._unknown(facts, needs)
        if not (services or use):
            return _Asked(facts)
        states, used = await asyncio.gather(self._states(facts.project, services), self._used(facts.project, asks=use))
        known = facts
        if not isinstance(states, Problem):
            on = {service: states.get(service) == "ENABLED" for service in services}
            known = replace(known, gemini=on.pop(GEMINI, known.gemini), apis={**known.apis, **on})
        if isinstance(used, Problem):
            known = replace(known, blind=True)
        elif used is not None:
            known = replace(known, used=used)
        dark = states if isinstance(states, Problem) else None
        unseen = _unseen(facts.project, dark, _STATE_UNKNOWN) if dark is not None and any(open_keys(facts)) else None
        return _Asked(known, unseen, used if isinstance(used, Problem) else None, dark, use=use)

    def _unknown(self, facts: AuditFacts, needs: Collection[Need]) -> list[str]:
        """The services of which it matters whether they are on, and of which that is not known."""
        wanted = {GEMINI} if "gemini" in needs and any(open_keys(facts)) else set[str]()
        if "apis" in needs and self._may_ask:
            wanted.update(service for key in facts.live for service in key.restrictions.services)
        return sorted(service for service in wanted if facts.is_on(service) is None)

    async def _listed(self, project: str) -> tuple[Key, ...]:
        try:
            return tuple([_named(key, project) async for key in self._cloud.keys.list(project, deleted=True)])
        except Problem as problem:
            # A project that a search found is there; of one that was typed that is not known.
            raise (await told_apart(self._cloud, project, problem)) if self._named else problem from None

    async def _states(self, project: str, services: list[str]) -> Mapping[str, str] | Problem:
        try:
            return await self._cloud.services.states(project, services) if services else {}
        except Problem as problem:
            return _no_credentials(problem)

    async def _used(self, project: str, *, asks: bool) -> dict[str, Use] | Problem | None:
        if not asks:
            return None
        try:
            return _by_key(await self._cloud.usage.of_project(project))
        except Problem as problem:
            return _no_credentials(problem)


_PLACE: Final = attrgetter("display_name", "name")
_STATES: Final[frozenset[Need]] = frozenset({"gemini", "apis"})
_STATE_UNKNOWN: Final = "it has keys without API restriction, and whether the Gemini API is on is unknown: "


def _dim(facts: AuditFacts) -> tuple[str, ...]:
    return tuple({service for key in facts.live for service in key.restrictions.services if facts.is_on(service) is None})


def _names(facts: AuditFacts) -> tuple[str, ...]:
    """How the project may be called: by its id, and by the number that its keys bear."""
    return (facts.project, *(key.name.split("/")[1] for key in facts.keys[:1]))


def _named(key: Key, project: str) -> Key:
    return key if key.project == project else replace(key, project=project)


def _by_key(usages: Sequence[KeyUsage]) -> dict[str, Use]:
    out: dict[str, Use] = {}
    for usage in usages:
        before = out.get(usage.uid) or Use(usage.last)
        service = frozenset({usage.service})
        answered = before.answered if usage.refused else before.answered | service
        older = usage.calls - usage.recent
        known = before.services - before.fresh | (service if older else frozenset())
        services = before.services | service
        calls = (before.recent + usage.recent, before.earlier + older)
        out[usage.uid] = Use(max(usage.last, before.last), services, answered, *calls, services - known)
    return out


def _no_credentials(problem: Problem) -> Problem:
    """The same; missing credentials are nobody's project: raised."""
    if problem.exit is Exit.CREDENTIALS:
        raise problem
    return problem


def _unseen(project: str, problem: Problem, before: str = "") -> Unseen:
    return Unseen(project, problem.cause.value, before + problem.message)


def _worst_first(looked: Sequence[_Looked]) -> Iterator[Finding]:
    """By severity, then by project, rule and name: of a project they are in their order already."""
    by_severity: dict[Severity, list[Finding]] = {severity: [] for severity in sorted(Severity, reverse=True)}
    for one in sorted(looked, key=lambda each: each.project):
        for finding in one.found:
            by_severity[finding.severity].append(finding)
    for of_severity in by_severity.values():
        yield from of_severity


def _report(taken: Taken, scope: AuditScope, wishes: AuditOptions, looked: Sequence[_Looked], look: _Look) -> AuditReport:
    return AuditReport(
        findings=tuple(_worst_first(looked)),
        errors=tuple(one.unseen for one in looked if one.unseen is not None),
        projects=len(looked),
        keys=sum(one.keys for one in looked),
        rules=tuple(rule.id for rule in wishes.rules),
        source=taken.source,
        listed=frozenset(candidate.project for candidate in taken.candidates if candidate.keys is None),
        where=scope.words,
        now=look.now,
        max_age=wishes.max_age,
        notes=taken.notes,
        unknown=tuple(_unknown(looked, look)),
        failed=sum(one.failure is not None for one in looked),
        failure=next((one.failure for one in looked if one.failure is not None), None),
        sandbox=look.sandbox,
        version=__version__,
        judgements=tuple(in_order(judgement for one in looked for judgement in one.judgements)),
        checked=frozenset(name for one in looked for name in one.names),
        use=_use_read(looked),
        deleted=taken.deleted,
    )


def _use_read(looked: Sequence[_Looked]) -> UseRead:
    read = {one.use for one in looked if one.use is not None}
    if True not in read:
        return "none"
    return "some" if False in read else "all"


def _unknown(looked: Sequence[_Looked], look: _Look) -> list[str]:
    """Where the use of keys, or the state of APIs, is not known: no project's error, but it must not pass for knowledge."""
    return [*_states_unknown(looked), *_use_unknown(looked, look)]


def _use_unknown(looked: Sequence[_Looked], look: _Look) -> Iterator[str]:
    if look.passed_over_use:
        yield "the use of keys was not read, as that takes one call per project: --rule unused-key reads it"
        return
    blind = [one.blind for one in looked if one.blind is not None]
    if blind:
        yield f"the use of keys is unknown in {len(blind)} projects, where unused-key finds nothing: {blind[0].message}"


def _states_unknown(looked: Sequence[_Looked]) -> Iterator[str]:
    """APIs that keys are restricted to and of which nobody can say whether they are on."""
    dim = [one for one in looked if one.dim]
    if not dim:
        return
    dark = next((one.dark for one in dim if one.dark is not None), None)
    why = dark.message if dark is not None else "the inventory shows them nowhere; --rule api-off asks each project"
    names = sorted({service for one in dim for service in one.dim})
    what = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    yield f"whether {what} is on is unknown in {len(dim)} projects, where api-off finds nothing of it: {why}"
