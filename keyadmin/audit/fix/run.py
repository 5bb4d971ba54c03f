"""A plan applied: what is not done yet, wave by wave, each observed before the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyadmin.audit.fix.change import ROTATING, FixChange
from keyadmin.audit.fix.execute import FixOutcome, FixWork, make, wanted
from keyadmin.audit.fix.journal import FixRecord, WaveRecord, open_journal
from keyadmin.audit.fix.observe import WaveVerdict
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.plan_file import digest, plan_to_json
from keyadmin.audit.fix.recompute import FixDone, FixRefused, FixTarget, used_since
from keyadmin.audit.fix.refusals import by_policy
from keyadmin.audit.fix.rotations import prepared
from keyadmin.audit.fix.scope import numbers_in_scope
from keyadmin.audit.fix.waiting import wait_until
from keyadmin.audit.fix.watch import to_watch, watch
from keyadmin.audit.fix.waves import FixWave
from keyadmin.cloud.usage import KEPT
from keyadmin.model.duration import words
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.job import Event
from keyadmin.rotation.job import Status as FixEventStatus
from keyadmin.rotation.options import RunOptions

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.usage import KeyUsage
    from keyadmin.rotation.policy import RotationPolicy

AT_ONCE: Final = 256
HALF_MADE: Final = "changes were under way; the same command with the same plan continues them"

Found = FixTarget | FixDone | FixRefused
_SETTLED: Final = frozenset({"unharmed", "accepted", "not-observed"})
_STATUS: Final[dict[str, FixEventStatus]] = {"unharmed": "done", "accepted": "done", "harmed": "failed"}


@dataclass(frozen=True)
class FixOptions:
    """How a plan is applied. `go_on` = asked before the wave behind one that could not be judged."""

    observe: timedelta
    only: bool = False
    accept_harm: bool = False
    go_on: Callable[[WaveVerdict, FixWave], bool] = lambda verdict, wave: False
    emit: Callable[[Event], None] = lambda event: None
    policy: RotationPolicy | None = None
    rotation: RunOptions = field(default_factory=RunOptions)


@dataclass
class FixResult:
    """What came of it. `stopped` = why waves are left, in words; empty where none is, or `--only` was asked for."""

    plan: FixPlan
    record: FixRecord
    outcomes: list[FixOutcome]
    verdicts: list[WaveVerdict] = field(default_factory=list)
    stopped: str = ""

    @property
    def harmed(self) -> list[WaveVerdict]:
        """The waves that did harm."""
        return [verdict for verdict in self.verdicts if verdict.verdict == "harmed"]

    @property
    def trouble(self) -> list[FixOutcome]:
        """Changes that were not made, though it was their turn."""
        return [each for each in self.outcomes if each.status in ("skipped", "failed")]


async def apply_plan(cloud: Cloud, plan: FixPlan, path: Path, options: FixOptions, observer: Observer) -> FixResult:
    """Do what is not done. Raises Problem: the plan is not for here, another process applies it, nobody is signed in."""
    numbers = await numbers_in_scope(cloud, plan)
    with open_journal(path, plan.run) as journal:
        journal.head(cloud.now(), digest(plan_to_json(plan)), cloud.caller.principal)
        work = FixWork(cloud, plan.run, numbers, journal, plan.firsts, emit=options.emit)
        todo = left_to_do(plan, journal.record)
        if any(change.kind in ROTATING for change in (*todo, *waiting(plan, journal.record))) and options.policy is not None:
            work.rotations = await prepared(cloud, options.policy, options.rotation, observer)
        result = FixResult(plan, journal.record, work.outcomes)
        with observer.half_made(HALF_MADE):
            await _Applying(work, plan, options, observer, result).waves()
        return result


def left_to_do(plan: FixPlan, record: FixRecord) -> list[FixChange]:
    """The changes that this run has not made yet."""
    return [change for change in plan.changes if not _over(record, change)]


def waiting(plan: FixPlan, record: FixRecord) -> list[FixChange]:
    """Rotations that are under way: an old key still works."""
    return [each for each in plan.changes if (found := record.of(each)) is not None and found.step == "waiting"]


def _over(record: FixRecord, change: FixChange) -> bool:
    found = record.of(change)
    return found is not None and (found.finished or found.step == "waiting")


class _Applying:
    """One run over the waves."""

    def __init__(self, work: FixWork, plan: FixPlan, options: FixOptions, observer: Observer, result: FixResult) -> None:
        self._work = work
        self._plan = plan
        self._options = options
        self._observer = observer
        self._result = result

    async def waves(self) -> None:
        """Wave after wave, as long as nothing stands against it. What failed in a wave before is tried again with it."""
        under_way = waiting(self._plan, self._record)
        if under_way:
            await self._make(under_way)
        waves = self._plan.waves
        for place, wave in enumerate(waves):
            fresh = any(self._record.of(change) is None for change in wave.changes)
            todo = [each for each in wave.changes if not _over(self._record, each) and each not in under_way]
            done = await self._make(todo) if todo else 0
            if fresh or done or self._unended(wave):
                self._work.journal.wave_ended(self._work.cloud.now(), wave.number)
            following = next((each for each in waves[place + 1 :] if self._open(each)), None)
            if not await self._judged(wave, following) or (fresh and self._options.only):
                return
            if following is not None and wave.pause:
                await self._pause(wave)

    @property
    def _record(self) -> FixRecord:
        return self._work.journal.record

    def _unended(self, wave: FixWave) -> bool:
        """Whether a run was killed behind the last change of the wave, before it could write that down."""
        return wave.number not in self._record.waves and any(_over(self._record, change) for change in wave.changes)

    def _open(self, wave: FixWave) -> bool:
        return any(not _over(self._record, change) for change in wave.changes)

    async def _judged(self, wave: FixWave, following: FixWave | None) -> bool:
        """Whether the next wave may come. A wave that was judged well, or accepted, is not judged again."""
        known = self._record.waves.get(wave.number, WaveRecord())
        changes = to_watch(self._work, wave)
        if not self._options.observe and not known.verdict:  # switched off, then and when the run is gone on later
            self._work.journal.judged(self._work.cloud.now(), wave.number, "not-observed", [])
        if not self._options.observe or known.ended is None or known.verdict in _SETTLED or not changes:
            return True
        if known.verdict and following is None:
            return True  # it was told when it was judged, and nothing hangs on it
        verdict = await watch(self._work, wave, known.ended, self._options.observe, self._observer)
        self._result.verdicts.append(verdict)
        word = "accepted" if verdict.verdict == "harmed" and self._options.accept_harm else verdict.verdict
        self._say(verdict, word)
        if word == "harmed":
            self._result.stopped = f"wave {wave.number} did harm"
            return False
        if word == "not-judged" and following is not None and not self._options.only:
            if not self._options.go_on(verdict, following):
                self._result.stopped = f"wave {wave.number} could not be judged"
                return False
            self._work.journal.judged(self._work.cloud.now(), wave.number, "accepted", [])
        return True

    def _say(self, verdict: WaveVerdict, word: str) -> None:
        now = self._work.cloud.now()
        self._work.journal.judged(now, verdict.wave, word, [each.name for each in verdict.harmed])
        status = _STATUS.get(word, "skipped")
        self._options.emit(Event(now, "", "", 0, "", f"wave {verdict.wave}", status, told(verdict)))

    async def _pause(self, wave: FixWave) -> None:
        ended = self._record.waves.get(wave.number, WaveRecord()).ended or self._work.cloud.now()
        until = ended + self._options.observe + wave.pause
        text = f"Pausing {words(wave.pause)} behind wave {wave.number}"
        await wait_until(self._work.cloud, until, text, self._observer, lambda: self._work.cloud.keys.get(wave.changes[0].name))

    async def _make(self, changes: Sequence[FixChange]) -> int:
        """Make some changes: each project's keys are listed once, as they are now. How many were made."""
        from keyadmin.cloud.pace import gather_limited

        projects: dict[str, list[FixChange]] = {}
        for change in changes:
            projects.setdefault(change.number, []).append(change)
        writes = sum(change.writes for change in changes)
        left = self._work.cloud.forecast(reads=len(projects) + writes, writes=writes)
        self._observer.total(len(changes), "Changing keys", left)

        async def one(found: Found) -> bool:
            outcome = await make(self._work, found)
            self._observer.advance()
            return outcome.status in ("done", "already")

        async def of_project(number: str) -> list[Found]:
            return await self._found(projects[number])

        several = await gather_limited(projects, of_project, AT_ONCE)
        return sum(await gather_limited([each for found in several for each in found], one, AT_ONCE))

    async def _found(self, changes: Sequence[FixChange]) -> list[Found]:
        """What the changes of one project come to, by its keys and their use as they are now."""
        project, number = changes[0].project, changes[0].number
        if number not in self._work.numbers:
            return [self._work.recomputed(change, None) for change in changes]
        try:
            keys = {key.name: key async for key in self._work.cloud.keys.list(number, deleted=True)}
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return [FixRefused(change, problem.message, problem.cause) for change in changes]
        live = {name: replace(key, project=project) for name, key in keys.items()}
        found = [self._work.recomputed(change, live.get(change.name)) for change in changes]
        return [await self._policed(each) for each in await self._checked(number, found)]

    async def _checked(self, number: str, found: list[Found]) -> list[Found]:
        """The same without what the keys' use forbids now."""
        asks = [each for each in found if isinstance(each, FixTarget) and rests_on_use(each)]
        if not asks:
            return found
        uses: list[KeyUsage] | Problem
        try:
            uses = await self._work.cloud.usage.by_method(number, KEPT)
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            uses = problem
        return [self._allowed(each, uses) for each in found]

    async def _policed(self, found: Found) -> Found:
        """The same, refused where a constraint of the organisation certainly forbids what the key is to be."""
        if not isinstance(found, FixTarget) or found.after is None:
            return found
        told = await by_policy(self._work.cloud, found.key, found.after, wanted(found))
        return FixRefused(found.change, told.message, told.cause) if isinstance(told, Problem) else found

    def _allowed(self, found: Found, uses: list[KeyUsage] | Problem) -> Found:
        if not isinstance(found, FixTarget):
            return found
        why = used_since(found, uses, self._plan.created, self._work.cloud.now())
        cause = uses.cause if isinstance(uses, Problem) else None
        return FixRefused(found.change, why, *([cause] if cause else [])) if why else found


def rests_on_use(target: FixTarget) -> bool:
    """Whether the change was decided by the use of the key, which is read again before it is made."""
    change = target.change
    return change.kind == "delete" or (change.kind in ("restrict-apis", "remove-gemini") and change.evidence is not None)


def told(verdict: WaveVerdict) -> str:
    """A wave's verdict in a sentence."""
    if verdict.verdict == "harmed":
        return f"{len(verdict.harmed)} of its keys {'was' if len(verdict.harmed) == 1 else 'were'} harmed"
    if verdict.verdict == "unharmed":
        return f"no harm is seen; {verdict.judged} of its keys have calls to go by"
    return f"not judged: {verdict.why or 'too few calls to go by'}"
