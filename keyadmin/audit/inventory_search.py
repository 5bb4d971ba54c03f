"""Projects and keys as Cloud Asset Inventory knows them, and what it can be trusted for.

Whether a search carries all fields of a key is documented nowhere; one that no key has may be one that it never shows. Then
the keys are listed with their resources (assets.list), and where that may not be, or shows no more, project by project.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from keyadmin.audit.candidates import Candidate, Taken
from keyadmin.audit.known import LAG
from keyadmin.model.key import GEMINI, Key, Restrictions
from keyadmin.model.lineage import parse_successor
from keyadmin.model.problem import Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

LAGGING: Final = f"projects and keys are from Cloud Asset Inventory, which lags behind by {LAG}"
_PROJECT_FIELDS: Final = "name,project,state,additionalAttributes"
_NEEDED: Final = frozenset({"restrictions", "serviceAccountEmail"})


async def searched(cloud: Cloud, tops: Sequence[str]) -> Taken:
    """What the inventory knows below these. Raises Problem where a search is refused."""
    search = _Search(cloud, tops)
    await search.look()
    return search.taken()


@dataclass
class _Keys:
    """The keys that were shown, by the number of their project."""

    by_number: dict[str, list[Key]] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)  # numbers of projects with a key that is shown by its name alone
    shown: set[str] = field(default_factory=set)  # fields that at least one key has

    def add(self, number: str, key: Key | None) -> None:
        kept = self.by_number.setdefault(number, [])
        if key is None:
            self.bare.add(number)
            return
        kept.append(key)
        if len(self.shown) < _FIELDS:
            self.shown.update(_shown(key))

    def doubted(self, number: str) -> bool:
        """Whether what is shown of a project's keys may not be all that the rules look at."""
        keys = self.by_number.get(number, ())
        if number in self.bare or (not self.shown >= _NEEDED and any(key.delete_time is None for key in keys)):
            return True
        return "annotations" not in self.shown and _rotated(keys)

    @property
    def any_doubted(self) -> bool:
        return any(map(self.doubted, self.by_number))


_FIELDS: Final = 4
_NOTHING: Final[dict[str, bool]] = {}


def _shown(key: Key) -> Iterable[str]:
    if key.restrictions.client_kind or key.restrictions.targets:
        yield "restrictions"
    if key.service_account_email:
        yield "serviceAccountEmail"
    if key.annotations:
        yield "annotations"
    if key.delete_time is not None:
        yield "deleteTime"


class _Search:
    """Searches for projects, for keys, and for the APIs that keys are for, all at once."""

    def __init__(self, cloud: Cloud, tops: Sequence[str]) -> None:
        self._cloud = cloud
        self._tops = tops
        self._ids: dict[str, str] = {}  # number -> id, of ACTIVE projects
        self._gone: set[str] = set()  # numbers of other projects
        self._keys = _Keys()
        self._on: dict[str, set[str]] = {}  # numbers of the projects that an API is on in
        self._targets: dict[int, Restrictions] = {}  # those that were seen, by their place in memory: many keys share theirs
        self._apis: list[asyncio.Task[None]] = []
        self._notes: list[str] = [LAGGING]

    async def look(self) -> None:
        """Raises Problem where a search is refused."""
        self._ask_for(GEMINI)
        try:
            for top in self._tops:
                await asyncio.gather(self._projects(top), self._searched_keys(top))
            if self._keys.any_doubted:
                await self._list()
            while self._apis:
                await self._apis.pop()
        finally:
            for task in self._apis:
                task.cancel()

    async def _projects(self, top: str) -> None:
        from keyadmin.cloud.assets import PROJECT

        async for asset in self._cloud.assets.search(top, PROJECT, fields=_PROJECT_FIELDS):
            if asset.state in ("ACTIVE", ""):
                self._ids[asset.project_number] = str(asset.attributes.get("projectId") or asset.name.rpartition("/")[2])
            else:
                self._gone.add(asset.project_number)

    async def _searched_keys(self, top: str) -> None:
        async for page in self._cloud.assets.keys(top, self._ids):
            for number, key in page:
                self._keys.add(number, key)
                if key is not None and id(key.restrictions) not in self._targets:
                    self._ask_for_targets(key)

    def _ask_for_targets(self, key: Key) -> None:
        self._targets[id(key.restrictions)] = key.restrictions
        for service in key.restrictions.services:
            self._ask_for(service)

    def _ask_for(self, service: str) -> None:
        if service not in self._on:
            self._on[service] = set()
            self._apis.append(asyncio.create_task(self._enabled(service)))

    async def _enabled(self, service: str) -> None:
        for top in self._tops:
            async for page in self._cloud.assets.enabled(top, service):
                self._on[service].update(page)

    async def _list(self) -> None:
        """The keys with their resources, in place of what the search showed of them."""
        found = _Keys()
        try:
            for top in self._tops:
                async for page in self._cloud.assets.keys(top, self._ids, listed=True):
                    for number, key in page:
                        found.add(number, key)
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            self._notes.append(f"assets.list would show more of the keys than the search did, and may not be asked: {problem}")
            return
        self._keys = found
        for keys in found.by_number.values():
            for key in keys:
                self._ask_for_targets(key)
        self._notes.append("the search did not show all that the rules need, so the keys are from assets.list")

    def taken(self) -> Taken:
        """Candidates with what the inventory can be trusted for."""
        numbers = {**dict.fromkeys(self._ids), **dict.fromkeys(each for each in self._keys.by_number if each not in self._gone)}
        candidates = [self._candidate(number) for number in numbers]
        asked = sum(each.keys is None for each in candidates)
        if asked:
            what = f"the inventory does not show all that the rules need, so the keys of {asked} projects were listed"
            self._notes.append(f"{what} one by one")
        elif self._keys.by_number and "deleteTime" not in self._keys.shown:
            self._notes.append("the inventory shows no deleted key; --inventory api says whether there are some")
        deleted = "deleteTime" in self._keys.shown or asked == len(candidates) > 0
        return Taken(sorted(candidates, key=_by_project), "asset", tuple(self._notes), deleted)

    def _candidate(self, number: str) -> Candidate:
        project = self._ids.get(number, number)
        keys = self._keys.by_number.get(number, [])
        placed = tuple(replace(key, project=project) if key.project != project else key for key in keys)
        apis = {
            service: on for service in _targets(keys) if service != GEMINI and (on := self._is_on(service, number)) is not None
        }
        again = self._keys.doubted(number)
        return Candidate(project, None if again else placed, self._is_on(GEMINI, number), apis or _NOTHING)

    def _is_on(self, service: str, number: str) -> bool | None:
        """None = unknown: no project at all with it on may mean that the inventory does not show services."""
        numbers = self._on.get(service)
        return number in numbers if numbers else None


def _targets(keys: Iterable[Key]) -> set[str]:
    return {service for key in keys for service in key.restrictions.services}


def _by_project(candidate: Candidate) -> str:
    return candidate.project


def _rotated(keys: Iterable[Key]) -> bool:
    """Whether a rotation made one of these: then its annotations matter."""
    return any(parse_successor(key.key_id) for key in keys)
