"""The step that takes an old key away, once nothing holds or uses it any more. It may be repeated at any time."""

from __future__ import annotations

from dataclasses import replace

from keyadmin.handover.sink import Sink
from keyadmin.model.command_line import typed
from keyadmin.model.duration import words
from keyadmin.model.key import GEMINI
from keyadmin.model.lineage import PREDECESSOR, Member, State, marked
from keyadmin.model.problem import Problem
from keyadmin.rotation.changes import or_overtaken, restrict, write
from keyadmin.rotation.decide import Action, Decision, live_older
from keyadmin.rotation.job import USAGE_SLACK, Job
from keyadmin.rotation.publish import hand_over, publish, verified


async def retire(job: Job) -> Decision | None:
    """Grace is over: the sinks are read again, the use of the old key is looked at, it is deleted. A Decision = wait.

    Whatever annotations claim: the successor works, and every sink has it, before anything goes.
    """
    newest = job.lineage.newest
    older = to_go(job)
    verified_now = bool(older) and await verified(job, newest)
    if await _republish(job, newest, blind_too=bool(older)):
        return None
    if (waiting := left_behind(job, newest)) is not None:
        return waiting
    if older and not verified_now:
        await job.make_sure(newest)  # nothing is taken away while its successor may be gone
    for old in older:
        check, waiting = await use_check(job, old, newest)
        if waiting is not None:
            return waiting
        if (waiting := await _take_away(job, old, newest, check)) is not None:
            return waiting
    await _disable_versions(job, newest)
    await _mark(job, newest)
    return None


def to_go(job: Job) -> list[Member]:
    """What is taken away: the old keys, or the leaked one alone."""
    if not job.leaked:
        return live_older(job.lineage)
    return [member for member in job.lineage.members if member.live and member.key.key_id == job.leaked]


async def _mark(job: Job, newest: Member) -> None:
    """The rotation is complete, unless an older key is in its grace period still (a leak in the middle of a rotation)."""
    left = live_older(job.lineage)
    if not left:
        job.put(await write(job, newest, marked(newest.key.annotations, State.RETIRED)))
        job.say(job.lineage.newest, "mark", "done", "the rotation is complete")
    elif newest.predecessor_id != left[-1].key.key_id:
        named = dict(newest.key.annotations) | {PREDECESSOR: left[-1].key.key_id}
        job.put(await write(job, newest, marked(named, State.GRACE)))
        job.say(job.lineage.newest, "mark", "done", f"{left[-1].key.key_id} works until its grace period is over")


async def _republish(job: Job, newest: Member, *, blind_too: bool) -> bool:
    """Hand over again to sinks that do not hold the newest key; then grace begins anew. Whether that was needed.

    `blind_too` = a key is to go: a sink that cannot be read back gets the newest one once more before.
    """
    if not job.sinks:
        if newest.sinks:
            job.say(newest, "read back", "skipped", "its sinks were not given: nobody looked whether they still have it")
        return False
    lost, blind = await _read_back(job, newest)
    if lost:
        job.say(newest, "read back", "done", f"{', '.join(sink.spec for sink in lost)} did not have it")
        await publish(job)
        return True
    again = [sink for sink in blind if (newest.key.key_id, sink.spec) not in job.handed]
    if blind_too and again:
        await hand_over(job, newest, await job.string_of(newest), again)
    if not blind:
        job.say(newest, "read back", "done", "every sink has it")
    else:
        names = ", ".join(sink.spec for sink in blind)
        told = f"{names} cannot be read back and {'has' if len(blind) == 1 else 'have'} to be believed"
        others = len(blind) < len(job.sinks)
        job.say(newest, "read back", *(("done", f"every other sink has it; {told}") if others else ("skipped", told)))
    return False


def left_behind(job: Job, newest: Member) -> Decision | None:
    """A Decision where sinks were left with the old key: it was handed to some, and the new one to none."""
    held = next((old for old in live_older(job.lineage) if old.sinks), None)
    if held is None or job.sinks or newest.sinks or job.force_use or job.terms.emergency:
        return None
    why = f"{held.key.key_id} was handed to sinks and is kept until these have the new key"
    job.say(held, "retire", "waiting", why)
    named = typed("keys rotate", newest.key.key_id, project=job.lineage.project, to="SINK")
    way = f"give them: {named}, or put them into the policy (sinks = [...])"
    return Decision(Action.WAIT, why, ways_out=(way, "or retire it all the same: --force"))


async def _read_back(job: Job, member: Member) -> tuple[list[Sink], list[Sink]]:
    """The sinks that hold something else, and those that cannot be read."""
    string = await job.string_of(member)
    held = [(sink, await sink.read_back(string)) for sink in job.sinks]
    return [sink for sink, has in held if has is False], [sink for sink, has in held if has is None]


async def use_check(job: Job, old: Member, newest: Member) -> tuple[bool, Decision | None]:
    """Whether the service is to check the use itself (where Monitoring could not be read); a Decision = still in use."""
    if job.terms.emergency or job.force_use:
        job.say(old, "use check", "skipped", "not checked, as asked")
        return False, None
    service = GEMINI if splits(old, newest) else None  # what it keeps may be used on
    last = await job.shared.usage.last(job.lineage.project, old.key.uid, service)
    if isinstance(last, Problem):
        asked = "" if service else "; the service is asked to check"
        job.say(old, "use check", "skipped", f"unknown ({last.message}){asked}")
        return service is None, None
    quiet = max(job.terms.grace, USAGE_SLACK)
    if last is not None and newest.published is not None:
        since = last.end - USAGE_SLACK >= newest.published
        if since and job.now() < last.end + quiet:
            how = f"was used for {last.service} after its successor was published, last about {last.end:%Y-%m-%d %H:%M} UTC"
            return False, replace(_in_use(job, old, how), until=last.end + quiet)
    job.say(old, "use check", "done", f"not used since its successor was published, or not for {words(quiet)}")
    return False, None


def splits(old: Member, newest: Member) -> bool:
    """Whether the old key, being for other APIs too, is to keep these: the new one is for the Gemini API alone."""
    return newest.key.key_type == "auth" and old.key.key_type == "standard" and old.key.restricted == "mixed"


def _in_use(job: Job, old: Member, how: str) -> Decision:
    why = f"{old.key.key_id} {how}; it is kept until nobody uses it any more"
    job.say(old, "use check", "waiting", why)
    name, project = old.key.key_id, job.lineage.project
    ways: tuple[str, ...] = (
        f"see for what: {typed('keys usage', name, project=project)}",
        "or retire it all the same: --force",
    )
    if old.key.restricted == "none" and old.key.key_type == "standard":
        narrow = typed("keys restrict", name, project=project, api_target="SERVICE")
        ways += (f"or leave it to the other APIs it is used for: {narrow}",)
    return Decision(Action.WAIT, why, ways_out=ways)


async def _take_away(job: Job, old: Member, newest: Member, check: bool) -> Decision | None:
    """Delete the old key; of one with other APIs (a migration) only the Gemini API is taken. A Decision = still in use."""
    if splits(old, newest) and not job.leaked:
        rest = tuple(target for target in old.key.restrictions.targets if target.service != GEMINI)
        await restrict(job, old, rest)
        job.say(old, "retire", "done", f"keeps {', '.join(target.service for target in rest)}")
        return None
    try:
        job.put(await job.cloud.keys.delete(old.key.name, etag=old.key.etag, usage_check="CHECK" if check else None))
    except Problem as problem:
        # Deleted or purged meanwhile, or used (where the service was asked to check). 403 is neither.
        refused = problem.status == "FAILED_PRECONDITION"
        if refused and (await job.cloud.keys.get(old.key.name)).delete_time is None:
            if check:
                return _in_use(job, old, "was used in the last 7 days")
            raise
        raise or_overtaken(problem) from None
    job.say(old, "retire", "done", "deleted; recoverable for 30 days")
    return None


async def _disable_versions(job: Job, newest: Member) -> None:
    for sink in job.sinks:
        if sink.disables_older:
            count, step = await sink.disable_older(await job.string_of(newest)), f"disable versions {sink.spec}"
            if count is None:
                job.say(newest, step, "skipped", "its newest version cannot be read, so the older ones are left alone")
            else:
                job.say(newest, step, "done" if count else "already", f"{count} older versions disabled")
