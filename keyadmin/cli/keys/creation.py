"""What `keys create` and `keys clone` have in common: from a wish to a key on the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from keyadmin.access.charged import ApisOffWhereCharged
from keyadmin.access.permissions import RESOURCE_MANAGER, SERVICE_USAGE
from keyadmin.cli.confirm import confirm, confirm_exposure
from keyadmin.cli.keys.dry_run import dry_run
from keyadmin.cli.keys.sink_options import Printer, flagged, say_handed
from keyadmin.cli.keys.view import ShownKey, show_key, show_started
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.streams import refuse_lost_output
from keyadmin.handover.registry import build
from keyadmin.handover.sink import SinkSpec
from keyadmin.keys import exposure, provision, quota_project
from keyadmin.keys.change import Started
from keyadmin.keys.exposure import GeminiExposure
from keyadmin.keys.hand_over import HandedOver, again, failure, of_made, preflight_all
from keyadmin.keys.provision import CreateResult, KeySpec
from keyadmin.keys.rehearse_create import rehearse_create
from keyadmin.keys.verify import PROPAGATION_S
from keyadmin.model import duration
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Exit, Problem, usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class How:
    """How the key is made: shown with its string, not waited for, only planned; and whom it is handed to."""

    show: bool
    async_: bool
    dry_run: bool
    sinks: tuple[SinkSpec, ...] = ()
    enable_in_quota: bool = False
    allow_exposure: bool = False

    def __post_init__(self) -> None:
        if self.sinks and self.async_:
            raise usage("--to and --async do not go together: the key string comes with the finished operation")
        if self.show and self.to_stdout:
            raise usage("--show and --to stdout do not go together: both print the key string", "leave one of them out")
        if self.show:
            refuse_lost_output()
        if self.show and self.async_:
            raise usage("--show and --async do not go together: the key string comes with the finished operation")

    @property
    def to_stdout(self) -> bool:
        """Whether stdout is for the key string."""
        return any(spec.sink.prints for spec in self.sinks)


@dataclass(frozen=True)
class PlannedKey:
    """What a dry run found."""

    project: str
    steps: list[str]


def verify_seconds(text: str) -> float:
    """The value of `--verify-timeout`. Raises usage() for more than five minutes."""
    seconds = duration.parse(text).total_seconds()
    if seconds > PROPAGATION_S:
        raise usage(f"--verify-timeout is {text}: at most 5m, the time that changes take to reach all servers")
    return seconds


def make(context: typer.Context, wish_of: Callable[[Cloud], Awaitable[KeySpec]], how: How) -> int:
    """Make the key and print it. The exit code is 3 where it was made and is rejected."""
    session = current(context)
    printer = Printer(session)

    async def work(cloud: Cloud) -> tuple[CreateResult, list[HandedOver]] | Started | PlannedKey:
        sinks = build(how.sinks, cloud, flagged=flagged(session), emit=printer)
        wish = await agreed.pinned(cloud, wish_of)
        await preflight_all(sinks)
        if how.dry_run:
            return await _planned(session, cloud, wish, how)
        if how.async_:
            started = await provision.start(cloud, wish, session.observer)
            return (started, []) if isinstance(started, CreateResult) else started
        made = await provision.create(cloud, wish, session.observer)
        if how.show and made.key.key_string is None:
            made = replace(made, key=replace(made.key, key_string=await cloud.keys.key_string(made.key.name)))
        return made, await of_made(cloud, made, sinks, session.observer)

    agreed = _Agreed(how)
    while True:
        try:
            outcome = run(context, work)
            break
        except (ApisOffWhereCharged, GeminiExposure) as refusal:
            if how.dry_run or not session.interactive:
                raise
            agreed.ask(session, refusal)
    if isinstance(outcome, PlannedKey):
        dry_run(session, outcome.project, outcome.steps)
        return Exit.OK
    if isinstance(outcome, Started):
        show_started(session, outcome)
        return Exit.OK
    return _made(session, *outcome, how, printer)


class _Agreed:
    """What the person agreed to, before the options or when asked; and the key that was shown then."""

    def __init__(self, how: How) -> None:
        self._quota = how.enable_in_quota
        self._exposing: frozenset[str] | None = None if how.allow_exposure or how.dry_run else frozenset()
        self._spec: KeySpec | None = None

    async def pinned(self, cloud: Cloud, wish_of: Callable[[Cloud], Awaitable[KeySpec]]) -> KeySpec:
        """What is to be made: found out once, so that after a question it is what was asked about."""
        self._spec = self._spec or await wish_of(cloud)
        return replace(self._spec, enable_in_quota=self._quota, exposing=self._exposing)

    def ask(self, session: Session, refusal: ApisOffWhereCharged | GeminiExposure) -> None:
        """Ask whether to go on all the same. Raises Problem where the answer is no, or nothing can be agreed to."""
        if isinstance(refusal, GeminiExposure):
            confirm_exposure(session, refusal)
            self._exposing = frozenset(refusal.keys) | (self._exposing or frozenset())
            return
        if refusal.closed or self._quota:
            raise refusal
        confirm(session, f"{refusal.message}. Enable them there and go on?", yes=False)
        self._quota = True


async def _planned(session: Session, cloud: Cloud, wish: KeySpec, how: How) -> PlannedKey:
    """What would be done. Raises the Problem that it would end with, as far as reads can tell."""
    charged = await provision.first_look(cloud, wish)
    if charged is not None and {RESOURCE_MANAGER, SERVICE_USAGE} & set(charged.off):
        return PlannedKey(wish.project, [*quota_project.steps(charged, ()), "look at the rest, which can be read only then"])
    ground, existing = await provision.look(cloud, wish, session.observer)
    ground = replace(ground, charged=charged)
    handing = [f"hand it to {spec.text}" for spec in how.sinks]
    if existing is not None:
        return PlannedKey(ground.project, [f"give back the key {existing.key_id}", *handing])
    if ground.exposed:
        session.observer.warning(exposure.warning(ground.project, ground.exposed))
    for text in await rehearse_create(cloud, wish, ground):
        session.observer.warning(text)
    return PlannedKey(ground.project, [*provision.plan(wish, ground), *handing])


def _made(session: Session, made: CreateResult, handed: list[HandedOver], how: How, printer: Printer) -> int:
    key = made.key
    if how.to_stdout and not printer.structured:  # stdout is for the key string alone
        session.console.note(f"Key {key.key_id} of project {key.project}, verification {made.verification}.")
    else:
        shown = key.key_string if how.show or printer.used else None
        show_key(session, ShownKey(key, made.verification, shown, tuple(handed)))
    if not made.created:
        session.console.note(f"Key {key.key_id} was there already; nothing was made.", always=True)
    elif made.verification == "skipped":
        session.console.note(f"Not verified: {made.why}.")
    say_handed(session, handed)
    if not (how.show or how.sinks):
        session.console.note(f"The key string is printed by: {typed('keys show', key.key_id, project=key.project)}")
    if made.problem is not None:
        raise _rejected(made, made.problem, how)
    if problem := failure(key, handed, made=made.created):
        raise problem
    return Exit.OK


def _rejected(made: CreateResult, problem: Problem, how: How) -> Problem:
    key = made.key
    unhanded = " It was handed to nobody." if how.sinks else ""
    asked = made.verification == "failed"
    what = "the Gemini API does not take it" if asked else "whether the Gemini API takes it is unknown"
    return replace(
        problem,
        message=f"the key {key.key_id} was made, but {what}: {problem.message}{unhanded}",
        project=key.project,
        fix=(
            *problem.fix,
            f"check it again later: {typed('keys verify', key.key_id, project=key.project)}",
            *([f"when it works, {again(key, [spec.text for spec in how.sinks])}"] if how.sinks else []),
            f"or remove it: {typed('keys delete', key.key_id, project=key.project)}",
        ),
    )
