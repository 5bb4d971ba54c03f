"""Finding out whose key it is: for the keys that are shown, grouped by owner or planned for change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from keyadmin.audit.owner import Owner
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.audit.judgement import KeyJudgement
    from keyadmin.cloud.audit_logs import KeyCreation
    from keyadmin.cloud.connect import Cloud

T = TypeVar("T")

LABEL: Final = "owner"
ROLE: Final = "roles/owner"
MOST_NAMED: Final = 3
_AT_ONCE: Final = 64
_SEARCH_FROM: Final = 50  # projects, from where on one search for all labels is quicker than a call for each


async def owned(cloud: Cloud, judgements: Sequence[KeyJudgement], observer: Observer) -> list[KeyJudgement]:
    """The same judgements, each with its owner.

    The label `owner` of the project, else who made the key by the audit log, else the users who are owners by the project's
    own policy. What may not be read stands in the reason. Raises Problem for missing credentials alone.
    """
    observer.step("Looking for owners")
    search = _Search(cloud)
    await search.look(judgements)
    alike: dict[Owner, Owner] = {}  # very many keys have the same one
    found = (search.of(each.project, each.key) for each in judgements)
    return [replace(each, owner=alike.setdefault(owner, owner)) for each, owner in zip(judgements, found, strict=True)]


class _Search:
    """Asks each thing once: the labels of all projects, the log of those without, the policies of those without that."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._labels: dict[str, str | Problem | None] = {}
        self._made: dict[str, KeyCreation] = {}
        self._unlogged: dict[str, Problem] = {}
        self._holders: dict[str, tuple[str, ...] | Problem] = {}
        self._now = cloud.now()

    async def look(self, judgements: Sequence[KeyJudgement]) -> None:
        projects = sorted({each.project for each in judgements})
        await self._read_labels(projects)
        unlabelled = [each for each in judgements if not isinstance(self._labels.get(each.project), str)]
        await self._read_log([each.key for each in unlabelled if each.key is not None])
        missing = {each.project for each in unlabelled if each.key is None or each.key.name not in self._made}
        await self._read_policies(sorted(missing))

    def of(self, project: str, key: Key | None) -> Owner:
        label = self._labels.get(project)
        if isinstance(label, str):
            return Owner((label,), "label", f"the label {LABEL} of the project")
        made = self._made.get(key.name) if key is not None else None
        if made is not None:
            on = f" on {made.at:%Y-%m-%d}" if made.at else ""
            return Owner((made.who,), "log", f"made the key{on}, by the audit log")
        before = self._why_no_creator(project, key)
        holders = self._holders.get(project, ())
        if isinstance(holders, tuple) and holders:
            shown = holders[:MOST_NAMED]
            more = f", the first {MOST_NAMED} of {len(holders)}" if len(holders) > MOST_NAMED else ""
            return Owner(shown, "policy", f"{ROLE} on the project{more}; {before}")
        last = _refusal(holders) if isinstance(holders, Problem) else f"no user has {ROLE} on the project itself"
        label_said = f"its labels: {_refusal(label)}" if isinstance(label, Problem) else f"the project has no label {LABEL}"
        return Owner((), "unknown", f"{label_said}; {before}; {last}")

    def _why_no_creator(self, project: str, key: Key | None) -> str:
        from keyadmin.cloud.audit_logs import KEPT

        if key is None:
            return "the finding is about the project"
        if problem := self._unlogged.get(project):
            return f"who made the key is unknown: {_refusal(problem)}"
        if key.create_time is not None and self._now - key.create_time > KEPT:
            return f"the key is older than the audit log, which is kept for {KEPT.days} days"
        return "the audit log does not say who made the key"

    async def _read_labels(self, projects: Sequence[str]) -> None:
        if len(projects) >= _SEARCH_FROM:
            found = await or_problem(self._searched(), credentials=False)
            if not isinstance(found, Problem):
                self._labels.update({name: found[name] for name in projects if name in found})
        rest = [name for name in projects if name not in self._labels]
        self._labels.update(await _each(rest, self._label))

    async def _searched(self) -> dict[str, str | None]:
        return {each.project_id: each.labels.get(LABEL) async for each in self._cloud.projects.search("state:ACTIVE")}

    async def _label(self, project: str) -> str | None:
        return (await self._cloud.projects.get(project)).labels.get(LABEL)

    async def _read_log(self, keys: Sequence[Key]) -> None:
        from keyadmin.cloud.audit_logs import KEPT

        young = [key for key in keys if key.create_time is None or self._now - key.create_time <= KEPT]
        by_project: dict[str, list[Key]] = {}
        for key in young:
            by_project.setdefault(key.project, []).append(key)
        for batch in _batches(by_project):
            await self._log_of(batch)

    async def _log_of(self, batch: Mapping[str, Sequence[Key]]) -> None:
        """One call for several projects; where that is refused, each half by itself, as one of them may be the reason."""
        wanted: dict[str, datetime | None] = {key.name: key.create_time for keys in batch.values() for key in keys}
        found = await or_problem(self._cloud.audit_logs.creations(list(batch), wanted), credentials=False)
        if not isinstance(found, Problem):
            self._made.update(found)
        elif len(batch) == 1:
            self._unlogged.update(dict.fromkeys(batch, found))
        else:
            names = sorted(batch)
            for half in (names[: len(names) // 2], names[len(names) // 2 :]):
                await self._log_of({name: batch[name] for name in half})

    async def _read_policies(self, projects: Sequence[str]) -> None:
        self._holders.update(await _each(projects, self._owners))

    async def _owners(self, project: str) -> tuple[str, ...]:
        policy = await self._cloud.projects.get_policy(f"projects/{project}")
        return tuple(users(member for each in policy.bindings if each.role == ROLE for member in each.members))


async def _each(projects: Sequence[str], ask: Callable[[str], Awaitable[T]]) -> dict[str, T | Problem]:
    """What is answered of each project, or why not. Raises Problem for missing credentials alone."""
    from keyadmin.cloud.pace import gather_limited

    async def one(project: str) -> T | Problem:
        return await or_problem(ask(project), credentials=False)

    return dict(zip(projects, await gather_limited(projects, one, _AT_ONCE), strict=True))


def users(members: Iterable[str]) -> list[str]:
    """The addresses of `user:` members, each once, in their order."""
    found = (member.removeprefix("user:") for member in members if member.startswith("user:"))
    return list(dict.fromkeys(found))


def _refusal(problem: Problem) -> str:
    return f"{problem.permission} is missing" if problem.permission else problem.message


def _batches(by_project: Mapping[str, Sequence[Key]]) -> Iterator[dict[str, list[Key]]]:
    """Parts that fit into one request each: so many projects, so many names of keys."""
    from keyadmin.cloud.audit_logs import MOST_KEYS, MOST_PROJECTS

    batch: dict[str, list[Key]] = {}
    held = 0
    for project, keys in by_project.items():
        for key in keys:
            if held == MOST_KEYS or (project not in batch and len(batch) == MOST_PROJECTS):
                yield batch
                batch, held = {}, 0
            batch.setdefault(project, []).append(key)
            held += 1
    if batch:
        yield batch
