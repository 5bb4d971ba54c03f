"""Switching APIs on and off in a project, with a word on what that means for its keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyadmin.access.need import PermissionNeed
from keyadmin.access.permissions import API_KEYS
from keyadmin.keys import services
from keyadmin.keys.preflight import unrestricted
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import Cause, Exit, Problem, or_problem, usage
from keyadmin.projects.find import find

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.model.observer import Observer

USUAL = (GEMINI, API_KEYS)


@dataclass(frozen=True)
class ApiPlan:
    """What is to be switched. `todo` = those that are not so already, all where that may not be seen. `exposed` = keys
    without API restriction, which could call Gemini as soon as it is on (facts 2)."""

    project: str
    services: tuple[str, ...]
    todo: tuple[str, ...]
    exposed: tuple[str, ...] = ()
    exposure_unknown: str = ""
    unseen: Problem | None = None

    def why(self, refusal: Problem) -> Problem:
        """Of two refusals the one that says more: a project that is not to be seen is probably mistyped."""
        if self.unseen is not None and self.unseen.cause is Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS:
            return self.unseen
        return refusal


def service_named(word: str) -> str:
    """`generativelanguage` and `generativelanguage.googleapis.com` are the same. Raises usage() for what is no service."""
    if word in services.known() or ("." in word and not word.endswith(services.SUFFIX)):
        return word
    whole = word if word.endswith(services.SUFFIX) else f"{word}{services.SUFFIX}"
    if whole in services.known():
        return whole
    near = services.meant(word)
    if not near and whole == word:
        return word  # newer than the list: the service decides
    hint = f"did you mean {' or '.join(near)}?" if near else "an API reads NAME.googleapis.com"
    raise usage(f"there is no API {word!r}", hint)


async def plan(cloud: Cloud, name: str, wanted: Sequence[str], *, on: bool) -> ApiPlan:
    """Look before anything is changed: what may not be seen is no hindrance, the change itself tells."""
    try:
        project = (await find(cloud, name)).project_id
        states = await cloud.services.states(project, wanted)
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return ApiPlan(name, tuple(wanted), tuple(wanted), unseen=problem)
    todo = tuple(each for each in wanted if (states.get(each) == "ENABLED") is not on)
    if not on or GEMINI not in todo:
        return ApiPlan(project, tuple(wanted), todo)
    exposed = await or_problem(unrestricted(cloud, project))
    if isinstance(exposed, Problem):
        what = f"whether project {project} has keys without API restriction, which could call Gemini then, is not known"
        return ApiPlan(project, tuple(wanted), todo, exposure_unknown=f"{what}: {exposed.message}")
    return ApiPlan(project, tuple(wanted), todo, exposed)


def to_switch(planned: ApiPlan, *, on: bool) -> PermissionNeed:
    """What switching takes."""
    services = ", ".join(planned.todo)
    if on:
        cause = Cause.ENABLE_SERVICE_DENIED
        return PermissionNeed("serviceusage.services.enable", planned.project, f"enable {services}", cause, planned.todo[0])
    return PermissionNeed("serviceusage.services.disable", planned.project, f"disable {services}")


async def rehearse(cloud: Cloud, planned: ApiPlan, *, on: bool) -> str:
    """Why it is not known whether the APIs may be switched; empty where they may. Raises the Problem of doing so."""
    if not planned.todo:
        return ""
    try:
        return await to_switch(planned, on=on).rehearse(cloud)
    except Problem as problem:
        raise planned.why(problem) from None


async def enable(cloud: Cloud, planned: ApiPlan, observer: Observer) -> None:
    """Switch on what is off. Raises Problem."""
    if planned.todo:
        observer.step(f"Enabling {', '.join(planned.todo)}")
        try:
            await to_switch(planned, on=True).met(cloud.services.enable(planned.project, planned.todo))
        except Problem as problem:
            raise planned.why(problem) from None


async def disable(cloud: Cloud, planned: ApiPlan, observer: Observer, *, dependents: bool) -> None:
    """Switch off what is on, one after the other. Raises Problem: where other APIs need one, unless they are to go too."""
    for service in planned.todo:
        observer.step(f"Disabling {service}")
        try:
            switching = cloud.services.disable(planned.project, service, dependents=dependents)
            await to_switch(planned, on=False).met(switching)
        except Problem as problem:
            raise planned.why(problem) from None
