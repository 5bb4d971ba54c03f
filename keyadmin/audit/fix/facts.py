"""What a plan is made from: an audit's findings, the use of the keys, the policy's sinks. Reads; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from keyadmin.audit.fix.change import FixChange, FixKind, LeftAlone
from keyadmin.audit.fix.clients import ClientsFile
from keyadmin.audit.fix.decide import FixTerms, KeyFacts, decide
from keyadmin.audit.fix.plan import FixPlan, FixScope, made
from keyadmin.audit.fix.waves import SHARES
from keyadmin.audit.inventory import AuditScope
from keyadmin.audit.model import Finding, Severity
from keyadmin.audit.owners import owned
from keyadmin.audit.result import AuditReport
from keyadmin.handover.registry import fingerprint
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.lineage import Lineage
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem, usage
from keyadmin.rotation.decide import Action, to_migrate
from keyadmin.rotation.decide import decide as next_action
from keyadmin.rotation.find import Chosen, find

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.usage import KeyUsage
    from keyadmin.rotation.policy import RotationPolicy

AT_ONCE: Final = 256
OWNERS_AT_MOST: Final = 100  # keys whose owners are looked for: that takes calls of its own
_RESTING: Final = frozenset({Action.REST, Action.GONE, Action.WAIT, Action.STUCK})

Uses = Mapping[str, "list[KeyUsage] | Problem"]
"""By project."""


@dataclass(frozen=True)
class FixRequest:
    """What is to be planned, beside the scope. `keys` = named by hand."""

    terms: FixTerms = field(default_factory=FixTerms)
    first: int = SHARES[0]
    pause: timedelta = timedelta()
    least: Severity = Severity.INFO
    keys: tuple[str, ...] = ()
    clients: ClientsFile | None = None
    policy: RotationPolicy | None = None


async def plan_fix(
    cloud: Cloud, scope: AuditScope, report: AuditReport, request: FixRequest, observer: Observer
) -> tuple[FixPlan, dict[str, Key]]:
    """The plan that an audit's findings lead to, and the keys by name as they were read for it.

    Raises Problem (exit 2) for keys or clients that name no key of the audit.
    """
    found = await _live(cloud, report, by_key(report.findings))
    known = {name: of_key[0].key for name, of_key in found.items() if of_key[0].key is not None}
    named = _named(known.values(), request.keys)
    clients = request.clients.for_keys(known.values()) if request.clients is not None else {}
    wanted = {name: each for name, each in found.items() if _meant(name, each, request, named)}
    uses = await uses_of(cloud, {known[name].project for name in wanted}, request.terms.window, observer)
    chosen = await _chosen(cloud, request.policy, observer)
    enabled = await _enabled(cloud, [known[name] for name in named if name in wanted], uses)

    def each(name: str) -> tuple[FixChange | LeftAlone, ...]:
        return decide(_facts(cloud, known[name], wanted[name], uses, clients, chosen, named, enabled), request.terms)

    organizations = await seen_organizations(cloud)
    fixed = FixScope(scope.projects, scope.parent, organizations)
    decided = await _owned(cloud, report, [one for name in wanted for one in each(name)], observer)
    plan = made(decided, fixed, cloud.now(), sandbox=cloud.sandbox, first=request.first, pause=request.pause)
    return plan, known


async def _owned(
    cloud: Cloud, report: AuditReport, decided: list[FixChange | LeftAlone], observer: Observer
) -> list[FixChange | LeftAlone]:
    """The changes with the owners of their keys, where they are not too many to ask for; of the others they are unknown."""
    names = {each.name for each in decided if isinstance(each, FixChange)}
    if not names or len(names) > OWNERS_AT_MOST:
        return decided
    about = [each for each in report.judgements if each.key is not None and each.key.name in names]
    owners = {each.key.name: each.owner for each in await owned(cloud, about, observer) if each.key is not None}

    def one(each: FixChange | LeftAlone) -> FixChange | LeftAlone:
        owner = owners.get(each.name)
        return replace(each, owner=owner.who) if isinstance(each, FixChange) and owner is not None and owner.who else each

    return list(map(one, decided))


def by_key(findings: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    """The findings about live keys that nobody accepted, by the key's full name, each key's worst first."""
    out: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.key is not None and finding.key.delete_time is None and finding.accepted is None:
            out.setdefault(finding.key.name, []).append(finding)
    return {name: tuple(sorted(each, key=lambda one: -one.severity)) for name, each in out.items()}


def _meant(name: str, findings: Sequence[Finding], request: FixRequest, named: frozenset[str]) -> bool:
    if request.keys:
        return name in named
    return findings[0].severity >= request.least


def _named(keys: Iterable[Key], texts: Sequence[str]) -> frozenset[str]:
    """The full names of the keys that `--key` names: by full name, id or display name. Raises usage()."""
    known, out = list(keys), set()
    for text in texts:
        hits = [key for key in known if text in (key.name, key.key_id, key.display_name)]
        hits += [key for key in known if text == f"projects/{key.project}/locations/global/keys/{key.key_id}"]
        if len(hits) != 1:
            what = "no key with a finding" if not hits else f"{len(hits)} keys with findings"
            raise usage(f"--key {text}: it names {what}", "write the key's full name, as the audit's JSON has it")
        out.add(hits[0].name)
    return frozenset(out)


def _facts(
    cloud: Cloud,
    key: Key,
    findings: tuple[Finding, ...],
    uses: Uses,
    clients: Mapping[str, Restrictions],
    chosen: Mapping[str, Chosen],
    named: frozenset[str],
    enabled: Mapping[str, tuple[str, ...]],
) -> KeyFacts:
    found = uses[key.project]
    return KeyFacts(
        key,
        findings,
        found if isinstance(found, Problem) else tuple(use for use in found if use.uid == key.uid),
        cloud.now(),
        clients=clients.get(key.name),
        rotations=rotations_of(chosen[key.name], cloud) if key.name in chosen else frozenset(),
        named=key.name in named,
        enabled=enabled.get(key.project),
    )


async def uses_of(cloud: Cloud, projects: Iterable[str], window: timedelta, observer: Observer) -> Uses:
    """The use of all keys of some projects, or why it is unknown. Raises Problem for missing credentials alone."""
    from keyadmin.cloud.pace import gather_limited

    names = sorted(set(projects))
    observer.total(len(names), "Reading the use of keys")

    async def one(project: str) -> list[KeyUsage] | Problem:
        try:
            return await cloud.usage.by_method(project, window)
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return problem
        finally:
            observer.advance()

    return dict(zip(names, await gather_limited(names, one, AT_ONCE), strict=True))


async def _live(cloud: Cloud, report: AuditReport, found: dict[str, tuple[Finding, ...]]) -> dict[str, tuple[Finding, ...]]:
    """The findings with their keys as they are now, where an inventory told them: what it tells may be hours old.

    Keys that are gone or have other restrictions meanwhile are left out; the next audit judges them.
    """
    from keyadmin.cloud.pace import gather_limited

    projects = sorted({each[0].project for each in found.values()} - report.listed)
    if not projects:
        return found

    async def one(project: str) -> list[Key]:
        try:
            return [key async for key in cloud.keys.list(project)]
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return []

    now = {key.name: key for keys in await gather_limited(projects, one, AT_ONCE) for key in keys}
    out: dict[str, tuple[Finding, ...]] = {}
    for name, findings in found.items():
        if findings[0].project in report.listed:
            out[name] = findings
            continue
        key, before = now.get(name), findings[0].key
        if key is not None and before is not None and key.restrictions == before.restrictions:
            out[name] = tuple(replace(each, key=replace(key, project=each.project)) for each in findings)
    return out


async def _enabled(cloud: Cloud, keys: Sequence[Key], uses: Uses) -> dict[str, tuple[str, ...]]:
    """The APIs that are on where keys of unknown use without API restriction were named by hand. Unknown = left out."""
    out: dict[str, tuple[str, ...]] = {}
    for project in sorted({key.project for key in keys if key.restricted == "none" and isinstance(uses[key.project], Problem)}):
        try:
            out[project] = tuple([name async for name in cloud.services.enabled(project)])
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
    return out


async def _chosen(cloud: Cloud, policy: RotationPolicy | None, observer: Observer) -> dict[str, Chosen]:
    """What the policy selects, by the full name of the newest key of each lineage."""
    if policy is None:
        return {}
    found = await find(cloud, policy.rules, observer)
    return {one.lineage.newest.key.name: one for one in found.chosen}


def rotations_of(chosen: Chosen, cloud: Cloud) -> frozenset[FixKind]:
    """What a rule with sinks would do with a lineage on this machine; none where nothing is due, or the sinks are another's."""
    if not chosen.specs or not chosen.rule.here or chosen.refusal is not None:
        return frozenset()
    if any(spec.sink.prints for spec in chosen.specs):
        return frozenset()  # a key string that is printed is handed over to nobody
    mark, now, out = fingerprint(chosen.specs), cloud.now(), set[FixKind]()
    terms = chosen.rule.terms()
    migrating = replace(terms, max_age=None, migrate=True)
    if to_migrate(chosen.lineage.newest.key) and next_action(chosen.lineage, migrating, now, mark).action not in _RESTING:
        out.add("migrate")
    if next_action(chosen.lineage, terms, now, mark).action not in _RESTING:
        out.add("rotate")
    return frozenset(out)


async def seen_organizations(cloud: Cloud) -> tuple[str, ...]:
    """The organisations that the caller sees; none where they may not be searched."""
    try:
        return tuple(sorted([found.name async for found in cloud.organizations.search()]))
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return ()


def lineage_holds(lineage: Lineage, name: str) -> bool:
    """Whether a key is one of the lineage's generations."""
    return any(member.key.name == name for member in lineage.members)
