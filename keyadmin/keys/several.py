"""One change made to several keys: all are found and planned before the first is changed; one that fails leaves the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keyadmin.keys import resolve
from keyadmin.keys.change import KeyChange, Started, execute
from keyadmin.keys.rehearse import rehearse
from keyadmin.keys.usage import Used, of_many
from keyadmin.model.key import Key
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class ChangeOutcome:
    """What became of one key: the key as it is now (or the operation that is not waited for), or the problem.

    Of a dry run neither, and in `unknown` what only the change itself can show.
    """

    change: KeyChange
    result: Key | Started | None = None
    problem: Problem | None = None
    unknown: tuple[str, ...] = ()


async def find_all(
    cloud: Cloud,
    names: Sequence[str],
    project: Callable[[], Awaitable[str]],
    *,
    state: resolve.State = "live",
    unseen: bool = True,
    newest: Observer | None = None,
) -> list[Key]:
    """The keys that the names mean, each once, in their order; `newest` as in `resolve.find`.

    Raises Problem for the first that is not found.
    """
    from keyadmin.cloud.pace import gather_limited

    async def one(name: str) -> Key:
        return await resolve.find(cloud, name, project, state=state, unseen=unseen, newest=newest)

    found = await gather_limited(names, one)
    return list({key.name: key for key in found}.values())


async def use_of(cloud: Cloud, changes: Sequence[KeyChange]) -> list[Used]:
    """The use of the keys, in their order: what is shown before they are taken away."""
    used = await of_many(cloud, [change.key for change in changes], SILENT)
    return [used[change.key.name] for change in changes]


async def execute_all(cloud: Cloud, changes: Sequence[KeyChange], *, wait: bool = True) -> list[ChangeOutcome]:
    """Carry them out, one after the other. Raises Problem for missing credentials alone."""
    out = []
    for change in changes:
        try:
            out.append(ChangeOutcome(change, await execute(cloud, change, wait=wait)))
        except Problem as problem:
            out.append(ChangeOutcome(change, problem=_kept(problem)))
    return out


async def rehearse_all(cloud: Cloud, changes: Sequence[KeyChange]) -> list[ChangeOutcome]:
    """What carrying them out would end with, as far as reads can tell. Raises Problem for missing credentials alone."""
    out = []
    for change in changes:
        try:
            out.append(ChangeOutcome(change, unknown=tuple(await rehearse(cloud, change))))
        except Problem as problem:
            out.append(ChangeOutcome(change, problem=_kept(problem)))
    return out


def failure(outcomes: Sequence[ChangeOutcome]) -> Problem | None:
    """The problem to end with: that of the one key, or one that names all that failed (exit code 3 where others were done)."""
    failed = [(each.change.key, each.problem) for each in outcomes if each.problem is not None]
    if not failed:
        return None
    first = failed[0][1]
    if len(outcomes) == 1:
        return first
    some = len(failed) < len(outcomes)
    what = (
        f"{len(failed)} of {len(outcomes)} keys were not changed; the others were" if some else "none of the keys was changed"
    )
    notes = [f"{key.key_id} of project {key.project}: {problem.message} [{problem.cause}]" for key, problem in failed]
    return replace(first, message=what, notes=notes, exit_code=Exit.FOUND if some else first.exit_code)


def _kept(problem: Problem) -> Problem:
    if problem.exit is Exit.CREDENTIALS:
        raise problem
    return problem
