"""The keys of one project or of all that the caller sees, and what of them is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from keyadmin.keys import ai_studio
from keyadmin.keys import filter as language
from keyadmin.keys.denial import told_apart
from keyadmin.keys.present import as_json
from keyadmin.keys.resolve import project_id
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class Listed:
    """Keys, and the projects whose keys could not be listed with the reason."""

    keys: list[Key]
    failed: dict[str, Problem] = field(default_factory=dict)


async def of_project(cloud: Cloud, project: str, *, deleted: bool = False) -> Listed:
    """One project's keys, in the order of the API. Raises Problem."""
    shown = await project_id(cloud, project)
    try:
        return Listed([replace(key, project=shown) async for key in cloud.keys.list(project, deleted=deleted)])
    except Problem as problem:
        raise await told_apart(cloud, shown, problem) from None


async def of_all(cloud: Cloud, observer: Observer, *, deleted: bool = False) -> Listed:
    """The keys of every ACTIVE project the caller sees, by project id. One that cannot be listed does not end the rest."""
    from keyadmin.cloud.pace import gather_limited

    observer.step("Looking for projects")
    projects = sorted([found.project_id async for found in cloud.projects.search("state:ACTIVE")])
    observer.total(len(projects), "Listing keys", cloud.forecast(reads=len(projects)))
    failed: dict[str, Problem] = {}

    async def one(project: str) -> list[Key]:
        try:
            return [replace(key, project=project) async for key in cloud.keys.list(project, deleted=deleted)]
        except Problem as problem:
            failed[project] = problem
            return []
        finally:
            observer.advance()

    lists = await gather_limited(projects, one)
    return Listed([key for keys in lists for key in keys], failed)


@dataclass(frozen=True)
class ListOptions:
    """What of the keys is wanted. `everything` lifts AI Studio's limit and filter. Raises usage() when made of nonsense."""

    everything: bool = False
    limit: int | None = None
    filter: str | None = None
    sort: str | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise usage(f"--limit is {self.limit}: at least 1 key is listed")
        if self.filter is not None:
            language.predicate(self.filter)
        if self.sort is not None:
            language.sort_fields(self.sort)

    def of(self, keys: Iterable[Key], now: datetime) -> ai_studio.Shown:
        """Filtered, sorted, then cut to AI Studio's view (or not) and to the limit. `now` = the server's time, for ages."""
        record = _records(now)
        found = list(keys)
        if self.filter is not None:
            fits = language.predicate(self.filter)
            found = [key for key in found if fits(record(key), now)]
        if self.sort is not None:
            found = language.ordered(found, self.sort, now, record)
        shown = ai_studio.Shown(found) if self.everything else ai_studio.shown(found)
        return shown if self.limit is None else shown.cut(self.limit)


def _records(now: datetime) -> Callable[[Key], language.Record]:
    return lambda key: as_json(key, sandbox=False, now=now)
