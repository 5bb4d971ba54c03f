"""Bringing a former generation back, as far as seeing that it works; going on with a rollback is one of the steps."""

from __future__ import annotations

from dataclasses import replace

from keyadmin.keys import verify
from keyadmin.model.causes.catalogue import advice
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.decide import split_off
from keyadmin.rotation.job import Job
from keyadmin.rotation.lineage import Member
from keyadmin.rotation.steps import restrict, verified


async def bring_back(job: Job, target: Member) -> Problem | None:
    """Undelete a former generation and see that it works, before anything says that it counts again.

    A Problem = it does not, and is as it was again. Raises Problem where more is left behind.
    """
    deleted, before = not target.live, target.key
    if deleted:
        job.put(await job.cloud.keys.undelete(target.key.name))
        job.say(target, "undelete", "done", "the key works again")
    newest = job.lineage.newest
    target = job.member(target.key.key_id)
    if split_off(target, newest):  # a migration took the Gemini API from it
        targets = (*(t for t in newest.key.restrictions.targets if t.service == GEMINI), *target.key.restrictions.targets)
        await restrict(job, target, targets)
        job.say(target, "restrict", "done", "it may call the Gemini API again")
    try:
        await verified(job, job.member(target.key.key_id), came_back=True)
    except Problem as problem:
        try:
            await _give_up(job, job.member(target.key.key_id), before, deleted=deleted)
        except Problem as second:
            raise _left_working(target, problem, second) from None
        return _not_gone_back_to(target, newest, problem)
    return None


async def _give_up(job: Job, target: Member, before: Key, *, deleted: bool) -> None:
    """A key that is not gone back to is as it was again: one that leaked, say, is not left working. Raises Problem."""
    if deleted:
        job.put(await job.cloud.keys.delete(target.key.name, etag=target.key.etag))
    elif target.key.restrictions != before.restrictions:
        await restrict(job, target, before.restrictions.targets)


def _left_working(target: Member, problem: Problem, second: Problem) -> Problem:
    """Nobody asked for a key that works and is not handed to anything."""
    key = target.key
    message = f"{key.key_id} is not gone back to ({problem.message}), and was left changed: {second.message}"
    way = f"if it is to work no more: keyadmin keys delete {key.key_id} -p {key.project}"
    return replace(second, message=message, fix=(*advice(second, "rotate"), way), project=key.project)


def _not_gone_back_to(target: Member, newest: Member, problem: Problem) -> Problem:
    """Why, and what to do about it; making an auth key of a standard one is what was to be undone."""
    key = target.key
    ways = () if problem.cause is Cause.STANDARD_KEY_REJECTED else verify.named(problem, key).fix
    if newest.live and newest.key.key_id != key.key_id:
        ways += (f"or stay with {newest.key.key_id}: nothing was changed" if ways else f"stay with {newest.key.key_id}",)
    return replace(problem, message=f"{key.key_id} is not gone back to: {problem.message}", fix=ways, project=key.project)
