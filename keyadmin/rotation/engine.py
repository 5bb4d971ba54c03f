"""The engine: one lineage advanced as far as it goes. Every step is safe to repeat, and safe to be killed before and after.

Nothing is remembered outside the keys. Two runs at once, on one machine or two, come to the same end: the successor's id
is fixed, hand-overs are compared before and after, changes carry the etag, and whoever is refused reads again.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from keyadmin.access import constraints
from keyadmin.access.advice import advice
from keyadmin.model.command_line import typed
from keyadmin.model.lineage import State, claims, marked
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.changes import write
from keyadmin.rotation.create import create, replaced
from keyadmin.rotation.decide import Action, Decision, decide
from keyadmin.rotation.job import Job, Outcome, Overtaken
from keyadmin.rotation.leaked import decide_leaked
from keyadmin.rotation.publish import publish, remember
from keyadmin.rotation.refusal import ROTATING, WHAT, full, not_permitted
from keyadmin.rotation.retire import retire
from keyadmin.rotation.undo import undo

ROUNDS: Final = 20  # more than any lineage needs that other runs leave alone now and then
_RESTING: Final = frozenset({Action.REST, Action.GONE, Action.WAIT})


async def advance(job: Job) -> Outcome:
    """Take a lineage as far as it goes now. Never raises Problem: what stops it is in the outcome."""
    try:
        return await _rounds(job)
    except Problem as met:
        problem = explained(job, met)
        if not job.unasked:  # nobody could say whether the key works: it stays what it was
            await _note(job, problem)
        job.say(None, job.action.value, "failed", problem.message, problem.cause.value)
        state = (job.lineage.newest.state or State.VERIFYING) if job.unasked else State.STUCK
        return _outcome(job, state, problem.message, problem=problem)


def stopped(job: Job, problem: Problem) -> Outcome:
    """What comes of a lineage with which nothing was done, because of a problem."""
    job.say(None, "check", "failed", problem.message, problem.cause.value)
    return _outcome(job, job.lineage.newest.state or State.RETIRED, problem.message, problem=problem)


def _outcome(job: Job, state: State, why: str, **more: Any) -> Outcome:
    sinks = tuple(sink.spec for sink in job.sinks)
    return Outcome(job.lineage, state, tuple(job.steps), why, changed=job.changed, sinks=sinks, unknown=job.unknown, **more)


async def _rounds(job: Job) -> Outcome:
    begun_at = job.lineage.newest.generation
    looked_again = job.pinned  # what somebody looked at is what was decided on
    conflict = ""
    for _ in range(ROUNDS):
        if job.lineage.newest.generation != begun_at:
            job.terms = replace(job.terms, force=False)  # what was asked for is under way
        decision = _decision(job)
        job.action = decision.action
        if decision.action in _RESTING or (decision.action is Action.STUCK and looked_again):
            if not job.lineage.newest.live:
                with suppress(Problem):  # the next run tries again; purging takes 30 days
                    await remember(job)
            return left(job, decision)
        if decision.action is Action.STUCK:
            await job.refresh()  # another run may have gone on since the keys were listed
            looked_again = True
            continue
        try:
            waiting = await _do(job)
        except Overtaken as overtaken:
            conflict = f": {overtaken.message}"
            await job.refresh()
            continue
        if waiting is not None:
            return left(job, waiting)
        looked_again = False
        job.terms = replace(job.terms, max_age=None)  # one run begins a rotation and does not begin the next one
    raise Problem(
        Cause.CONFLICT,
        f"lineage {job.lineage.id} is being changed by another run all the time{conflict}",
        project=job.lineage.project,
        fix=("run it again when the other run has ended",),
    )


def _decision(job: Job) -> Decision:
    """What is next. Raises Problem where a rollback's mark was taken away meanwhile: nothing else was asked for."""
    if job.leaked:
        return decide_leaked(job.lineage, job.leaked, job.terms, job.now(), job.fingerprint)
    decision = decide(job.lineage, job.terms, job.now(), job.fingerprint)
    if job.terms.back_to and decision.action not in (*_RESTING, Action.UNDO, Action.STUCK):
        raise Problem(
            Cause.CONFLICT,
            f"somebody changed {job.terms.back_to} while it was gone back to",
            project=job.lineage.project,
            fix=(f"give the command again: {typed('rotation rollback', job.terms.back_to, project=job.lineage.project)}",),
        )
    return decision


async def _do(job: Job) -> Decision | None:
    """The action; a Decision where it has to wait."""
    if job.action is Action.CREATE:
        await create(job)
    elif job.action is Action.PUBLISH:
        await publish(job)
    elif job.action is Action.RETIRE:
        return await retire(job)
    elif job.action is Action.UNDO:
        return await undo(job)
    return None


def _in_own_words(job: Job, problem: Problem) -> Problem:
    """A refusal as a dry run tells it beforehand."""
    if problem.cause is Cause.ORG_POLICY_CONSTRAINT:
        return constraints.told(problem, job.lineage.project, ROTATING, replaced(job).key.key_id)
    if problem.cause is Cause.MISSING_IAM_PERMISSION and problem.permission is not None and problem.permission in WHAT:
        message = not_permitted(problem.permission, job.lineage.project)
    elif job.action is Action.CREATE and problem.cause is Cause.KEY_QUOTA_EXCEEDED:
        message = full(job.lineage.project)
    else:
        return problem
    if problem.message == message:
        return problem
    return replace(problem, message=message, notes=[*problem.notes, problem.message]).with_traceback(problem.__traceback__)


def explained(job: Job, problem: Problem) -> Problem:
    """The same with the project's id and the key, where the service knew neither, and what to type next.

    A copy: several lineages may meet one Problem, that of what is prepared for all of them.
    """
    key, project = job.lineage.newest.key, job.lineage.project
    problem = _in_own_words(job, problem)
    own = problem.project in (None, key.project_number, project)
    named = replace(problem, project=project if own else problem.project)
    ways = advice(named, "migrate" if job.terms.migrate else "rotate")
    if own and key.project_number:
        ways = tuple(re.sub(rf"\b{key.project_number}\b", project, way) for way in ways)
    ways = tuple(re.sub(r"\bKEY\b", key.key_id, way) for way in ways)
    return replace(named, fix=ways).with_traceback(problem.__traceback__)


async def _note(job: Job, problem: Problem) -> None:
    """Write on the newest key why the run stopped, for `status` and the audit; best effort, as that may be refused too.

    A successor on its way is stuck; a key that could not be replaced or rolled back to is still what it was.
    """
    newest = job.lineage.newest
    if newest.cause == problem.cause:
        return
    annotations = dict(newest.key.annotations)
    if newest.complete:
        annotations |= claims(job.lineage.id, newest.generation, None, State.RETIRED)
        annotations = marked(annotations, State.RETIRED, cause=problem.cause.value)
    elif newest.state is not None:
        annotations = marked(annotations, State.STUCK, cause=problem.cause.value)
    else:
        return
    try:
        job.put(await write(job, newest, annotations))
    except Problem:
        return  # another run has gone on with it, or that is not permitted either; the failure itself is reported


def left(job: Job, decision: Decision) -> Outcome:
    """What comes of a lineage that is left as it is now, for the reason that the decision tells."""
    problem = None
    if decision.action is Action.STUCK:
        problem = Problem(Cause.CONFLICT, decision.why, project=job.lineage.project, fix=decision.ways_out)
        job.say(None, "check", "failed", decision.why, problem.cause.value)
    elif decision.action is Action.WAIT and not (job.steps and job.steps[-1].detail == decision.why):
        job.say(None, "grace", "waiting", decision.why)
    rotated = decision.action is Action.REST and job.changed
    newest = job.lineage.newest
    settled = State.RETIRED if newest.generation == 1 else newest.state or State.RETIRED
    return _outcome(
        job,
        State.STUCK if problem else settled,
        f"rotated; {decision.why}" if rotated and not job.lineage.newest.void_up_to else decision.why,
        until=None if rotated else decision.until,
        beside="" if problem or rotated else decision.beside,
        problem=problem,
        ways_out=decision.ways_out,
    )
