"""Finding the lineages that a policy is about: over named projects, patterns, folders and organisations."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from keyadmin.handover.sink import SinkSpec
from keyadmin.observer import Observer
from keyadmin.problem import Cause, Exit, Problem, usage
from keyadmin.projects.below import below
from keyadmin.rotation.lineage import Lineage, read
from keyadmin.rotation.policy import Rule, rule_for
from keyadmin.rotation.shard import Shard, check_sinks

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 256


@dataclass(frozen=True)
class Chosen:
    """A lineage with the rule that it falls under and its sinks."""

    lineage: Lineage
    rule: Rule
    specs: tuple[SinkSpec, ...]


@dataclass
class Found:
    """What a policy is about. `errors` = projects that could not be looked at and rules that find none, with the reason."""

    chosen: list[Chosen] = field(default_factory=list)
    errors: dict[str, Problem] = field(default_factory=dict)
    projects: int = 0


async def find(cloud: Cloud, rules: Sequence[Rule], observer: Observer, part: Shard | None = None) -> Found:
    """All lineages that the rules select. A project that cannot be read stops nothing: it is in `errors`.

    Raises Problem where the projects themselves cannot be found out, or two keys would go to one sink.
    """
    observer.step("Looking for projects")
    by_project = await _projects(cloud, rules)
    found = Found(errors=_in_vain(rules, by_project))
    if part is not None and part.count > 1:
        check_sinks(by_project)
    by_project = {project: its for project, its in by_project.items() if part is None or part.has(project)}
    found.projects = len(by_project)
    if by_project:
        observer.total(len(by_project), "projects", cloud.forecast(reads=len(by_project)))
    from keyadmin.cloud.pace import gather_limited

    async def one(project: str) -> list[Lineage] | Problem:
        try:
            return read([key async for key in cloud.keys.list(project, deleted=True)], project)
        except Problem as problem:
            return problem
        finally:
            observer.advance()

    for project, answer in zip(by_project, await gather_limited(list(by_project), one, AT_ONCE), strict=True):
        if isinstance(answer, Problem):
            found.errors[project] = answer
        else:
            found.chosen.extend(_choose(answer, by_project[project], cloud))
    _one_sink_each(found.chosen)
    return found


def _in_vain(rules: Sequence[Rule], by_project: Mapping[str, Sequence[Rule]]) -> dict[str, Problem]:
    """Rules that find no project: a wrong pattern, or leave that was taken away; either would go unnoticed for long."""
    found = [rule for its in by_project.values() for rule in its]
    message = "it finds no project that you may see"
    return {f"the rule {rule.name!r}": Problem(Cause.NOT_FOUND, message) for rule in rules if rule not in found}


async def of_lineage(cloud: Cloud, rules: Sequence[Rule], lineage: Lineage) -> Chosen | None:
    """The rule that one lineage falls under, and its sinks; None where no rule selects it. Raises Problem."""
    for rule in rules:
        if rule.selects(lineage, cloud.now()) and lineage.project in await _projects(cloud, [rule]):
            return Chosen(lineage, rule, tuple(rule.specs(lineage)))
    return None


def _choose(lineages: Sequence[Lineage], rules: Sequence[Rule], cloud: Cloud) -> list[Chosen]:
    out = []
    for lineage in lineages:
        if not any(member.live for member in lineage.members):
            continue
        rule = rule_for(rules, lineage, cloud.now())
        if rule is not None:
            out.append(Chosen(lineage, rule, tuple(rule.specs(lineage))))
    return out


def _one_sink_each(chosen: Sequence[Chosen]) -> None:
    """Two keys in one sink would overwrite each other for ever."""
    owners: dict[str, Chosen] = {}
    for one in chosen:
        for spec in one.specs:
            if spec.text == "stdout":
                continue
            other = owners.setdefault(spec.place, one)
            if other is not one:
                ours, theirs = one.lineage.newest.key, other.lineage.newest.key
                raise Problem(
                    Cause.INVALID_ARGUMENT,
                    f"two keys would go to the sink {spec.text}: {theirs.name} and {ours.name}",
                    fix=("select one of them (keys = [...]), or put {lineage} or {name} into the sink",),
                    exit_code=Exit.USAGE,
                )


async def _projects(cloud: Cloud, rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    """The projects to look at, each with the rules that look there, in the order of the rules."""
    out: dict[str, list[Rule]] = {}

    def add(project: str, rule: Rule) -> None:
        known = out.setdefault(project, [])
        if rule not in known:
            known.append(rule)

    seen: list[str] | None = None
    for rule in rules:
        for pattern in rule.projects:
            if not any(sign in pattern for sign in "*?["):
                add(pattern, rule)
                continue
            if seen is None:
                seen = sorted([project.project_id async for project in cloud.projects.search("state:ACTIVE")])
            for project in seen:
                if fnmatch.fnmatchcase(project, pattern):
                    add(project, rule)
        for above in (*rule.folders, *rule.organizations):
            for project in sorted(await below(cloud, above)):
                add(project, rule)
    return out


def only(chosen: Collection[Chosen], names: Sequence[str]) -> list[Chosen]:
    """Those whose lineage, key id, key name or display name is among the names. Raises usage() for a name that fits nothing."""
    out: dict[str, Chosen] = {}
    for name in names:
        hits = [
            one
            for one in chosen
            if name in (one.lineage.id, one.lineage.project)
            or any(name in (m.key.key_id, m.key.name, m.key.display_name) for m in one.lineage.members)
        ]
        if not hits:
            raise usage(f"--only {name}: the policy selects no such lineage, key or project", "keyadmin rotation plan")
        out |= {f"{one.lineage.project}/{one.lineage.id}": one for one in hits}
    return list(out.values())
