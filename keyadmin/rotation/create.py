"""The step that makes a successor."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from keyadmin.access import constraints
from keyadmin.keys import provision
from keyadmin.keys.preflight import ProjectState, account_email
from keyadmin.model import org_policy
from keyadmin.model.key import GEMINI, GEMINI_ONLY, Key, Restrictions
from keyadmin.model.lineage import LAST, SINKS, Member, State, claims, successor_id
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.decide import to_migrate
from keyadmin.rotation.job import Job
from keyadmin.rotation.permitted import permitted
from keyadmin.rotation.refusal import CREATE, MARK, ROTATING


async def create(job: Job) -> None:
    """Make the successor, or take the one that is there already, deleted or not. Raises Problem."""
    for sink in job.sinks:  # what cannot be handed over is not made
        await sink.preflight()
    await permitted(job.cloud, job.lineage.project, first_needed(job))
    await job.make_sure(replaced(job))  # the listing may be old by now, and what it says is copied
    job.unknown = await allowed(job)  # a successor whose notes are refused would be left half made
    job.shared.tell_unknown(job.unknown)
    wish = successor(job)
    try:
        key = await (_migrated(job, wish) if migrating(job) else _copied(job, wish))
    except Problem as problem:
        if problem.cause is not Cause.ALREADY_EXISTS:
            raise
        key = await job.cloud.keys.get(f"projects/{wish.project}/locations/global/keys/{wish.key_id}")
    job.put(key)
    made = job.member(key.key_id)
    said = f"generation {made.generation} of {key.display_name!r}"
    job.say(made, "create", "already" if key.key_string is None else "done", said)


async def allowed(job: Job) -> str:
    """Why it is not known whether the organisation's constraints let the rotation through: the successor is made like the old
    key, and notes are written on both. Raises their refusal.
    """
    old, wish = replaced(job).key, successor(job)
    account = wish.service_account or (account_email(wish.project) if wish.key_type == "auth" else None)
    new = replace(old, restrictions=wish.restrictions, service_account_email=account, project=wish.project)
    made = await constraints.foresee(job.cloud, new, org_policy.CREATE)
    noted = await constraints.foresee(job.cloud, replace(old, project=wish.project), org_policy.UPDATE)
    if refusing := (*made.refusing, *noted.refusing):
        raise constraints.refusal(wish.project, ROTATING, {each.name: each.description for each in refusing}, old.key_id)
    return made.unknown or noted.unknown


def first_needed(job: Job) -> list[str]:
    """What is looked at before a successor is made: one that cannot be marked would never be handed over."""
    return [MARK] if migrating(job) else [CREATE, MARK]  # a migration looks at what making takes by itself


def replaced(job: Job) -> Member:
    """The key that the successor is for."""
    return job.member(job.leaked) if job.leaked else job.lineage.newest


def migrating(job: Job) -> bool:
    """Whether the successor is of another type."""
    return job.terms.migrate and to_migrate(replaced(job).key)


def successor(job: Job) -> provision.KeySpec:
    """What is made: a key like the old one, or in a migration an auth key for the Gemini API."""
    old, generation = replaced(job), _generation(job)
    wish = provision.KeySpec(
        job.lineage.project,
        old.key.display_name,
        old.key.key_type,
        successor_id(job.lineage.id, generation),
        restrictions=old.key.restrictions,
        annotations=_annotations(job, old, generation),
        service_account=old.key.service_account_email,
    )
    if not migrating(job):
        return wish
    return replace(wish, key_type="auth", restrictions=_for_gemini(old.key.restrictions), service_account=None)


def _generation(job: Job) -> int:
    """Claims count here, too, so that no id comes twice; but none of them keeps a leaked key from being replaced."""
    claimed = job.lineage.next_generation
    return claimed if claimed <= LAST or not job.leaked else job.lineage.members[-1].generation + 1


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
