"""Making a key that works: permissions, APIs, service account, the key with its restrictions, and the proof that it works."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from keyadmin.access import constraints
from keyadmin.access.charged import Charged
from keyadmin.access.permissions import FEATURES
from keyadmin.keys import exposure, preflight, quota_project, refusals, resolve, verify
from keyadmin.keys.change import Started
from keyadmin.keys.preflight import ProjectState
from keyadmin.keys.present import Verification
from keyadmin.keys.resolve import FullName
from keyadmin.keys.retry_until import retry_until
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI, GEMINI_ONLY, Key, Restrictions
from keyadmin.model.observer import Observer
from keyadmin.model.org_policy import CREATE
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyType

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

ACCOUNT_TITLE: Final = "Gemini API keys (made by keyadmin)"
NEW_ACCOUNT_S: Final = 60.0  # a new service account may not be found for seconds (facts 4)
# After such an answer, or none, the service may have done it all the same.
_UNSURE: Final = frozenset({None, "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN"})


@dataclass(frozen=True)
class KeySpec:
    """The key that is wanted. `service_account` = bind it to this one, None = keyadmin's own (auth keys)."""

    project: str
    display_name: str
    key_type: KeyType = "auth"
    key_id: str | None = None
    restrictions: Restrictions = GEMINI_ONLY
    annotations: Mapping[str, str] = field(default_factory=dict)
    service_account: str | None = None
    if_absent: bool = False
    check: bool = True  # prove that the Gemini API takes it
    check_s: float = verify.PROPAGATION_S
    enable_in_quota: bool = False  # switch APIs on in the project charged too, where that is another one
    exposing: frozenset[str] | None = None  # ids of unrestricted keys beside which Gemini may be switched on; None = whichever

    @property
    def own_account(self) -> bool:
        """Whether keyadmin's own service account of the project is used."""
        return self.key_type == "auth" and self.service_account is None


@dataclass(frozen=True)
class CreateResult:
    """A key as it came out. `why` says why it was not verified; `problem` what the Gemini API said against it."""

    key: Key
    verification: Verification
    created: bool = True
    why: str | None = None
    problem: Problem | None = None


def new_key_id(display_name: str) -> str:
    """An id chosen beforehand, so that repeating a call whose answer was lost cannot make a second key.

    It begins like the display name and ends in eight random characters.
    """
    return id_like(display_name, "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8)))


def id_like(display_name: str, tail: str) -> str:
    """A key id that begins like a display name: `my-first-key-TAIL`."""
    words = re.sub(r"[^a-z0-9]+", "-", display_name.lower()).strip("-")[:40].strip("-")
    if not words or not words[0].isalpha():
        words = f"key-{words}".rstrip("-")
    return f"{words}-{tail}"


def plan(wish: KeySpec, ground: ProjectState) -> list[str]:
    """What `create` would do, step by step, for people."""
    unsure = "" if ground.states_known else " (if it is off)"
    steps = quota_project.steps(ground.charged, _same_project(ground))
    steps += [f"enable {service}{unsure}" for service in ground.to_enable]
    if wish.own_account and ground.account is None:
        steps.append(f"make or reuse the service account {preflight.account_email(ground.project)}")
    kind = "an auth key" if wish.key_type == "auth" else "a standard key"
    steps.append(f"create {kind} named {wish.display_name!r} in project {ground.project}")
    why = _why_skipped(wish)
    steps.append(f"not verify it: {why}" if why else "verify that the Gemini API takes it")
    return steps


async def first_look(cloud: Cloud, wish: KeySpec) -> Charged | None:
    """What is off in the project that the calls are charged to. Changes nothing. Raises ApisOffWhereCharged."""
    calls = FEATURES[preflight.FEATURE[wish.key_type]].calls
    return await quota_project.look(cloud, wish.project, calls, allowed=wish.enable_in_quota)


async def look(cloud: Cloud, wish: KeySpec, observer: Observer) -> tuple[ProjectState, Key | None]:
    """The preflight, and the key that is there already where `if_absent` allows it. Changes nothing. Raises Problem."""
    observer.step("Checking permissions")
    ground = await preflight.probe(cloud, wish.project, wish.key_type, wish.restrictions, own_account=wish.own_account)
    existing = await present(cloud, wish, ground.project) if wish.if_absent else None
    if existing is None:
        await ground.require(cloud, wish.key_type)
    return ground, existing


async def create(cloud: Cloud, wish: KeySpec, observer: Observer) -> CreateResult:
    """The whole way from permissions to a verified key. Raises Problem; a key that is made but rejected is in `Made`."""
    chosen = wish.key_id is not None
    wish, ground, existing = await _ready(cloud, wish, observer)
    if existing is not None:
        return _given_back(existing)
    try:
        key = await create_key(cloud, wish, ground, observer)
    except Problem as problem:
        if problem.cause is Cause.NOT_FOUND and wish.service_account is not None:
            problem.fix = (
                f"leave --service-account out, and {preflight.ACCOUNT_ID} is made and used",
                "or name one that exists",
            )
        if problem.cause is Cause.KEY_QUOTA_EXCEEDED:
            raise refusals.full(ground.project) from problem
        if problem.cause is Cause.ORG_POLICY_CONSTRAINT:
            raise constraints.told(problem, ground.project, _making(wish)) from problem
        if problem.cause is Cause.ORG_POLICY_BLOCKS_KEY_BINDING:
            raise refusals.binding_forbidden(ground.project) from problem
        if problem.cause is not Cause.ALREADY_EXISTS:
            raise
        return await _already_there(cloud, wish, problem, chosen=chosen)
    return await _verified(cloud, wish, key, observer)


async def start(cloud: Cloud, wish: KeySpec, observer: Observer) -> Started | CreateResult:
    """The same up to the call that creates the key, which is not waited for. The key is neither verified nor shown."""
    wish, _, existing = await _ready(cloud, wish, observer)
    if existing is not None:
        return _given_back(existing)
    assert wish.key_id is not None
    name = str(FullName(wish.project, wish.key_id))
    with _half_made(observer, f"the key {name} may have been made: {_go_on(wish.key_id, wish.project)}"):
        operation = await cloud.keys.start_create(
            wish.project,
            wish.key_id,
            display_name=wish.display_name,
            restrictions=wish.restrictions,
            annotations=wish.annotations,
            service_account_email=_account_of(wish),
        )
    return Started(name, operation)


async def _ready(cloud: Cloud, wish: KeySpec, observer: Observer) -> tuple[KeySpec, ProjectState, Key | None]:
    """Everything before the key itself; the wish comes back with the project's id and the key's id filled in."""
    charged = await first_look(cloud, wish)
    charged = await quota_project.open_for_looking(cloud, charged, wish.project, observer)
    ground, existing = await look(cloud, wish, observer)
    ground = replace(ground, charged=charged)
    if existing is None:
        if ground.to_enable or (wish.own_account and ground.account is None):
            await allowed(cloud, wish, ground)  # nothing is prepared for a key that a constraint refuses
        exposure.require(ground.project, ground.exposed, wish.exposing)
        await prepare(cloud, wish, ground, observer)
    return replace(wish, project=ground.project, key_id=wish.key_id or new_key_id(wish.display_name)), ground, existing


async def allowed(cloud: Cloud, wish: KeySpec, ground: ProjectState) -> str:
    """Why it is not known whether the organisation's constraints let the key through. Raises their refusal."""
    account = _account_of(replace(wish, project=ground.project))
    key = Key(
        str(FullName(ground.project, wish.key_id or "new")),
        display_name=wish.display_name,
        project=ground.project,
        restrictions=wish.restrictions,
        service_account_email=account,
    )
    return await constraints.require(cloud, key, CREATE, _making(wish))


def _making(wish: KeySpec) -> str:
    return f"create the key {wish.display_name!r} as it was asked for"


def _given_back(key: Key) -> CreateResult:
    return CreateResult(key, "skipped", created=False, why="it was there already")


async def present(cloud: Cloud, wish: KeySpec, project: str) -> Key | None:
    """The key that `--if-absent` gives back: the one with the same id, else (no id given) with the same display name.

    Raises Problem: apikeys.keys.get or .list is missing, several keys have the name, the id belongs to a deleted key.
    """
    if wish.key_id is not None:
        try:
            key = await cloud.keys.get(str(FullName(project, wish.key_id)))
        except Problem as problem:
            if problem.cause in (Cause.NOT_FOUND, Cause.API_NOT_ENABLED):
                return None
            raise
        if key.delete_time is not None:
            raise refusals.taken(wish.key_id, project, deleted=True)
        return replace(key, project=project)
    try:
        listed = [replace(key, project=project) async for key in cloud.keys.list(project)]
    except Problem as problem:
        if problem.cause is not Cause.API_NOT_ENABLED:
            raise
        return None
    matches = [key for key in listed if key.display_name == wish.display_name]
    return resolve.only(wish.display_name, project, matches) if matches else None


async def prepare(cloud: Cloud, wish: KeySpec, ground: ProjectState, observer: Observer) -> None:
    """Enable what is off; make or reuse the service account. Both may be repeated."""
    if ground.exposed:
        observer.warning(exposure.warning(ground.project, ground.exposed))
    elif ground.exposure_unknown:
        observer.note(f"Note: {ground.exposure_unknown}.")
    off = ground.charged.off if ground.charged else ()
    if ground.charged and (apis := tuple(api for api in off if api not in _same_project(ground))):
        await quota_project.enable(cloud, ground.charged, apis, observer)
    if ground.to_enable:
        observer.step(f"Enabling {', '.join(ground.to_enable)}")
        with _half_made(observer, f"{', '.join(ground.to_enable)} may have been enabled in project {ground.project}"):
            await cloud.services.enable(ground.project, ground.to_enable)
    if wish.own_account and ground.account is None:
        observer.step(f"Making the service account {preflight.ACCOUNT_ID}")
        await _ensure_account(cloud, ground, observer)


def _same_project(ground: ProjectState) -> tuple[str, ...]:
    """What is switched on in the project charged anyway, as it is the target itself."""
    same = ground.charged is not None and ground.charged.project in (ground.project, ground.number)
    return ground.to_enable if same else ()


def _spreading(ground: ProjectState, problem: Problem) -> bool:
    """Whether an API is told to be off that was switched on just now, so that waiting helps."""
    if problem.cause is not Cause.API_NOT_ENABLED:
        return False
    if problem.project and ground.number and problem.project not in (ground.project, ground.number):
        return ground.charged is not None and bool(ground.charged.off)
    return bool(ground.to_enable)


async def _ensure_account(cloud: Cloud, ground: ProjectState, observer: Observer) -> None:
    """Create it; ALREADY_EXISTS means that it can be reused, which needs no permission to read it."""
    project = ground.project
    email = preflight.account_email(project)
    with _half_made(observer, f"the service account {email} may have been made; the next keys create reuses it"):
        try:
            await retry_until(
                lambda: cloud.service_accounts.create(project, preflight.ACCOUNT_ID, ACCOUNT_TITLE),
                worth_it=lambda problem: _spreading(ground, problem),
                limit_s=quota_project.ENABLING_S,
                text="Waiting until the IAM API is on everywhere",
                observer=observer,
            )
        except Problem as problem:
            if problem.cause is not Cause.ALREADY_EXISTS:
                raise


def _account_of(wish: KeySpec) -> str | None:
    if wish.key_type == "standard":
        return None
    return wish.service_account or preflight.account_email(wish.project)


async def create_key(cloud: Cloud, wish: KeySpec, ground: ProjectState, observer: Observer) -> Key:
    """The key itself, once what it needs is prepared; its id must be chosen. Waits until the APIs and the account are seen.

    Raises Problem, already-exists included.
    """
    assert wish.key_id is not None
    key_id, account = wish.key_id, _account_of(wish)

    def passing(problem: Problem) -> bool:
        if problem.cause is Cause.API_NOT_ENABLED:
            return _spreading(ground, problem)
        # unsourced: that the API Keys API tells an account it does not see yet by NOT_FOUND or INVALID_ARGUMENT
        unseen = problem.cause in (Cause.NOT_FOUND, Cause.INVALID_ARGUMENT) and "service account" in problem.message.lower()
        return wish.own_account and unseen

    observer.step(f"Creating the key {wish.display_name!r}")
    with _half_made(observer, f"the key {FullName(wish.project, key_id)} may have been made: {_go_on(key_id, wish.project)}"):
        key = await retry_until(
            lambda: cloud.keys.create(
                wish.project,
                key_id,
                display_name=wish.display_name,
                restrictions=wish.restrictions,
                annotations=wish.annotations,
                service_account_email=account,
            ),
            worth_it=passing,
            limit_s=quota_project.ENABLING_S if ground.to_enable else NEW_ACCOUNT_S,
            text="Waiting until the service account and the APIs are known everywhere",
            observer=observer,
        )
    return replace(key, project=wish.project)


@contextmanager
def _half_made(observer: Observer, text: str) -> Iterator[None]:
    """As `observer.half_made`, but a clear refusal leaves nothing behind."""
    refused: Problem | None = None
    with observer.half_made(text):
        try:
            yield
        except Problem as problem:
            if problem.status in _UNSURE and not problem.unsent:
                raise
            refused = problem
    if refused is not None:
        raise refused


def _go_on(key_id: str, project: str) -> str:
    return (
        f"{typed('keys describe', key_id, project=project)} shows it, {typed('keys verify', key_id, project=project)} checks "
        f"it, {typed('keys delete', key_id, project=project)} removes it"
    )


async def _already_there(cloud: Cloud, wish: KeySpec, problem: Problem, *, chosen: bool) -> CreateResult:
    """ALREADY_EXISTS from create: with `if_absent` somebody else was faster, else the id is taken.

    An id not `chosen` by the caller was taken by our own first try: its answer was lost, and the key may not be read.
    """
    assert wish.key_id is not None
    if not chosen:
        raise refusals.lost(wish.key_id, wish.project) from problem
    if wish.if_absent:
        existing = await present(cloud, wish, wish.project)
        if existing is not None:
            return _given_back(existing)
    refusal = refusals.taken(wish.key_id, wish.project, deleted=await _is_deleted(cloud, wish.project, wish.key_id))
    refusal.notes += problem.notes
    raise refusal from problem


async def _is_deleted(cloud: Cloud, project: str, key_id: str) -> bool:
    try:
        return (await cloud.keys.get(str(FullName(project, key_id)))).delete_time is not None
    except Problem:
        return False  # it may not be read: that it is taken is all that is known


def _why_skipped(wish: KeySpec) -> str | None:
    if not wish.check:
        return "--no-verify was given"
    return verify.why_not_checked(wish.key_type, wish.restrictions)


async def _verified(cloud: Cloud, wish: KeySpec, key: Key, observer: Observer) -> CreateResult:
    key = await _with_string(cloud, key)
    why = _why_skipped(wish)
    if why is None and key.key_string is None:
        why = "the answer that held the key string was lost, and reading it takes apikeys.keys.getKeyString"
    if why is not None or key.key_string is None:
        return CreateResult(key, "skipped", why=why)
    observer.step(f"Verifying the key with {GEMINI}")
    with observer.half_made(f"the key {key.name} was made and not verified: {_go_on(key.key_id, wish.project)}"):
        problem = await verify.until_accepted(cloud, key.key_string, observer, wish.check_s, key)
    return CreateResult(key, verify.verification_of(problem), problem=problem)


async def _with_string(cloud: Cloud, key: Key) -> Key:
    """The key with its string, which is missing where the answer to create was lost and the key was read afterwards."""
    if key.key_string is not None:
        return key
    try:
        return replace(key, key_string=await cloud.keys.key_string(key.name))
    except Problem:
        return key  # said in `why`
