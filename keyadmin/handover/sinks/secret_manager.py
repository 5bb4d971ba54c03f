"""The sink `secret-manager`: a secret's newest version."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkNeeds, SinkSpec
from keyadmin.model.problem import Cause, Problem, or_problem, usage
from keyadmin.model.secret import KeyString

API: Final = "secretmanager.googleapis.com"
ADD: Final = "secretmanager.versions.add"
CREATE: Final = "secretmanager.secrets.create"
DISABLE: Final = "secretmanager.versions.disable"
PERMISSIONS: Final = (
    "secretmanager.secrets.create",  # where the secret is not there yet
    "secretmanager.versions.access",  # reading back; without it nobody sees whether the key arrived
    "secretmanager.versions.add",
    DISABLE,
    "secretmanager.versions.list",
)


def secret_name(text: str) -> str:
    """`projects/P/secrets/S`, checked. Raises usage()."""
    if not re.fullmatch(r"projects/[a-z0-9.:-]{1,63}/secrets/[A-Za-z0-9_-]{1,255}", text):
        raise usage(f"{text!r} is not a secret: write secret-manager:projects/PROJECT/secrets/SECRET")
    return text


class SecretManagerSink(Sink):
    """Makes the secret if there is none, and adds a version only if the newest one differs."""

    kind = "secret-manager"
    pattern = "secret-manager:projects/P/secrets/S"
    outside = False
    disables_older = True
    reads_back: ClassVar[str] = "yes, with secretmanager.versions.access"
    old_versions: ClassVar[str] = "disabled when the old key is deleted"
    tested_against: ClassVar[str] = "the sandbox"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._name = secret_name(spec.value)
        self._cloud = context.cloud

    @classmethod
    def parse(cls, value: str) -> str:
        """The name of a secret. Raises usage()."""
        return secret_name(value)

    @classmethod
    def needs(cls, value: str) -> SinkNeeds:
        """The permissions on the secret's project, which is not known where the name has a placeholder for it."""
        found = re.match(r"projects/([^/{]+)/", value)
        return SinkNeeds(found[1] if found else None, PERMISSIONS, (API,))

    async def preflight(self) -> None:
        """Whether a version may be added, and the secret made where it is not there. Raises Problem."""
        project = self._name.split("/")[1]
        try:
            if ADD in await self._cloud.secrets.test_permissions(self._name, [ADD]):
                return
        except Problem as problem:
            if problem.cause in (Cause.API_NOT_ENABLED, Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS):
                raise
            return  # the hand-over itself will tell
        try:
            held = await self._cloud.projects.test_permissions(project, [ADD, CREATE])
        except Problem as problem:
            if problem.cause is Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS:
                raise
            return  # Resource Manager, which handing over does not need, may be off where calls are charged
        # What is held on the project is held on every secret of it: one on which it is not held is not there.
        lacking = next((name for name in (ADD, CREATE) if name not in held), None)
        if lacking is not None:
            raise Problem(
                Cause.MISSING_IAM_PERMISSION,
                f"{lacking} is missing" + (f" on {self._name}" if lacking == ADD else f" to make {self._name}"),
                status="PERMISSION_DENIED",
                permission=lacking,
                project=project,
            )

    async def preflight_retiring(self) -> None:
        """Whether the versions may be listed and older ones disabled. Raises Problem; what cannot be read tells the step."""
        versions = [version async for version in self._cloud.secrets.versions(self._name)]
        if not any(version.state == "ENABLED" for version in versions[1:]):
            return
        held = await or_problem(self._cloud.secrets.test_permissions(self._name, [DISABLE]), credentials=False)
        if not isinstance(held, Problem) and DISABLE not in held:
            raise Problem(
                Cause.MISSING_IAM_PERMISSION,
                f"{DISABLE} is missing on {self._name}",
                status="PERMISSION_DENIED",
                permission=DISABLE,
                project=self._name.split("/")[1],
            )

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Add a version. Raises Problem: no permission, the Secret Manager API is off."""
        held = await self.read_back(key)
        if held:
            return Delivery(False, f"{self._name} has it already")
        refused: Problem | None = None
        try:
            await self._cloud.secrets.create(self._name)
        except Problem as problem:
            # Whoever may only add versions need not be allowed to create the secret that is there.
            if problem.cause is not Cause.MISSING_IAM_PERMISSION:
                raise
            refused = problem
        try:
            version = await self._cloud.secrets.add_version(self._name, key)
        except Problem as problem:
            raise (refused if refused and problem.cause is Cause.NOT_FOUND else problem) from None
        blind = "; it cannot be read back: secretmanager.versions.access is missing" if held is None else ""
        return Delivery(True, f"added as {version}{blind}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the newest version is this key; None where reading it is not permitted.

        A newest version that somebody disabled or destroyed holds nothing.
        """
        try:
            return await self._cloud.secrets.access(self._name) == key
        except Problem as problem:
            if problem.cause is Cause.MISSING_IAM_PERMISSION:
                return None
            if problem.status == "FAILED_PRECONDITION":
                return False
            raise

    async def disable_older(self, key: KeyString) -> int | None:
        """Disable the enabled versions behind the newest, provided the newest is this key; how many, None = not readable."""
        held = await self.read_back(key)
        if not held:
            return None if held is None else 0
        versions = [version async for version in self._cloud.secrets.versions(self._name)]
        older = [version for version in versions[1:] if version.state == "ENABLED"]
        for version in older:
            await self._cloud.secrets.disable_version(version.name)
        return len(older)
