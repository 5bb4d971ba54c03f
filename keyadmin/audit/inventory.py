"""What there is to audit: projects and keys, from Cloud Asset Inventory or by asking each project.

The inventory answers for a whole organisation in a few calls and lags by minutes. What it does not carry is not assumed:
such projects are listed through the API Keys API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from keyadmin.audit.model import Source
from keyadmin.keys.resolve import project_id
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.key_codec import key_from_json
from keyadmin.model.lineage import parse_successor
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem, usage
from keyadmin.projects.descendants import below

if TYPE_CHECKING:
    from keyadmin.cloud.assets import Asset
    from keyadmin.cloud.connect import Cloud

Inventory = Literal["auto", "api", "asset"]
INVENTORIES: Final[tuple[Inventory, ...]] = ("auto", "api", "asset")

_GEMINI_ON: Final = f"state:ENABLED AND name:*{GEMINI}*"  # as public scripts ask
_PROJECT_FIELDS: Final = "name,project,state,additionalAttributes"
_SERVICE_FIELDS: Final = "name,project,state"
_KEY_FIELDS: Final = "name,project,versionedResources"


@dataclass(frozen=True)
class AuditScope:
    """Where to look: these projects, or what lies below a folder or organisation; nothing = every project that is seen."""

    projects: tuple[str, ...] = ()
    parent: str | None = None

    @property
    def words(self) -> str:
        """For a report's heading."""
        if self.projects:
            return ", ".join(self.projects[:5]) + (f" and {len(self.projects) - 5} more" if len(self.projects) > 5 else "")
        return self.parent or "every active project that the caller sees"


@dataclass(frozen=True)
class Candidate:
    """A project to audit. `keys` None = they are to be listed; `gemini` None = not known whether the Gemini API is on;
    `apis` = of others, whether they are on, as far as that is known.
    """

    project: str
    keys: tuple[Key, ...] | None = None
    gemini: bool | None = None
    apis: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What there is. `notes` = what is to be known of how it was found out."""

    candidates: list[Candidate]
    source: Source
    notes: tuple[str, ...] = ()


async def take(cloud: Cloud, scope: AuditScope, inventory: Inventory, observer: Observer) -> Taken:
    """The projects of a scope, with what the inventory knows of their keys.

    `auto` takes the asset inventory of folders and organisations where the caller may search it. Raises Problem where the
    projects cannot be found out, or `asset` was asked for and is refused.
    """
    observer.step("Looking for projects")
    if scope.projects:
        named = tuple(dict.fromkeys([await project_id(cloud, project) for project in scope.projects]))
        if inventory == "asset":
            return await _searched(cloud, [f"projects/{project}" for project in named])
        return Taken([Candidate(project) for project in named], "api")
    if scope.parent is not None:
        return await _of_parent(cloud, scope.parent, inventory)
    return await _of_caller(cloud, inventory)


async def _of_parent(cloud: Cloud, parent: str, inventory: Inventory) -> Taken:
    notes: tuple[str, ...] = ()
    if inventory != "api":
        try:
            return await _searched(cloud, [parent])
        except Problem as problem:
            if inventory == "asset" or problem.exit is Exit.CREDENTIALS:
                raise
            notes = (_refused(parent, problem),)
    return Taken([Candidate(project) for project in sorted(await below(cloud, parent))], "api", notes)


async def _of_caller(cloud: Cloud, inventory: Inventory) -> Taken:
    """Every project that the caller sees; those of the organisations that may be searched come from there."""
    if inventory == "api":
        return Taken([Candidate(project) for project in await _seen(cloud)], "api")
    seen, tops = await asyncio.gather(_seen(cloud), _organizations(cloud))
    if inventory == "asset":
        if not tops:
            raise usage(
                "you see no organisation whose inventory could be searched",
                "name a folder or projects: --folder N, --projects A,B",
                "or ask each project: --inventory api",
            )
        return await _searched(cloud, tops)
    notes, found = [], []
    for top in tops:
        try:
            found.append(await _searched(cloud, [top]))
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            notes.append(_refused(top, problem))
    known = {candidate.project: candidate for taken in found for candidate in taken.candidates}
    rest = [Candidate(project) for project in seen if project not in known]
    notes += [note for taken in found for note in taken.notes]
    if found and rest:
        notes.append(f"{len(rest)} of the projects are in no organisation whose inventory may be searched; they were asked")
    return Taken([*known.values(), *rest], "asset" if found else "api", tuple(dict.fromkeys(notes)))


async def _seen(cloud: Cloud) -> list[str]:
    return sorted([found.project_id async for found in cloud.projects.search("state:ACTIVE")])


async def _organizations(cloud: Cloud) -> list[str]:
    try:
        return [found.name async for found in cloud.organizations.search()]
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return []  # projects outside an organisation are audited all the same


def _refused(top: str, problem: Problem) -> str:
    return f"Cloud Asset Inventory of {top} cannot be searched ({problem.cause}), so each project is asked: {problem.message}"


@dataclass
class _Found:
    """What searches answered."""

    ids: dict[str, str] = field(default_factory=dict)  # number -> id, of ACTIVE projects
    gone: set[str] = field(default_factory=set)  # numbers of other projects
    keys: dict[str, list[Key]] = field(default_factory=dict)  # by number
    bare: set[str] = field(default_factory=set)  # numbers of projects with a key that is shown by its name alone
    shown: set[str] = field(default_factory=set)  # fields that at least one key has
    gemini: set[str] = field(default_factory=set)  # numbers

    def add_project(self, asset: Asset) -> None:
        if asset.state in ("ACTIVE", ""):
            self.ids[asset.project_number] = str(asset.attributes.get("projectId") or asset.name.rpartition("/")[2])
        else:
            self.gone.add(asset.project_number)

    def add_key(self, asset: Asset) -> None:
        number = asset.project_number or asset.name.removeprefix("//apikeys.googleapis.com/").split("/")[1]
        doc = asset.resource
        if "uid" not in doc or "createTime" not in doc:
            self.bare.add(number)
            self.keys.setdefault(number, [])
            return
        self.shown.update(doc)
        key = key_from_json(doc, self.ids.get(number, number))
        self.keys.setdefault(number, []).append(key)


async def _searched(cloud: Cloud, tops: Sequence[str]) -> Taken:
    """What the inventory knows below these. Raises Problem where a search is refused."""
    from keyadmin.cloud.assets import KEY, PROJECT, SERVICE

    found = _Found()

    async def search(top: str) -> tuple[list[Asset], ...]:
        return tuple(
            await asyncio.gather(
                _all(cloud, top, PROJECT, fields=_PROJECT_FIELDS),
                _all(cloud, top, SERVICE, query=_GEMINI_ON, fields=_SERVICE_FIELDS),
                _all(cloud, top, KEY, fields=_KEY_FIELDS),
            )
        )

    for projects, services, keys in [await search(top) for top in tops]:
        for asset in projects:
            found.add_project(asset)
        found.gemini.update(asset.project_number for asset in services if asset.name.endswith(f"/{GEMINI}"))
        for asset in keys:
            found.add_key(asset)
    return _judged(found)


async def _all(cloud: Cloud, top: str, asset_type: str, **more: Any) -> list[Asset]:
    return [asset async for asset in cloud.assets.search(top, asset_type, **more)]


def _judged(found: _Found) -> Taken:
    """Candidates with what the inventory can be trusted for: fields that it shows of at least one key.

    Whether it carries all fields of a key is documented nowhere; one that no key has may be one that it never shows.
    """
    missing = {"restrictions", "serviceAccountEmail"} - found.shown
    numbers = {**dict.fromkeys(found.ids), **dict.fromkeys(number for number in found.keys if number not in found.gone)}
    candidates, asked = [], 0
    for number in numbers:
        project = found.ids.get(number, number)
        keys = tuple(replace(key, project=project) if key.project != project else key for key in found.keys.get(number, ()))
        again = number in found.bare or (bool(missing) and _live(keys)) or ("annotations" not in found.shown and _rotated(keys))
        asked += again
        # No project at all with the API on may mean that the inventory does not show services.
        gemini = number in found.gemini if found.gemini else None
        candidates.append(Candidate(project, None if again else keys, gemini))
    notes = ["projects and keys are from Cloud Asset Inventory, which lags behind by minutes"]
    if asked:
        notes.append(f"the inventory does not show all that the rules look at, so the keys of {asked} projects were listed")
    elif found.keys and "deleteTime" not in found.shown:
        notes.append("the inventory shows no deleted key; --inventory api says whether there are some")
    return Taken(sorted(candidates, key=lambda each: each.project), "asset", tuple(notes))


def _live(keys: Iterable[Key]) -> bool:
    return any(key.delete_time is None for key in keys)


def _rotated(keys: Iterable[Key]) -> bool:
    """Whether a rotation made one of these: then its annotations matter."""
    return any(parse_successor(key.key_id) for key in keys)
