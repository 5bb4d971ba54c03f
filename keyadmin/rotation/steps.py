"""The steps of a rotation: create, publish, retire, and the undoing of one. Each may be repeated at any time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from keyadmin.handover.secret_manager import SecretManagerSink
from keyadmin.keys import preflight, provision, verify
from keyadmin.keys.model import GEMINI, GEMINI_ONLY, Key, Restrictions
from keyadmin.problem import Cause, Problem
from keyadmin.rotation.decide import Action, Decision, live_older
from keyadmin.rotation.job import USAGE_SLACK, Job
from keyadmin.rotation.lineage import (
    Member,
    State,
    claims,
    marked,
    successor_id,
    without_claims,
)
from keyadmin.secret import KeyString


async def write(job: Job, member: Member, annotations: dict[str, str]) -> Key:
    """Write a member's annotations under its etag. Raises Problem(conflict) where somebody else changed it."""
    changes = replace(member.key, annotations=annotations)
    return await job.cloud.keys.update(member.key.name, {"annotations"}, changes, etag=member.key.etag)


# ---- create ----------------------------------------------------------------------------------------------------------


async def create(job: Job) -> None:
    """Make the successor, or take the one that is there already, deleted or not. Raises Problem."""
    old = job.lineage.newest
    generation = job.lineage.next_generation
    key_id = successor_id(job.lineage.id, generation)
    migrating = job.terms.migrate and old.key.key_type == "standard"
    account = await _prepared(job) if migrating else old.key.service_account_email
    restrictions = _for_gemini(old.key.restrictions) if migrating else old.key.restrictions
    project = job.lineage.project
    name = f"projects/{project}/locations/global/keys/{key_id}"
    with job.shared.observer.half_made(f"the key {name} may have been made; running again goes on with it"):
        try:
            key = await job.cloud.keys.create(
                project,
                key_id,
                display_name=old.key.display_name,
                restrictions=restrictions,
                annotations=without_claims(old.key.annotations)
                | claims(job.lineage.id, generation, old.key.key_id, State.VERIFYING, job.fingerprint or None),
                service_account_email=account,
            )
            status = "done"
        except Problem as problem:
            if problem.cause is not Cause.ALREADY_EXISTS:
                raise
            key = await job.cloud.keys.get(name)
            status = "already"
    job.put(key)
    made = next(member for member in job.lineage.members if member.key.key_id == key_id)
    job.say(made, "create", "done" if status == "done" else "already", f"generation {generation} of {key.display_name!r}")


def _for_gemini(old: Restrictions) -> Restrictions:
    """A migrated key: the Gemini API alone, for the clients of the old one; its methods are kept where they were named."""
    gemini = tuple(target for target in old.targets if target.service == GEMINI)
    return replace(old, targets=gemini or GEMINI_ONLY.targets)


async def _prepared(job: Job) -> str:
    """The project's APIs are on and its service account is there; once a run and project. Its e-mail address."""
    project = job.lineage.project
    if project not in job.shared.prepared:

        async def prepare() -> str:
            wish = provision.Wish(project, "", "auth", restrictions=GEMINI_ONLY)
            ground, _ = await provision.look(job.cloud, wish, job.shared.observer)
            await provision.prepare(job.cloud, wish, ground, job.shared.observer)
            return preflight.account_email(ground.project)

        job.shared.prepared[project] = asyncio.ensure_future(prepare())
    return await job.shared.prepared[project]


# ---- publish ---------------------------------------------------------------------------------------------------------


async def publish(job: Job) -> None:
    """Verify the newest generation, hand it to every sink, read back, and mark it published. Raises Problem."""
    member = job.lineage.newest
    string = await job.string_of(member)
    await _verify(job, member, string)
    changed = await _hand_over(job, member, string)
    published = member.published if member.published and not changed else job.now()
    annotations = marked(member.key.annotations, State.GRACE, sinks=job.fingerprint or None, published=published)
    try:
        job.put(await write(job, member, annotations))
    except Problem as problem:
        if problem.cause is Cause.CONFLICT:
            await _not_behind(job, member)
        raise
    job.say(job.lineage.newest, "mark", "done", "published")


async def _verify(job: Job, member: Member, string: KeyString) -> None:
    why = verify.why_not_checked(member.key.key_type, member.key.restrictions)
    if why is not None:
        job.say(member, "verify", "skipped", why)
        return
    problem = await verify.until_accepted(job.cloud, string, job.shared.observer, job.verify_s)
    if problem is not None:
        problem.exit_code = None
        raise problem
    job.say(member, "verify", "done", "the Gemini API takes it")


async def _hand_over(job: Job, member: Member, string: KeyString) -> bool:
    """To every sink, each read back where it can be; whether any sink changed."""
    changed = False
    for sink in job.sinks:
        delivery = await sink.publish(string)
        if await sink.holds(string) is False:
            raise Problem(
                Cause.CONFLICT,
                f"{sink.spec} took the key and holds another one: somebody else writes there",
                project=job.lineage.project,
                fix=("find out what else writes there, then run again",),
                notes=["read-back"],
            )
        changed = changed or delivery.changed
        job.say(member, f"publish {sink.spec}", "done" if delivery.changed else "already", delivery.detail)
    if not job.sinks:
        job.say(member, "publish", "skipped", "no sink was given: consumers have to take the new key themselves")
    return changed


async def _not_behind(job: Job, member: Member) -> None:
    """Another run was faster. If it has gone on to a further generation, that one belongs in the sinks and not ours."""
    await job.refresh()
    newest = job.lineage.newest
    if newest.generation > member.generation and newest.live:
        await _hand_over(job, newest, await job.string_of(newest))


# ---- retire ----------------------------------------------------------------------------------------------------------


async def retire(job: Job) -> Decision | None:
    """Grace is over: the sinks are read again, the use of the old key is looked at, it is deleted. A Decision = wait."""
    newest = job.lineage.newest
    if job.sinks and await _republish(job, newest):
        return None
    older = live_older(job.lineage)
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
    string = await job.string_of(newest)
    lost = [sink for sink in job.sinks if await sink.holds(string) is False]
    if not lost:
        job.say(newest, "read back", "done", "every sink that can be read has it")
        return False
    job.say(newest, "read back", "done", f"{', '.join(sink.spec for sink in lost)} did not have it")
    await _hand_over(job, newest, string)
    job.put(await write(job, newest, marked(newest.key.annotations, State.GRACE, published=job.now())))
    return True


async def _use_check(job: Job, old: Member, newest: Member) -> tuple[bool, Decision | None]:
    """Whether the service is to check the use itself (where Monitoring could not be read); a Decision = still in use."""
    if job.terms.emergency or job.force_use:
        job.say(old, "use check", "skipped", "not looked at, as asked")
        return False, None
    last = await job.shared.usage.last(job.lineage.project, old.key.uid, job.now())
    if isinstance(last, Problem):
        job.say(old, "use check", "skipped", f"unknown ({last.message}); the service is asked to check")
        return True, None
    if last is not None and newest.published is not None and last - USAGE_SLACK >= newest.published:
        return False, _in_use(job, old, f"was used after its successor was published, last about {last:%Y-%m-%d %H:%M} UTC")
    job.say(old, "use check", "done", "no use since its successor was published")
    return False, None


def _in_use(job: Job, old: Member, how: str) -> Decision:
    why = f"{old.key.key_id} {how}; it is kept until that ends"
    job.say(old, "use check", "waiting", why)
    ways = (f"see by whom: keyadmin keys usage {old.key.key_id} -p {job.lineage.project}", "or retire it all the same: --force")
    return Decision(Action.WAIT, why, ways_out=ways)


async def _take_away(job: Job, old: Member, newest: Member, check: bool) -> Decision | None:
    """Delete the old key; of one with other APIs (a migration) only the Gemini API is taken. A Decision = still in use."""
    if newest.key.key_type == "auth" and old.key.key_type == "standard" and old.key.restricted == "mixed":
        rest = tuple(target for target in old.key.restrictions.targets if target.service != GEMINI)
        changes = replace(old.key, restrictions=replace(old.key.restrictions, targets=rest))
        job.put(await job.cloud.keys.update(old.key.name, {"restrictions"}, changes, etag=old.key.etag))
        job.say(old, "retire", "done", f"keeps {', '.join(target.service for target in rest)}")
        return None
    try:
        job.put(await job.cloud.keys.delete(old.key.name, etag=old.key.etag, usage_check="CHECK" if check else None))
        job.say(old, "retire", "done", "deleted; recoverable for 30 days")
    except Problem as problem:
        if problem.cause is Cause.NOT_FOUND:  # purged; 403 never comes here
            _forget(job, old)
            return None
        if problem.status != "FAILED_PRECONDITION":
            raise
        now = await job.cloud.keys.get(old.key.name)
        if now.delete_time is None:
            if check:
                return _in_use(job, old, "was used in the last 7 days")
            raise
        job.put(now)
        job.say(old, "retire", "already", "deleted")
    return None


def _forget(job: Job, gone: Member) -> None:
    members = tuple(member for member in job.lineage.members if member.key.key_id != gone.key.key_id)
    job.lineage = replace(job.lineage, members=members)
    job.say(None, "retire", "already", f"{gone.key.key_id} is purged")


async def _disable_versions(job: Job, newest: Member) -> None:
    for sink in job.sinks:
        if isinstance(sink, SecretManagerSink):
            count = await sink.disable_older(await job.string_of(newest))
            job.say(newest, f"disable versions {sink.spec}", "done" if count else "already", f"{count} older versions disabled")


# ---- undo ------------------------------------------------------------------------------------------------------------


async def undo(job: Job) -> None:
    """Finish a rollback: the key rolled back to works and is in every sink; then what came after it is deleted."""
    back = job.lineage.newest
    string = await job.string_of(back)
    await _verify(job, back, string)
    await _hand_over(job, back, string)
    for member in [member for member in job.lineage.voided if member.live]:
        try:
            job.put(await job.cloud.keys.delete(member.key.name, etag=member.key.etag))
        except Problem as problem:
            if problem.status != "FAILED_PRECONDITION":
                raise
            job.put(await job.cloud.keys.get(member.key.name))
        job.say(member, "retire", "done", "deleted; recoverable for 30 days")
