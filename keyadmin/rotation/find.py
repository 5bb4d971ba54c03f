"""Finding the lineages that a policy is about: over named projects, patterns, folders and organisations."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from keyadmin.handover.sink import SinkSpec
from keyadmin.keys import resolve
from keyadmin.keys.denial import told_apart
from keyadmin.model.causes.table import entry
from keyadmin.model.command_line import typed
from keyadmin.model.lineage import Lineage, read
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Exit, Problem, usage
from keyadmin.projects import parents
from keyadmin.projects.descendants import below
from keyadmin.rotation.policy import PolicyRule, is_pattern, rule_for
from keyadmin.rotation.shard import Shard, check_sinks, shared_sink

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 256


@dataclass(frozen=True)
class Chosen:
    """A lineage with the rule that it falls under and its sinks."""

    lineage: Lineage
    rule: PolicyRule
    specs: tuple[SinkSpec, ...]
    refusal: Problem | None = None
    """Why nothing may be done with it: its sinks are another key's too, or it cannot be told which rule it falls under."""


@dataclass
class Selection:
    """What a policy is about. `errors` = projects that could not be checked and rules that find none, with the reason."""

    chosen: list[Chosen] = field(default_factory=list)
    errors: dict[str, Problem] = field(default_factory=dict)
    projects: int = 0
    keys: dict[str, int] = field(default_factory=dict)
    """How many keys each project has; deleted ones do not count."""
    unselected: int = 0
    """How many lineages of these projects no rule selects: who may change a key may change what selects it, too."""


async def find(
    cloud: Cloud, rules: Sequence[PolicyRule], observer: Observer, part: Shard | None = None, project: str | None = None
) -> Selection:
    """All lineages that the rules select, or those of one `project`. A project that cannot be read stops nothing: it is in
    `errors`.

    A rule whose projects cannot be found out stops only the keys that might fall under it, unless nothing is left to look at.
    Raises Problem: that, two keys would go to one sink, or the rules do not look at `project`.
    """
    from keyadmin.cloud.pace import Eager

    async def one(name: str) -> list[Lineage] | Problem:
        try:
            return read([key async for key in cloud.keys.list(name, deleted=True)], name)
        except Problem as problem:
            return await told_apart(cloud, name, problem)
        finally:
            observer.advance()

    observer.step("Looking for projects")
    async with Eager(one, AT_ONCE) as looks:

        def known(name: str) -> None:
            """Its keys are listed while projects are still being looked for."""
            if project is None and (part is None or part.has(name)):
                looks.start(name)

        by_project, errors = await _projects(cloud, rules, known)
        found = Selection(errors=errors | _in_vain([rule for rule in rules if _place(rule) not in errors], by_project))
        if part is not None and part.count > 1:
            check_sinks(by_project)
        if project is not None:
            project = await _looked_at(cloud, by_project, errors, project)
            if shared_sink(by_project) is None:  # else the others are looked at too: one of them may have the same sink
                by_project = {project: by_project[project]}
        by_project = {name: its for name, its in by_project.items() if part is None or part.has(name)}
        found.projects = len(by_project)
        if by_project:
            observer.total(len(by_project), "projects", cloud.forecast(reads=len(by_project) - len(looks.started)))
            observer.advance(len(by_project.keys() & looks.done.keys()))
        answers = dict(zip(by_project, await looks.results(list(by_project)), strict=True))
    for name, (its, answer) in _told_apart_by_number(rules, by_project, answers).items():
        if isinstance(answer, Problem):
            found.errors[name] = answer
        else:
            found.keys[name] = sum(member.live for lineage in answer for member in lineage.members)
            candidates = [rule for rule in rules if rule in its or _place(rule) in errors] if errors else its
            chosen = _choose(answer, its, candidates, cloud)
            found.unselected += sum(any(member.live for member in one.members) for one in answer) - len(chosen)
            found.chosen.extend(chosen)
    _nothing_read(found, by_project)
    found.chosen = _one_sink_each(found.chosen)
    return found if project is None else _within(found, project, errors)


Listed = list[Lineage] | Problem


def _told_apart_by_number(
    rules: Sequence[PolicyRule], by_project: Mapping[str, Sequence[PolicyRule]], answers: Mapping[str, Listed]
) -> dict[str, tuple[list[PolicyRule], Listed]]:
    """Each project once, with all rules that look there in their order, though one names it by its number and one by its id.

    Numbers that could not be looked up are found out by the keys, which bear their project's.
    """
    names: dict[str, str] = {}  # by number, the name that is used: the id where it is known
    for name in sorted(by_project, key=str.isdigit):
        names.setdefault(_number(name, answers[name]), name)
    out: dict[str, tuple[list[PolicyRule], Listed]] = {}
    for name in by_project:
        used = names[_number(name, answers[name])]
        own = [*(out[used][0] if used in out else ()), *by_project[name]]
        out[used] = ([rule for rule in rules if rule in own], answers[used])
    return out


def _number(name: str, answer: Listed) -> str:
    """A project's number as its keys tell it; else its name, which is its number where that could not be looked up."""
    found = () if isinstance(answer, Problem) else (lineage.newest.key.project_number for lineage in answer)
    return next((number for number in found if number), None) or name


def _within(found: Selection, project: str, errors: Mapping[str, Problem]) -> Selection:
    """What was found in one project, and the rules that failed: one of them may look there."""
    own = {place: problem for place, problem in found.errors.items() if place == project or place in errors}
    chosen = [one for one in found.chosen if one.lineage.project == project]
    return Selection(chosen, own, 1, {name: count for name, count in found.keys.items() if name == project})


def _nothing_read(found: Selection, by_project: Collection[str]) -> None:
    """Raises the first Problem where no project could be read for want of credentials or of an answer at all."""
    problems = [found.errors[project] for project in by_project if project in found.errors]
    everywhere = problems and len(problems) == len(by_project)
    if everywhere and all(p.exit is Exit.CREDENTIALS or entry(p.cause).unanswered for p in problems):
        raise problems[0]


def _in_vain(rules: Sequence[PolicyRule], by_project: Mapping[str, Sequence[PolicyRule]]) -> dict[str, Problem]:
    """Rules that find no project: a wrong pattern, or leave that was taken away; either would go unnoticed for long."""
    found = [rule for its in by_project.values() for rule in its]
    problem = Problem(
        Cause.NOT_FOUND,
        "it finds no project that you may see",
        fix=(f"{typed('projects list', all_=True)}    # the projects that this account sees", "correct what the rule selects"),
    )
    return {_place(rule): problem for rule in rules if rule not in found}


def _place(rule: PolicyRule) -> str:
    """How a rule is called where something is wrong with it."""
    return f"the rule {rule.name!r}"


async def of_lineage(cloud: Cloud, rules: Sequence[PolicyRule], lineage: Lineage) -> Chosen | None:
    """The rule that one lineage falls under, and its sinks; None where no rule selects it. Raises Problem."""
    for rule in rules:
        if rule.selects(lineage, cloud.now()):
            by_project, errors = await _projects(cloud, [rule])
            if lineage.project in by_project or lineage.newest.key.project_number in by_project:
                return Chosen(lineage, rule, tuple(rule.specs(lineage)))
            if errors:
                raise errors[_place(rule)]
    return None


def _choose(
    lineages: Sequence[Lineage], rules: Sequence[PolicyRule], candidates: Sequence[PolicyRule], cloud: Cloud
) -> list[Chosen]:
    """The lineages that `rules` select. `candidates` = these, and those that may look at the project, in the policy's order."""
    out = []
    for lineage in sorted(lineages, key=lambda one: (one.newest.key.display_name.casefold(), one.id)):
        if not any(member.live for member in lineage.members):
            continue
        rule = rule_for(rules, lineage, cloud.now())
        if rule is not None:
            first = rule_for(candidates, lineage, cloud.now())
            refusal = _undecided(first) if first is not None and first is not rule else None
            out.append(Chosen(lineage, rule, tuple(rule.specs(lineage)), refusal))
    return out


def _undecided(rule: PolicyRule) -> Problem:
    """Another rule's sinks and times are not taken for those of a rule that comes first: the key would go astray."""
    return Problem(
        Cause.CONFLICT,
        f"it may fall under {_place(rule)}, which comes first and whose projects could not be found out",
        fix=(f"see why: {typed('rotation plan')}", "fix that, or correct or remove the rule"),
    )


def _one_sink_each(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Two keys in one sink would overwrite each other for ever: these are marked, and the others go on.

    Raises Problem where there are no others: the policy has one sink for all.
    """
    owners: dict[str, list[tuple[Chosen, str, SinkSpec]]] = {}
    ids = {one.lineage.newest.key.project_number: one.lineage.project for one in chosen}
    for one in chosen:
        for template, spec in zip(one.rule.sinks, one.specs, strict=True):
            if spec.place is None:
                continue
            sharing = owners.setdefault(_place_of(spec.place, ids), [])
            if all(other is not one for other, _, _ in sharing):
                sharing.append((one, template, spec))
    clashes: dict[int, Problem] = {}
    fixed: list[Problem] = []
    for sharing in owners.values():
        if len(sharing) < 2:
            continue
        names = " and ".join(one.lineage.newest.key.name for one, _, _ in sharing[:2])
        text = f"two keys would go to the sink {sharing[0][2].text}: {names}"
        by_name = all("{name}" in template for _, template, _ in sharing)
        found = {id(one): _clash(one, text, by_name=by_name) for one, _, _ in sharing}
        fixed += [] if by_name else list(found.values())[:1]
        clashes |= found
    if fixed and len(clashes) == len(chosen):
        raise replace(fixed[0], cause=Cause.INVALID_ARGUMENT, exit_code=Exit.USAGE)
    return [replace(one, refusal=one.refusal or clashes.get(id(one))) for one in chosen]


def _place_of(place: str, ids: Mapping[str, str]) -> str:
    """What a sink occupies, its project by its id where that is known."""
    return re.sub(r"\bprojects/([0-9]+)/", lambda found: f"projects/{ids.get(found[1], found[1])}/", place)


def _clash(one: Chosen, text: str, *, by_name: bool) -> Problem:
    """`by_name` = it is because they bear the same name."""
    key = one.lineage.newest.key
    ways: tuple[str, ...] = ("select one of them (keys = [...]), or put {lineage} or {name} into the sink",)
    if by_name:
        ways = (
            f"give it a name of its own: {typed('keys rename', key.key_id, 'NEW_NAME', project=one.lineage.project)}",
            "or put {lineage} into the sink of the policy, or select one of them (keys = [...])",
        )
    return Problem(Cause.CONFLICT, text, fix=ways)


async def _projects(
    cloud: Cloud, rules: Sequence[PolicyRule], known: Callable[[str], None] = lambda _: None
) -> tuple[dict[str, list[PolicyRule]], dict[str, Problem]]:
    """The projects to look at, each with the rules that look there, in the order of the rules; and the rules that fail.

    `known` is told of each as soon as it is found. Raises Problem where nothing is left to look at because of them.
    """
    out: dict[str, list[PolicyRule]] = {}
    errors: dict[str, Problem] = {}
    ids = await _ids(cloud, rules)
    seen: list[str] | None = None
    for rule in rules:
        places = [pattern for pattern in rule.projects if not is_pattern(pattern)]
        try:
            if len(places) < len(rule.projects):
                if seen is None:
                    seen = await _seen(cloud, rules, known)
                places = _matching(rule.projects, seen)
            for kind, names in (("folders", rule.folders), ("organizations", rule.organizations)):
                for name in names:  # numbers, but for a name on the command line
                    places += sorted(await below(cloud, await parents.find(cloud, name, kind), known))
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            errors[_place(rule)] = problem
        for project in dict.fromkeys(ids.get(place, place) for place in places):
            out.setdefault(project, []).append(rule)
    if errors and not out:
        raise next(iter(errors.values()))
    return out, errors


async def _ids(cloud: Cloud, rules: Sequence[PolicyRule]) -> dict[str, str]:
    """The ids of the projects that rules name by their numbers, as far as the caller may look them up."""
    from keyadmin.cloud.pace import gather_limited

    async def one(number: str) -> str:
        return await resolve.project_id(cloud, number)

    numbers = list(dict.fromkeys(name for rule in rules for name in rule.projects if name.isdigit()))
    return dict(zip(numbers, await gather_limited(numbers, one), strict=True)) if numbers else {}


async def _seen(cloud: Cloud, rules: Sequence[PolicyRule], known: Callable[[str], None]) -> list[str]:
    """The projects that the caller sees; `known` is told of those that a pattern of some rule fits."""
    patterns = {pattern for rule in rules for pattern in rule.projects if is_pattern(pattern)}
    seen = []
    async for project in cloud.projects.search("state:ACTIVE"):
        seen.append(project.project_id)
        if any(fnmatch.fnmatchcase(project.project_id, pattern) for pattern in patterns):
            known(project.project_id)
    return sorted(seen)


async def _looked_at(cloud: Cloud, by_project: Collection[str], errors: Mapping[str, Problem], project: str) -> str:
    """A project, given by its id or number, as the rules name it. Raises Problem where none looks at it."""
    if project not in by_project:
        known = await cloud.projects.get(project)
        project = next((name for name in (known.project_id, known.number) if name in by_project), project)
    if project in by_project:
        return project
    for problem in errors.values():
        raise problem
    raise usage(f"no rule of the policy looks at the project {project}", f"{typed('rotation plan')}    # without --project")


def _matching(patterns: Sequence[str], seen: Sequence[str]) -> list[str]:
    """The projects in the order of the patterns; an id that is written out need not be seen."""
    out: list[str] = []
    for pattern in patterns:
        out += [one for one in seen if fnmatch.fnmatchcase(one, pattern)] if is_pattern(pattern) else [pattern]
    return out


def only(chosen: Collection[Chosen], names: Sequence[str]) -> list[Chosen]:
    """Those whose lineage, key id, key name or display name is among the names. Raises usage() for a name that fits nothing."""
    out: dict[str, Chosen] = {}
    for name in names:
        hits = [
            one
            for one in chosen
            if name in (one.lineage.id, one.lineage.project, one.lineage.newest.key.project_number)
            or any(name in (m.key.key_id, m.key.name, m.key.display_name) for m in one.lineage.members)
        ]
        if not hits:
            raise usage(f"--only {name}: the policy selects no such lineage, key or project", typed("rotation plan"))
        out |= {f"{one.lineage.project}/{one.lineage.id}": one for one in hits}
    return list(out.values())
