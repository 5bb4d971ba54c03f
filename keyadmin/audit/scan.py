"""The audit: what there is, what has to be asked besides, what the rules find. One project's failure stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from keyadmin import __version__
from keyadmin.audit.inventory import AuditScope, Candidate, Inventory, Taken, take
from keyadmin.audit.model import UNUSED_AFTER, AuditFacts, AuditReport, Finding, Unseen, Use
from keyadmin.audit.rule import AuditRule, Need, open_keys
from keyadmin.audit.rules import apply
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
    """What to look for. `explicit` = the rules were named, so that what they need is asked for whatever it takes."""

    rules: tuple[AuditRule, ...]
    max_age: timedelta
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class _Looked:
    """One project after it was looked at. `unseen` = why not, or not wholly; `blind` = why the use of its keys is unknown."""

    findings: list[Finding]
    keys: int = 0
    unseen: Unseen | None = None
    failure: Problem | None = None
    blind: Problem | None = None


async def scan(cloud: Cloud, scope: AuditScope, inventory: Inventory, wishes: AuditOptions, observer: Observer) -> AuditReport:
    """Audit a scope. Raises Problem where its projects cannot be found out, or nobody is signed in."""
    from keyadmin.cloud.pace import gather_limited

    taken = await take(cloud, scope, inventory, observer)
    may_read = _may_read_use(taken, wishes, cloud.now())
    reads_use = may_read and any("usage" in rule.needs for rule in wishes.rules)
    look = _Look(cloud, wishes, reads_use=reads_use, may_read_use=may_read, named=bool(scope.projects))
    to_list = sum(candidate.keys is None for candidate in taken.candidates)
    left = cloud.forecast(reads=to_list)
    if left is not None and left() > TELL_FROM:
        observer.note(_long_way(to_list, left(), scope))
    observer.total(len(taken.candidates), "Auditing projects", left)

    async def one(candidate: Candidate) -> _Looked:
        try:
            return await look.at(candidate)
        finally:
            observer.advance()

    return _report(taken, scope, wishes, await gather_limited(taken.candidates, one, AT_ONCE), look)


def _long_way(projects: int, seconds: float, scope: AuditScope) -> str:
    quicker = "--charge-projects" if scope.projects else "--inventory asset or --charge-projects"
    took = words(timedelta(seconds=seconds))
    return f"{projects} projects are asked one by one: that takes {took} at the default quota; quicker: {quicker}"


def _may_read_use(taken: Taken, wishes: AuditOptions, now: datetime) -> bool:
    """Whether the use of keys may be read: a call a project, which no inventory saves."""
    if wishes.explicit or taken.source == "api":
        return True
    return sum(each.keys is None or _judgeable(each.keys, now) for each in taken.candidates) <= USE_AT_MOST


def _judgeable(keys: Sequence[Key], now: datetime) -> bool:
    """Whether a key lives that is old enough to be called unused."""
    limit = now - UNUSED_AFTER
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
        self._by_use = tuple(rule for rule in wishes.rules if rule.advises_by_use)
        self._plain = tuple(rule for rule in wishes.rules if not rule.advises_by_use)
        self._advising = frozenset(rule.id for rule in self._by_use)
        self._named = named
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
        return "usage" in self._needs and not self._reads_use

    async def at(self, candidate: Candidate) -> _Looked:
        """Ask what is not known yet, and apply the rules. Raises Problem for missing credentials alone."""
        keys = candidate.keys
        if keys is None:
            try:
                keys = await self._listed(candidate.project)
            except Problem as problem:
                return _Looked([], unseen=_unseen(candidate.project, problem), failure=_no_credentials(problem))
        facts = AuditFacts(candidate.project, keys, self.now, self._wishes.max_age, candidate.gemini)
        asks_gemini = "gemini" in self._needs and facts.gemini is None and any(open_keys(facts))
        asks_use = self._reads_use and _judgeable(keys, self.now)
        if not (asks_gemini or asks_use):
            return await self._judged(facts)
        gemini, used = await asyncio.gather(
            self._gemini(candidate.project, facts.gemini, asks=asks_gemini), self._used(candidate.project, asks=asks_use)
        )
        facts = AuditFacts(
            *(candidate.project, keys, self.now, self._wishes.max_age),
            gemini=None if isinstance(gemini, Problem) else gemini,
            used=None if isinstance(used, Problem) else used,
        )
        unseen = _unseen(candidate.project, gemini, _STATE_UNKNOWN) if isinstance(gemini, Problem) else None
        blind = used if isinstance(used, Problem) else None
        return await self._judged(facts, unseen, blind, asked=asks_use)

    async def _judged(
        self, facts: AuditFacts, unseen: Unseen | None = None, blind: Problem | None = None, *, asked: bool = False
    ) -> _Looked:
        """What the rules find. The use of keys is read for those whose advice depends on it, whichever rules were named."""
        found = apply(facts, self._wishes.rules)
        if not asked and self._may_read_use and any(finding.rule in self._advising for finding in found):
            used = await self._used(facts.project, asks=True)
            if isinstance(used, Problem):
                blind = blind or used
            else:
                known = replace(facts, used=used)
                found = [*apply(facts, self._plain), *apply(known, self._by_use)]
        return _Looked(found, len(facts.keys), unseen, blind=blind)

    async def _listed(self, project: str) -> tuple[Key, ...]:
        try:
            return tuple([_named(key, project) async for key in self._cloud.keys.list(project, deleted=True)])
        except Problem as problem:
            # A project that a search found is there; of one that was typed that is not known.
            raise (await told_apart(self._cloud, project, problem)) if self._named else problem from None

    async def _gemini(self, project: str, known: bool | None, *, asks: bool) -> bool | Problem | None:
        if not asks:
            return known
        try:
            return (await self._cloud.services.states(project, [GEMINI])).get(GEMINI) == "ENABLED"
        except Problem as problem:
            return _no_credentials(problem)

    async def _used(self, project: str, *, asks: bool) -> dict[str, Use] | Problem | None:
        if not asks:
            return None
        try:
            return _by_key(await self._cloud.usage.of_project(project))
        except Problem as problem:
            return _no_credentials(problem)


_STATE_UNKNOWN: Final = "it has keys without API restriction, and whether the Gemini API is on is unknown: "


def _named(key: Key, project: str) -> Key:
    return key if key.project == project else replace(key, project=project)


def _by_key(usages: Sequence[KeyUsage]) -> dict[str, Use]:
    out: dict[str, Use] = {}
    for usage in usages:
        before = out.get(usage.uid)
        services = frozenset({usage.service}) | (before.services if before else frozenset())
        out[usage.uid] = Use(max(usage.last, before.last) if before else usage.last, services)
    return out


def _no_credentials(problem: Problem) -> Problem:
    """The same; missing credentials are nobody's project: raised."""
    if problem.exit is Exit.CREDENTIALS:
        raise problem
    return problem


def _unseen(project: str, problem: Problem, before: str = "") -> Unseen:
    return Unseen(project, problem.cause.value, before + problem.message)


def _report(taken: Taken, scope: AuditScope, wishes: AuditOptions, looked: Sequence[_Looked], look: _Look) -> AuditReport:
    order = {rule.id: place for place, rule in enumerate(wishes.rules)}
    findings = sorted(
        (finding for one in looked for finding in one.findings),
        key=lambda each: (-each.severity, each.project, order[each.rule], each.label, each.key.name if each.key else ""),
    )
    return AuditReport(
        findings=tuple(findings),
        errors=tuple(one.unseen for one in looked if one.unseen is not None),
        projects=len(looked),
        keys=sum(one.keys for one in looked),
        rules=tuple(order),
        source=taken.source,
        where=scope.words,
        now=look.now,
        max_age=wishes.max_age,
        notes=taken.notes,
        unknown=tuple(_unknown(looked, look)),
        failed=sum(one.failure is not None for one in looked),
        failure=next((one.failure for one in looked if one.failure is not None), None),
        sandbox=look.sandbox,
        version=__version__,
    )


def _unknown(looked: Sequence[_Looked], look: _Look) -> list[str]:
    """Where the use of keys is not known: no project's error, but it must not pass for use either."""
    if look.passed_over_use:
        return ["the use of keys was not read, as it takes a call a project: --rule unused-key reads it"]
    blind = [one.blind for one in looked if one.blind is not None]
    if not blind:
        return []
    return [f"the use of keys is unknown in {len(blind)} projects, where unused-key finds nothing: {blind[0].message}"]
