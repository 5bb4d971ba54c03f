"""What `keys create` and `keys clone` have in common: from a wish to a key on the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from keyadmin import duration
from keyadmin.cli.keys.dry import dry_run
from keyadmin.cli.keys.view import Row, show_key, show_started
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.keys import provision
from keyadmin.keys.change import Started
from keyadmin.keys.provision import Made, Wish
from keyadmin.keys.verify import PROPAGATION_S
from keyadmin.problem import Exit, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class How:
    """How the key is made: shown with its string, not waited for, only planned."""

    show: bool
    async_: bool
    dry_run: bool

    def __post_init__(self) -> None:
        if self.show and self.async_:
            raise usage("--show and --async do not go together: the key string comes with the finished operation")


@dataclass(frozen=True)
class Planned:
    """What a dry run found."""

    project: str
    steps: list[str]


def verify_seconds(text: str) -> float:
    """The value of `--verify-timeout`. Raises usage() for more than five minutes."""
    seconds = duration.parse(text).total_seconds()
    if seconds > PROPAGATION_S:
        raise usage(f"--verify-timeout is {text}: at most 5m, the time that changes take to reach all servers")
    return seconds


def make(context: typer.Context, wish_of: Callable[[Cloud], Awaitable[Wish]], how: How) -> int:
    """Make the key and print it. The exit code is 3 where it was made and is rejected."""
    session = current(context)

    async def work(cloud: Cloud) -> Made | Started | Planned:
        wish = await wish_of(cloud)
        if how.dry_run:
            ground, existing = await provision.look(cloud, wish, session.observer)
            if existing is None and ground.exposed:
                session.observer.warning(provision.exposure(ground))
            steps = [f"give back the key {existing.key_id}"] if existing else provision.plan(wish, ground)
            return Planned(ground.project, steps)
        if how.async_:
            return await provision.start(cloud, wish, session.observer)
        made = await provision.create(cloud, wish, session.observer)
        if how.show and made.key.key_string is None:
            return replace(made, key=replace(made.key, key_string=await cloud.keys.key_string(made.key.name)))
        return made

    outcome = run(context, work)
    if isinstance(outcome, Planned):
        dry_run(session, outcome.project, outcome.steps)
        return Exit.OK
    if isinstance(outcome, Started):
        show_started(session, outcome)
        return Exit.OK
    return _made(session, outcome, how)


def _made(session: Session, made: Made, how: How) -> int:
    key = made.key
    show_key(session, Row(key, made.verification, key.key_string if how.show else None))
    if not made.created:
        session.talk.note(f"Key {key.key_id} was there already; nothing was made.", always=True)
    elif made.verification == "skipped":
        session.talk.note(f"Not verified: {made.why}.")
    if not how.show:
        session.talk.note(f"The key string is printed by: keyadmin keys show {key.key_id} -p {key.project}")
    if made.problem is not None:
        raise _rejected(made, made.problem)
    return Exit.OK


def _rejected(made: Made, problem: Problem) -> Problem:
    key = made.key
    return Problem(
        problem.cause,
        f"the key {key.key_id} was made, but the Gemini API does not take it: {problem.message}",
        status=problem.status,
        permission=problem.permission,
        service=problem.service,
        project=key.project,
        notes=problem.notes,
        fix=(
            *problem.fix,
            f"check it again later: keyadmin keys verify {key.key_id} -p {key.project}",
            f"or remove it: keyadmin keys delete {key.key_id} -p {key.project}",
        ),
        exit_code=problem.exit_code,
    )
