"""The step that ends a typed rollback: what came after the key that is gone back to is deleted. It may be repeated."""

from __future__ import annotations

from keyadmin.model.command_line import typed
from keyadmin.model.lineage import Member, State, marked
from keyadmin.model.problem import Problem
from keyadmin.rotation.changes import or_overtaken, write
from keyadmin.rotation.decide import Action, Decision
from keyadmin.rotation.job import Job
from keyadmin.rotation.publish import hand_over


async def undo(job: Job) -> Decision | None:
    """Finish a rollback that a person typed: the key gone back to works and is in every sink; then what came after it goes.

    A Decision = it is kept: it was handed to sinks that were not given, which would be left with a deleted key.
    """
    back = job.lineage.newest
    string = await job.string_of(back)  # it was seen to work before its mark was written
    for member in _living(job):
        if not member.complete:  # a run that is about to publish it is refused from now on
            job.put(await write(job, member, marked(member.key.annotations, State.RETIRED)))
    await hand_over(job, back, string)
    if not job.sinks and any(member.sinks for member in _living(job)):
        why = "what came after it was handed to sinks and is kept until these have the key that was rolled back to"
        job.say(back, "retire", "waiting", why)
        again = typed("rotation rollback", back.key.key_id, project=job.lineage.project, to="SINK")
        way = f"give its sinks (or name the policy that has them): {again}"
        return Decision(Action.WAIT, why, ways_out=(way,))
    for member in _living(job):
        try:
            job.put(await job.cloud.keys.delete(member.key.name, etag=member.key.etag))
        except Problem as problem:
            raise or_overtaken(problem) from None
        job.say(member, "retire", "done", "deleted; recoverable for 30 days")
    if back.cause:
        job.put(await write(job, back, marked(back.key.annotations, State.RETIRED)))
    return None


def _living(job: Job) -> list[Member]:
    return [member for member in job.lineage.voided if member.live]
