"""The step that verifies a key, hands it to the sinks, reads it back and marks it published. It may be repeated at any time."""

from __future__ import annotations

from collections.abc import Sequence

from keyadmin.handover.sink import Sink
from keyadmin.keys import verify
from keyadmin.model.causes.table import entry
from keyadmin.model.lineage import HIGHEST, VOID, Lineage, Member, State, claims, marked
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString
from keyadmin.rotation.acceptance import rejection
from keyadmin.rotation.changes import write
from keyadmin.rotation.decide import to_migrate
from keyadmin.rotation.job import Job, Overtaken


async def publish(job: Job) -> None:
    """Verify the newest generation, hand it to every sink, read back, and mark it published. Raises Problem."""
    member = job.lineage.newest
    await remember(job)
    string = await job.string_of(member)
    await verified(job, member)
    await hand_over(job, member, string)
    annotations = marked(_own(job, member), State.GRACE, sinks=job.fingerprint or None, published=job.now())
    try:
        job.put(await write(job, member, annotations))
    except Overtaken:
        await _not_behind(job, member)
        raise
    job.say(job.lineage.newest, "mark", "done", "published")


def _own(job: Job, member: Member) -> dict[str, str]:
    """Its annotations; after a leak what says that they are its own, too: the thief may have taken that away."""
    known = dict(member.key.annotations)
    if not job.leaked:
        return known
    founder = job.lineage.founder_id
    return known | claims(job.lineage.id, member.generation, member.predecessor_id or job.leaked, State.GRACE, founder)


async def remember(job: Job) -> None:
    """Note on an older key that lives which generations there were: a newer one that somebody deletes is purged after 30 days,
    and its id must not come again. Raises Problem.
    """
    keeper, used = to_remember(job.lineage), job.lineage.next_generation - 1
    if keeper is None:
        return
    own = claims(job.lineage.id, keeper.generation, None, keeper.state or State.RETIRED)
    kept = {name: text for name, text in keeper.key.annotations.items() if name != VOID or not job.leaked}
    job.put(await write(job, keeper, kept | own | {HIGHEST: str(used)}))


def to_remember(lineage: Lineage) -> Member | None:
    """The older key on which the generations that there were are to be noted; None = there is none, or they are."""
    used = lineage.next_generation - 1
    keeper = next((member for member in reversed(lineage.counted) if member.live and member.generation < used), None)
    return keeper if keeper is not None and keeper.highest < used else None


async def verified(job: Job, member: Member, *, came_back: bool = False) -> bool:
    """See a member work, once a run; False where a check from here would say nothing. Raises Problem: it is rejected.

    `came_back` = it is gone back to, and may have been undeleted just now. A standard key for the Gemini API alone is gone back
    to where that still takes it; one for other APIs too may be wanted for these.
    """
    key = member.key
    if key.key_id in job.verified:
        return True
    why = verify.why_not_checked(key.key_type, key.restrictions)
    gone_back_to = came_back and to_migrate(key) and verify.why_not_checked("auth", key.restrictions) is None
    if why is not None and not gone_back_to:
        job.say_once(member, "verify", "skipped", why)
        return False
    problem = await rejection(job, member, came_back=came_back)
    if problem is not None and why is not None and key.restricted != "gemini" and entry(problem.cause).of_standard_keys:
        job.say_once(member, "verify", "skipped", f"{why}; what other APIs take is not checked")
        return False
    if problem is not None:
        job.unasked = not verify.rejected(problem)
        job.seen.pop(member.key.key_id, None)
        await job.make_sure(member)  # it may have been deleted meanwhile, which is another matter
        raise problem
    job.verified.add(member.key.key_id)
    job.say(member, "verify", "done", "the Gemini API takes it")
    return True


async def hand_over(job: Job, member: Member, string: KeyString, sinks: Sequence[Sink] | None = None) -> None:
    """To every sink (or these), each read back where it can be. Raises Overtaken before anything is written, or Problem."""
    await job.make_sure(member)
    for sink in job.sinks if sinks is None else sinks:
        delivery = await sink.deliver(string, key_id=member.key.key_id)
        if await sink.read_back(string) is False:
            raise Problem(
                Cause.CONFLICT,
                f"{sink.spec} took the key and holds another one: somebody else writes there",
                project=job.lineage.project,
                fix=("find out what else writes there, then run again",),
            )
        job.handed.add((member.key.key_id, sink.spec))
        job.delivered |= delivery.changed
        job.say(member, f"publish {sink.spec}", "done" if delivery.changed else "already", delivery.detail)
    if not job.sinks:
        job.say(member, "publish", "skipped", "no sink was given: consumers have to take the key themselves")


async def _not_behind(job: Job, member: Member) -> None:
    """Another run was faster. Where the lineage has gone on to another key, that one belongs in the sinks and not ours.

    Where it is a rollback by its own words alone, only what this run put there a moment ago is taken back: whoever goes back
    is about to delete our key, and whoever forged it gets what was there before.
    """
    await job.refresh()
    working = job.lineage.working
    ours = job.member(member.key.key_id)
    gone_on = job.lineage.newest.key.key_id != member.key.key_id
    if ours in job.lineage.in_question and not job.delivered:
        return
    if gone_on and working is not None and working.key.key_id != member.key.key_id:
        await verified(job, working, came_back=working.generation < member.generation)
        await hand_over(job, working, await job.string_of(working))
