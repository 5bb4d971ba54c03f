"""Making projects: side by side, with the APIs that keys need, and the first key if wanted. Run again, it finishes the rest."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from keyadmin.access.permissions import API_KEYS
from keyadmin.keys import exposure, provision
from keyadmin.keys.preflight import unrestricted
from keyadmin.keys.provision import CreateResult, KeySpec
from keyadmin.keys.retry_until import retry_until
from keyadmin.model.causes.table import entry
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem, or_problem
from keyadmin.projects import names
from keyadmin.projects.denied import explained, foreseen

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project
    from keyadmin.local.creations import Creations, Run

T = TypeVar("T")
Exposing = Mapping[str, Collection[str]]  # of projects by id: the keys without API restriction that were agreed to

AT_ONCE: Final = 10  # "a maximum of 10 project at a time" (the page, Limitations)
APIS: Final = (GEMINI, API_KEYS)
NEW_PROJECT_S: Final = 20.0  # unsourced: how long the owner of a new project may not be known to every service
_IDS_TRIED: Final = 3


@dataclass(frozen=True)
class Wanted:
    """A project to be made. No id = one is chosen. `parent` = folders/N, organizations/N or nothing; `row` of a file."""

    project_id: str = ""
    display_name: str = ""
    parent: str = ""
    row: int | None = None

    @property
    def label(self) -> str:
        """For messages."""
        return self.project_id if self.row is None else f"row {self.row} ({self.project_id})"


@dataclass(frozen=True)
class CreateOutcome:
    """What came of one. `made` = by this run or an earlier one of the same; `problem` = what is still to be done."""

    wanted: Wanted
    project: Project | None = None
    was_there: bool = False
    key: CreateResult | None = None
    problem: Problem | None = None


def request_of(wanted: Sequence[Wanted], key_name: str | None) -> list[object]:
    """What two runs have to have in common for the second to go on with the first."""
    return [[[each.project_id, each.display_name, each.parent] for each in wanted], key_name or ""]


def chosen_ids(wanted: Sequence[Wanted]) -> list[str]:
    """An id for each: its own, or a new one in AI Studio's style."""
    return [each.project_id or names.new_id() for each in wanted]


async def create(
    cloud: Cloud,
    wanted: Sequence[Wanted],
    key_name: str | None,
    creations: Creations,
    run: Run,
    observer: Observer,
    *,
    exposing: Exposing | None,
) -> list[CreateOutcome]:
    """All of them, side by side; one that fails leaves the others. `run` holds the ids, in the order of `wanted`.

    `exposing` = beside which open keys Gemini may be switched on in projects that were there; None = whichever they are. A
    GeminiExposure as an outcome's problem says which would have to be agreed to.
    """
    alone = len(wanted) == 1
    maker = _Maker(cloud, key_name, creations, run, observer, observer if alone else _Quiet(observer), exposing)
    if alone:
        observer.step(f"Creating project {run.ids[0]}")
    else:
        observer.total(len(wanted), "Creating projects")
    with_ids = [replace(each, project_id=project_id) for each, project_id in zip(wanted, run.ids, strict=True)]
    generated = [not each.project_id for each in wanted]
    outcomes = await asyncio.gather(*map(maker.make, with_ids, generated))
    if all(each.problem is None for each in outcomes):
        run.finish()
    return outcomes


async def foresee(cloud: Cloud, wanted: Sequence[Wanted], creations: Creations) -> list[CreateOutcome]:
    """What `create` would be refused for, as far as reads can tell: an id that is taken, a parent that takes no projects."""

    async def one(each: Wanted) -> CreateOutcome:
        found = await or_problem(cloud.projects.get(each.project_id)) if each.project_id else None
        if isinstance(found, Problem) or found is None:
            return CreateOutcome(each, problem=await foreseen(cloud, each.project_id or None, each.parent))
        mine = found.state == "ACTIVE" and creations.owns(found.project_id, found.create_time)
        return CreateOutcome(each, was_there=mine, problem=None if mine else _taken(each.project_id, found))

    return list(await asyncio.gather(*map(one, wanted)))


class _Quiet(Observer):
    """For what several do at once: their steps would overwrite each other; warnings and half-made things are passed on."""

    def __init__(self, outer: Observer) -> None:
        super().__init__()
        self._half_made = outer._half_made  # the same list: an interruption finds there what all of them left
        self._outer = outer

    def warning(self, text: str) -> None:
        self._outer.warning(text)


@dataclass
class _Maker:
    cloud: Cloud
    key_name: str | None
    creations: Creations
    run: Run
    observer: Observer
    inner: Observer  # for the steps within one project
    exposing: Exposing | None

    async def make(self, wanted: Wanted, generated: bool) -> CreateOutcome:
        """One project and what belongs to it."""
        outcome = CreateOutcome(wanted)
        try:
            with self.observer.half_made(f"project {wanted.label}: run the same command again to go on"):
                try:
                    outcome = await self._project(wanted, generated)
                    assert outcome.project is not None
                    await self._enable(outcome)
                    if self.key_name is not None:
                        outcome = replace(outcome, key=await self._key(outcome, self.key_name))
                except Problem as problem:
                    return replace(outcome, problem=problem)
        finally:
            self.observer.advance()
        return replace(outcome, problem=outcome.key.problem if outcome.key else None)

    async def _project(self, wanted: Wanted, generated: bool) -> CreateOutcome:
        for attempt in range(_IDS_TRIED):
            try:
                made = await self.cloud.projects.create(
                    wanted.project_id, display_name=wanted.display_name, parent=wanted.parent
                )
                return CreateOutcome(wanted, made)
            except Problem as problem:
                if problem.cause is Cause.MISSING_IAM_PERMISSION:
                    raise await explained(self.cloud, problem, wanted.parent) from None
                if problem.cause is not Cause.ALREADY_EXISTS:
                    raise
                found = await self._seen(wanted.project_id)
                if found is not None and self.creations.owns(found.project_id, found.create_time) and found.state == "ACTIVE":
                    return CreateOutcome(wanted, found, was_there=True)
                if not generated or attempt == _IDS_TRIED - 1:
                    raise _taken(wanted.project_id, found) from problem
            other = names.new_id()
            self.run.swap(wanted.project_id, other)
            wanted = replace(wanted, project_id=other)
        raise AssertionError("unreachable")

    async def _seen(self, project_id: str) -> Project | None:
        try:
            return await self.cloud.projects.get(project_id)
        except Problem:
            return None  # somebody else's: what create said stands

    async def _enable(self, outcome: CreateOutcome) -> None:
        project = outcome.wanted.project_id
        if outcome.was_there and self.exposing is not None:
            await _refuse_exposure(self.cloud, project, self.exposing.get(project, ()))
        self.inner.step(f"Enabling {' and '.join(APIS)}")
        await self._while_new(outcome, lambda: self.cloud.services.enable(project, APIS))

    async def _key(self, outcome: CreateOutcome, name: str) -> CreateResult:
        """The first key. Its id follows from the project and the name, so that a second run finds the first one's key."""
        project = outcome.wanted.project_id
        wish = KeySpec(project=project, display_name=name, key_id=first_key_id(project, name), if_absent=True)
        return await self._while_new(outcome, lambda: provision.create(self.cloud, wish, self.inner))

    async def _while_new(self, outcome: CreateOutcome, call: Callable[[], Awaitable[T]]) -> T:
        """`call`, tried again for a while where refusals may come from servers that do not know the new project yet."""
        return await retry_until(
            call,
            worth_it=lambda problem: not outcome.was_there and entry(problem.cause).of_new_projects,
            limit_s=NEW_PROJECT_S,
            text="Waiting until the new project is known everywhere",
            observer=self.inner,
        )


async def _refuse_exposure(cloud: Cloud, project: str, agreed: Collection[str]) -> None:
    """Raises GeminiExposure where a project that was there already has open keys and Gemini would be switched on."""
    states = await or_problem(cloud.services.states(project, APIS))
    if not isinstance(states, Problem) and states.get(GEMINI) == "ENABLED":
        return
    exposed = await or_problem(unrestricted(cloud, project))
    if not isinstance(exposed, Problem):
        exposure.require(project, exposed, agreed)


def first_key_id(project: str, name: str) -> str:
    """`my-first-key-5f2a9c01`: the same each time for a project and a display name."""
    return provision.id_like(name, hashlib.sha256(f"{project}/{name}".encode()).hexdigest()[:8])


def _taken(project_id: str, found: Project | None) -> Problem:
    """The Problem of an id that belongs to a project not made by keyadmin."""
    if found is None:
        message = f"the project id {project_id} is taken"
        fix: tuple[str, ...] = (
            "ids are given once in all of Google Cloud, and never again: choose another, or leave the id out",
        )
    elif found.state == "DELETE_REQUESTED":
        message = f"project {project_id} exists already and is being deleted"
        fix = (f"bring it back: {typed('projects undelete', project_id)}", "or choose another id")
    else:
        message = f"project {project_id} exists already"
        fix = (
            f"use it as it is: {typed('projects enable', project_id)}",
            f"and make a key in it: {typed('keys create', name='NAME', project=project_id)}",
            "or choose another id",
        )
    return Problem(Cause.ALREADY_EXISTS, message, status="ALREADY_EXISTS", project=project_id, fix=fix)
