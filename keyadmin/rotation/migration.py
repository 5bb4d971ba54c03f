"""What there is to migrate: which standard keys, whose, where to, what they are used for, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keyadmin.access.doctor import Diagnosis, diagnose
from keyadmin.access.permissions import FEATURES
from keyadmin.handover.sinks.secret_manager import SecretManagerSink
from keyadmin.keys.usage import Used, of_many
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem
from keyadmin.rotation.plan import Planned

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

_OWNER: Final = "roles/owner"
# What handing over, reading back and disabling older versions take in the secret's project; and making a secret.
_SECRET: Final = tuple(f"secretmanager.versions.{verb}" for verb in ("access", "add", "disable", "list"))
_MAKE: Final = "secretmanager.secrets.create"


@dataclass(frozen=True)
class Prospect:
    """A standard key that would be migrated. `owners` is None where the project's policy may not be read."""

    planned: Planned
    owners: tuple[str, ...] | None
    used: Used | None
    missing: tuple[str, ...]

    @property
    def key(self) -> Key:
        """The old key: the newest one, or, on the way, the one that is being replaced."""
        return self.planned.chosen.lineage.subject

    @property
    def afterwards(self) -> str:
        """What becomes of the old key."""
        key = self.key
        if key.restricted in ("mixed", "other"):
            return f"split: it keeps {', '.join(sorted(key.restrictions.services - {GEMINI}))}"
        if key.restricted == "none":
            return "deleted once nothing uses it any more (it is unrestricted: other APIs may)"
        return "deleted after the grace period"

    @property
    def words(self) -> tuple[str, ...]:
        """For one key: whose it is, what it is used for, what becomes of it, what is missing."""
        key = self.key
        owners = "unknown" if self.owners is None else ", ".join(self.owners) or "none"
        return (
            f"Owners of project {key.project}: {owners}.",
            f"{key.key_id}: {self.used.words if self.used else 'use unknown'}.",
            f"The old key: {self.afterwards}.",
            f"Missing: {', '.join(self.missing) or 'nothing'}.",
        )

    def to_json(self) -> dict[str, Any]:
        """The row of the plan with owners, use and what is missing."""
        out = self.planned.to_json() | {"restricted": self.key.restricted}
        out |= {"owners": None if self.owners is None else list(self.owners), "ready": not self.missing}
        out |= {"missing": list(self.missing), "afterwards": self.afterwards}
        return out | (self.used.fields if self.used else {})


async def prospects(cloud: Cloud, planned: Sequence[Planned], observer: Observer) -> list[Prospect]:
    """The plan with what a person wants to know before such a change. What cannot be found out is unknown, not a failure."""
    from keyadmin.cloud.pace import gather_limited

    projects = sorted({one.chosen.lineage.project for one in planned})
    diagnoses = {one.project: one for one in await diagnose(cloud, projects, FEATURES["migrate"], observer)}
    observer.step("Looking for the owners")
    owners = dict(zip(projects, await gather_limited(projects, lambda project: _owners(cloud, project)), strict=True))
    homes = sorted({_home(secret) for one in planned for secret in _secrets(one)})
    held = dict(zip(homes, await gather_limited(homes, lambda home: _held(cloud, home)), strict=True))
    secrets = sorted({secret for one in planned for secret in _secrets(one)})
    found = await gather_limited(secrets, lambda secret: _lacking(cloud, secret, held[_home(secret)]))
    lacking = dict(zip(secrets, found, strict=True))
    used = await of_many(cloud, [one.chosen.lineage.subject for one in planned], observer)
    out = []
    for one in planned:
        project = one.chosen.lineage.project
        missing = [*_of(diagnoses.get(project)), *(name for secret in _secrets(one) for name in lacking[secret])]
        out.append(Prospect(one, owners[project], used.get(one.chosen.lineage.subject.name), tuple(dict.fromkeys(missing))))
    return out


def _of(diagnosis: Diagnosis | None) -> list[str]:
    """What is missing in the key's project: permissions by name, else the check that failed."""
    if diagnosis is None:
        return ["unknown"]
    wrong = [check for check in diagnosis.checks if check.required and check.status != "ok"]
    return [check.permission or f"{check.id}: {check.detail}" for check in wrong]


def _secrets(one: Planned) -> list[str]:
    """The full names of its secrets."""
    return [spec.value for spec in one.chosen.specs if issubclass(spec.sink, SecretManagerSink)]


def _home(secret: str) -> str:
    """The project of a secret."""
    return secret.split("/")[1]


async def _held(cloud: Cloud, home: str) -> frozenset[str] | Problem:
    try:
        return await cloud.projects.test_permissions(home, (*_SECRET, _MAKE))
    except Problem as problem:
        return problem


async def _lacking(cloud: Cloud, secret: str, held: frozenset[str] | Problem) -> list[str]:
    """What is missing for a secret. Leave to make it is only needed where it is not there."""
    home = _home(secret)
    if isinstance(held, Problem):
        return [f"secrets of {home}: unknown ({held.cause.value})"]
    lacking = [f"{name} in {home}" for name in _SECRET if name not in held]
    if _MAKE in held:
        return lacking
    try:
        return lacking if await cloud.secrets.exists(secret) else [*lacking, f"{_MAKE} in {home}"]
    except Problem as problem:
        return [*lacking, f"{_MAKE} in {home}, if {secret} is not there: unknown ({problem.cause.value})"]


async def _owners(cloud: Cloud, project: str) -> tuple[str, ...] | None:
    try:
        policy = await cloud.projects.get_policy(f"projects/{project}")
    except Problem:
        return None  # shown as unknown
    return tuple(sorted({member for binding in policy.bindings if binding.role == _OWNER for member in binding.members}))
