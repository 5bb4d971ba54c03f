"""The steps of a rotation: create, publish, retire, and the undoing of one. Each may be repeated at any time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from keyadmin.handover.sink import Sink
from keyadmin.keys import provision, verify
from keyadmin.keys.preflight import ProjectState
from keyadmin.model.duration import words
from keyadmin.model.key import GEMINI, GEMINI_ONLY, ApiTarget, Key, Restrictions
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString
from keyadmin.rotation.acceptance import rejection
from keyadmin.rotation.decide import Action, Decision, live_older, to_migrate
from keyadmin.rotation.job import USAGE_SLACK, Job, Overtaken
from keyadmin.rotation.lineage import HIGHEST, SINKS, Member, State, claims, marked, successor_id

# What a standard key is rejected with for being one (reported; since late in 2026 some get the second).
_AS_STANDARD: Final = frozenset({Cause.STANDARD_KEY_REJECTED, Cause.API_KEY_INVALID})


async def write(job: Job, member: Member, annotations: dict[str, str]) -> Key:
    """Write a member's annotations under its etag. Raises Overtaken where somebody else changed or deleted it."""
    changes = replace(member.key, annotations=annotations)
    try:
        return await job.cloud.keys.update(member.key.name, {"annotations"}, changes, etag=member.key.etag)
    except Problem as problem:
        raise _or_overtaken(problem) from None


async def restrict(job: Job, member: Member, targets: tuple[ApiTarget, ...]) -> None:
    """Give a member other APIs under its etag. Raises Overtaken where somebody else changed or deleted it."""
    changes = replace(member.key, restrictions=replace(member.key.restrictions, targets=targets))
    try:
        job.put(await job.cloud.keys.update(member.key.name, {"restrictions"}, changes, etag=member.key.etag))
    except Problem as problem:
        raise _or_overtaken(problem) from None


def _or_overtaken(problem: Problem) -> Problem:
    """What a change was refused with, or Overtaken: its key is not as it was read, but has another etag, is deleted or gone."""
    if problem.cause in (Cause.CONFLICT, Cause.NOT_FOUND) or problem.status == "FAILED_PRECONDITION":
        return Overtaken(Cause.CONFLICT, problem.message, status=problem.status, project=problem.project)
    return problem


# ---- create ----------------------------------------------------------------------------------------------------------


async def create(job: Job) -> None:
    """Make the successor, or take the one that is there already, deleted or not. Raises Problem."""
    old = job.lineage.newest
    await job.make_sure(old)  # the listing may be old by now, and what it says is copied
    generation = job.lineage.next_generation
    wish = provision.KeySpec(
        job.lineage.project,
        old.key.display_name,
        old.key.key_type,
        successor_id(job.lineage.id, generation),
        restrictions=old.key.restrictions,
        annotations=_annotations(job, old, generation),
        service_account=old.key.service_account_email,
    )
    migrating = job.terms.migrate and to_migrate(old.key)
    if migrating:
        wish = replace(wish, key_type="auth", restrictions=_for_gemini(old.key.restrictions), service_account=None)
    try:
        key = await (_migrated(job, wish) if migrating else _copied(job, wish))
    except Problem as problem:
        if problem.cause is not Cause.ALREADY_EXISTS:
            raise
        key = await job.cloud.keys.get(f"projects/{wish.project}/locations/global/keys/{wish.key_id}")
    job.put(key)
    made = job.member(key.key_id)
    job.say(made, "create", "already" if key.key_string is None else "done", f"generation {generation} of {key.display_name!r}")


async def _copied(job: Job, wish: provision.KeySpec) -> Key:
    """The successor of the predecessor's type: all that it needs is there, since the predecessor has it."""
    assert wish.key_id is not None
    return await job.cloud.keys.create(
        wish.project,
        wish.key_id,
        display_name=wish.display_name,
        restrictions=wish.restrictions,
        annotations=wish.annotations,
        service_account_email=wish.service_account,
    )


async def _migrated(job: Job, wish: provision.KeySpec) -> Key:
    """An auth key in the place of a standard one: the project's APIs and service account are prepared, once a run."""
    project = wish.project
    if project not in job.shared.prepared:
        job.shared.prepared[project] = asyncio.ensure_future(_prepare(job, wish))
    return await provision.create_key(job.cloud, wish, await job.shared.prepared[project], job.shared.observer)


async def _prepare(job: Job, wish: provision.KeySpec) -> ProjectState:
    ground, _ = await provision.look(job.cloud, wish, job.shared.observer)
    await provision.prepare(job.cloud, wish, ground, job.shared.observer)
    return ground


def _annotations(job: Job, old: Member, generation: int) -> dict[str, str]:
    """Other people's are carried over. The sinks are named from the start: from now on they may have the key."""
    own = claims(job.lineage.id, generation, old.key.key_id, State.VERIFYING, job.lineage.founder_id)
    return old.key.foreign_annotations | own | ({SINKS: job.fingerprint} if job.fingerprint else {})


def _for_gemini(old: Restrictions) -> Restrictions:
    """A migrated key: the Gemini API alone, for the clients of the old one; its methods are kept where they were named."""
    gemini = tuple(target for target in old.targets if target.service == GEMINI)
    return replace(old, targets=gemini or GEMINI_ONLY.targets)


# ---- publish ---------------------------------------------------------------------------------------------------------


async def publish(job: Job) -> None:
    """Verify the newest generation, hand it to every sink, read back, and mark it published. Raises Problem."""
    member = job.lineage.newest
    await remember(job)
    string = await job.string_of(member)
    await verified(job, member)
    await _hand_over(job, member, string)
    annotations = marked(member.key.annotations, State.GRACE, sinks=job.fingerprint or None, published=job.now())
    try:
        job.put(await write(job, member, annotations))
    except Overtaken:
        await _not_behind(job, member)
        raise
    job.say(job.lineage.newest, "mark", "done", "published")


async def remember(job: Job) -> None:
    """Note on an older key that lives which generations there were: a newer one that somebody deletes is purged after 30 days,
    and its id must not come again. Raises Problem.
    """
    used = job.lineage.next_generation - 1
    keeper = next((member for member in reversed(job.lineage.counted) if member.live and member.generation < used), None)
    if keeper is None or keeper.highest >= used:
        return
    own = claims(job.lineage.id, keeper.generation, None, keeper.state or State.RETIRED)
    job.put(await write(job, keeper, dict(keeper.key.annotations) | own | {HIGHEST: str(used)}))


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
    if problem is not None and why is not None and key.restricted != "gemini" and problem.cause in _AS_STANDARD:
        job.say_once(member, "verify", "skipped", f"{why}; what other APIs take is not looked at")
        return False
    if problem is not None:
        job.seen.pop(member.key.key_id, None)
        await job.make_sure(member)  # it may have been deleted meanwhile, which is another matter
        raise problem
    job.verified.add(member.key.key_id)
    job.say(member, "verify", "done", "the Gemini API takes it")
    return True


async def _hand_over(job: Job, member: Member, string: KeyString) -> None:
    """To every sink, each read back where it can be. Raises Overtaken before anything is written, or Problem."""
    await job.make_sure(member)
    for sink in job.sinks:
        delivery = await sink.deliver(string, key_id=member.key.key_id)
        if await sink.read_back(string) is False:
            raise Problem(
                Cause.CONFLICT,
                f"{sink.spec} took the key and holds another one: somebody else writes there",
                project=job.lineage.project,
                fix=("find out what else writes there, then run again",),
            )
        job.say(member, f"publish {sink.spec}", "done" if delivery.changed else "already", delivery.detail)
    if not job.sinks:
        job.say(member, "publish", "skipped", "no sink was given: consumers have to take the key themselves")


async def _not_behind(job: Job, member: Member) -> None:
    """Another run was faster. Where the lineage has gone on to another key, that one belongs in the sinks and not ours."""
    await job.refresh()
    working = job.lineage.working
    gone_on = job.lineage.newest.key.key_id != member.key.key_id
    if gone_on and working is not None and working.key.key_id != member.key.key_id:
        await _hand_over(job, working, await job.string_of(working))


# ---- retire ----------------------------------------------------------------------------------------------------------


async def retire(job: Job) -> Decision | None:
    """Grace is over: the sinks are read again, the use of the old key is looked at, it is deleted. A Decision = wait."""
    newest = job.lineage.newest
    if await _republish(job, newest):
        return None
    if (waiting := _left_behind(job, newest)) is not None:
        return waiting
    older = live_older(job.lineage)
    if older and not await verified(job, newest):
        await job.make_sure(newest)  # nothing is taken away while its successor may be gone
    for old in older:
        check, waiting = await _use_check(job, old, newest)
        if waiting is not None:
            return waiting
        if (waiting := await _take_away(job, old, newest, check)) is not None:
            return waiting
    await _disable_versions(job, newest)
    job.put(await write(job, newest, marked(newest.key.annotations, State.RETIRED)))
    job.say(job.lineage.newest, "mark", "done", "the rotation is complete")
    return None


async def _republish(job: Job, newest: Member) -> bool:
    """Hand over again to sinks that do not hold the newest key; then grace begins anew. Whether that was needed."""
    if not job.sinks:
        if newest.sinks:
            job.say(newest, "read back", "skipped", "its sinks were not given: nobody looked whether they still have it")
        return False
    lost, blind = await _read_back(job, newest)
    if not lost:
        if not blind:
            job.say(newest, "read back", "done", "every sink has it")
        else:
            told = f"{', '.join(blind)} cannot be read back and {'has' if len(blind) == 1 else 'have'} to be believed"
            others = len(blind) < len(job.sinks)
            job.say(newest, "read back", *(("done", f"every other sink has it; {told}") if others else ("skipped", told)))
        return False
    job.say(newest, "read back", "done", f"{', '.join(sink.spec for sink in lost)} did not have it")
    await publish(job)
    return True


def _left_behind(job: Job, newest: Member) -> Decision | None:
    """A Decision where sinks were left with the old key: it was handed to some, and the new one to none."""
    held = next((old for old in live_older(job.lineage) if old.sinks), None)
    if held is None or job.sinks or newest.sinks or job.force_use or job.terms.emergency:
        return None
    why = f"{held.key.key_id} was handed to sinks and is kept until these have the new key"
    job.say(held, "retire", "waiting", why)
    named = f"keyadmin keys rotate {newest.key.key_id} -p {job.lineage.project} --to SINK"
    way = f"give them: {named}, or put them into the policy (sinks = [...])"
    return Decision(Action.WAIT, why, ways_out=(way, "or retire it all the same: --force"))


async def _read_back(job: Job, member: Member) -> tuple[list[Sink], list[str]]:
    """The sinks that hold something else, and the names of those that cannot be read."""
    string = await job.string_of(member)
    held = [(sink, await sink.read_back(string)) for sink in job.sinks]
    return [sink for sink, has in held if has is False], [sink.spec for sink, has in held if has is None]


async def _use_check(job: Job, old: Member, newest: Member) -> tuple[bool, Decision | None]:
    """Whether the service is to check the use itself (where Monitoring could not be read); a Decision = still in use."""
    if job.terms.emergency or job.force_use:
        job.say(old, "use check", "skipped", "not looked at, as asked")
        return False, None
    service = GEMINI if _splits(old, newest) else None  # what it keeps may be used on
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
    job.say(old, "use check", "done", f"no use since its successor was published, or none for {words(quiet)}")
    return False, None


def _splits(old: Member, newest: Member) -> bool:
    """Whether the old key, being for other APIs too, is to keep these: the new one is for the Gemini API alone."""
    return newest.key.key_type == "auth" and old.key.key_type == "standard" and old.key.restricted == "mixed"


def _in_use(job: Job, old: Member, how: str) -> Decision:
    why = f"{old.key.key_id} {how}; it is kept until nobody uses it any more"
    job.say(old, "use check", "waiting", why)
    named = f"{old.key.key_id} -p {job.lineage.project}"
    ways: tuple[str, ...] = (f"see for what: keyadmin keys usage {named}", "or retire it all the same: --force")
    if old.key.restricted == "none" and old.key.key_type == "standard":
        ways += (f"or leave it to the other APIs it is used for: keyadmin keys restrict {named} --api-target SERVICE",)
    return Decision(Action.WAIT, why, ways_out=ways)


async def _take_away(job: Job, old: Member, newest: Member, check: bool) -> Decision | None:
    """Delete the old key; of one with other APIs (a migration) only the Gemini API is taken. A Decision = still in use."""
    if _splits(old, newest):
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
        raise _or_overtaken(problem) from None
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


# ---- undo ------------------------------------------------------------------------------------------------------------


async def undo(job: Job) -> Decision | None:
    """Finish a rollback: the key rolled back to works and is in every sink; then what came after it is deleted.

    A Decision = it is kept: it was handed to sinks that were not given, which would be left with a deleted key.
    """
    back = job.lineage.newest
    string = await job.string_of(back)
    await verified(job, back, came_back=True)
    for member in _living(job):
        if not member.complete:  # a run that is about to publish it is refused from now on
            job.put(await write(job, member, marked(member.key.annotations, State.RETIRED)))
    await _hand_over(job, back, string)
    if not job.sinks and any(member.sinks for member in _living(job)):
        why = "what came after it was handed to sinks and is kept until these have the key that was rolled back to"
        job.say(back, "retire", "waiting", why)
        way = f"give its sinks: keyadmin rotation rollback {back.key.key_id} -p {job.lineage.project} --to SINK (or --policy)"
        return Decision(Action.WAIT, why, ways_out=(way,))
    for member in _living(job):
        try:
            job.put(await job.cloud.keys.delete(member.key.name, etag=member.key.etag))
        except Problem as problem:
            raise _or_overtaken(problem) from None
        job.say(member, "retire", "done", "deleted; recoverable for 30 days")
    if back.cause:
        job.put(await write(job, back, marked(back.key.annotations, State.RETIRED)))
    return None


def _living(job: Job) -> list[Member]:
    return [member for member in job.lineage.voided if member.live]
