"""The engine: one lineage advanced as far as it goes. Every step is safe to repeat, and safe to be killed before and after.

Nothing is remembered outside the keys. Two runs at once, on one machine or two, come to the same end: the successor's id
is fixed, hand-overs are compared before and after, changes carry the etag, and whoever is refused reads again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from keyadmin.problem import Cause, Problem
from keyadmin.rotation import steps
from keyadmin.rotation.decide import Action, Decision, Terms, decide
from keyadmin.rotation.job import Job, Outcome
from keyadmin.rotation.lineage import CAUSE, STATE, Lineage, State, marked

ROUNDS: Final = 20  # more than any lineage needs
CONFLICTS: Final = 6  # with other runs, before one gives up
_RESTING: Final = frozenset({Action.REST, Action.GONE, Action.WAIT, Action.STUCK})
_NEVER: Final = timedelta(days=36_500)


async def advance(job: Job) -> Outcome:
    """Take a lineage as far as it goes now. Never raises Problem: what stops it is in the outcome."""
    decision = decide(job.lineage, job.terms, job.now())
    try:
        return await _rounds(job, decision)
    except Problem as problem:
        await _note_stuck(job, problem)
        job.say(None, _step_of(decision), "failed", problem.message, problem.cause.value)
        return Outcome(job.lineage, _state(job.lineage), tuple(job.steps), problem.message, problem=problem)


async def _rounds(job: Job, decision: Decision) -> Outcome:
    done = looked_again = False
    conflicts = 0
    for _ in range(ROUNDS):
        if decision.action is Action.STUCK and not looked_again:
            await job.refresh()  # another run may have gone on since the keys were listed
            looked_again = True
        elif decision.action in _RESTING or (decision.action is Action.CREATE and done):
            return _outcome(job, decision, done=done)
        else:
            try:
                waiting = await _do(job, decision.action)
                if waiting is not None:
                    return _outcome(job, waiting, done=done)
                done, looked_again = True, False
                job.terms = calmed(job.terms)
            except Problem as problem:
                conflicts += 1
                if problem.cause is not Cause.CONFLICT or conflicts > CONFLICTS:
                    raise
                await job.refresh()
        decision = decide(job.lineage, job.terms, job.now())
    raise Problem(
        Cause.CONFLICT,
        f"lineage {job.lineage.id} is being changed by another run all the time",
        project=job.lineage.project,
        fix=("run it again when the other run has ended",),
    )


async def _do(job: Job, action: Action) -> Decision | None:
    """One action; a Decision where it has to wait."""
    if action is Action.CREATE:
        await steps.create(job)
    elif action is Action.PUBLISH:
        await steps.publish(job)
    elif action is Action.RETIRE:
        return await steps.retire(job)
    elif action is Action.UNDO:
        await steps.undo(job)
    return None


def calmed(terms: Terms) -> Terms:
    """The same terms under which no rotation begins: what is unfinished is finished, and that is all."""
    return replace(terms, force=False, migrate=False, max_age=_NEVER)


async def _note_stuck(job: Job, problem: Problem) -> None:
    """Write on the successor that it is stuck and why, for `status` and the audit; best effort, as that may be refused too."""
    newest = job.lineage.newest
    if newest.generation == 1 or not newest.live or newest.state in (State.RETIRED, None) or problem.cause is Cause.CONFLICT:
        return
    cause = problem.cause.value
    if newest.key.annotations.get(STATE) == State.STUCK and newest.key.annotations.get(CAUSE) == cause:
        return
    try:
        job.put(await steps.write(job, newest, marked(newest.key.annotations, State.STUCK, cause=cause)))
    except Problem as refused:
        job.shared.observer.warning(f"{newest.key.key_id} could not be marked as stuck: {refused.message}")


def _outcome(job: Job, decision: Decision, *, done: bool) -> Outcome:
    problem = None
    if decision.action is Action.STUCK:
        problem = Problem(Cause.CONFLICT, decision.why, project=job.lineage.project, fix=decision.ways_out)
        job.say(None, "check", "failed", decision.why, problem.cause.value)
    elif decision.action is Action.WAIT:
        job.say(None, "grace", "waiting", decision.why)
    why = "rotated" if done and decision.action in (Action.REST, Action.CREATE) else decision.why
    return Outcome(
        job.lineage,
        State.STUCK if problem else _state(job.lineage),
        tuple(job.steps),
        why,
        until=None if done and decision.action is Action.REST else decision.until,
        problem=problem,
        ways_out=decision.ways_out,
    )


def _state(lineage: Lineage) -> State:
    """The state to report: what the newest generation says; a founder alone has nothing behind it."""
    return lineage.newest.state or (State.RETIRED if lineage.newest.generation == 1 else State.STUCK)


def _step_of(decision: Decision) -> str:
    return {Action.CREATE: "create", Action.PUBLISH: "publish", Action.RETIRE: "retire", Action.UNDO: "rollback"}.get(
        decision.action, "check"
    )
