"""What a new key needs in its project, looked at before anything is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from keyadmin.access.charged import Charged
from keyadmin.access.permissions import API_KEYS, ENABLE_SERVICE, FEATURES, GET_PROJECT, IAM
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI, Restrictions
from keyadmin.model.problem import Cause, Problem, or_problem
from keyadmin.model.secret import KeyType

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

T = TypeVar("T")

ACCOUNT_ID: Final = "keyadmin-gemini"  # the one service account a project's auth keys are bound to
READ_SERVICES: Final = "serviceusage.services.get"
READ_ACCOUNT: Final = "iam.serviceAccounts.get"
LIST_KEYS: Final = "apikeys.keys.list"
CREATE_ACCOUNT: Final = "iam.serviceAccounts.create"
BIND: Final = "iam.serviceAccountApiKeyBindings.create"

FEATURE: Final[Mapping[KeyType, str]] = {"auth": "create-auth-key", "standard": "create-standard-key"}

# Not needed, but with them keyadmin can see what is there already.
_HELPFUL: Final = (READ_SERVICES, READ_ACCOUNT, LIST_KEYS)


@dataclass(frozen=True)
class ProjectState:
    """A project as a new key would find it.

    `to_enable` = the APIs that are off, or of unknown state where the caller may not read it (enabling what is on changes
    nothing). `account` = the e-mail of the service account that is there already, where that can be seen. `exposed` = keys
    without API restriction: once Gemini is switched on they can call it, however public they are (facts 2). `charged` = what is
    still off in the project that the calls are charged to.
    """

    project: str
    missing: tuple[str, ...]
    to_enable: tuple[str, ...]
    states_known: bool
    account: str | None
    exposed: tuple[str, ...] = ()
    number: str | None = None
    charged: Charged | None = None
    exposure_unknown: str = ""
    """Why it is not known whether Gemini is switched on beside unrestricted keys; empty where it is known."""

    async def require(self, cloud: Cloud, key_type: KeyType) -> None:
        """Raises Problem(missing-iam-permission) naming all that is missing and the smallest grant of it."""
        if not self.missing:
            return
        from keyadmin.access.remedy import member_of, remedy

        feature = FEATURES[FEATURE[key_type]]
        way_out = remedy(feature, self.project, member_of((await cloud.identify()).principal), self.missing)
        several = f"these {len(self.missing)} permissions are" if len(self.missing) > 1 else "a permission is"
        raise Problem(
            Cause.MISSING_IAM_PERMISSION,
            f"you cannot create the key in project {self.project}: {several} missing: {', '.join(self.missing)}",
            status="PERMISSION_DENIED",
            permission=self.missing[0],
            project=self.project,
            fix=(
                "an admin of the project runs:",
                *(way_out.predefined or way_out.custom),
                f"the message to send: {typed('doctor', self.project, for_=feature.name, message=True)}",
            ),
        )


def account_email(project: str) -> str:
    """The e-mail of keyadmin's service account in a project. Domain-scoped ids (`example.com:p`) are turned round."""
    domain, _, name = project.rpartition(":")
    return f"{ACCOUNT_ID}@{f'{name}.{domain}' if domain else project}.iam.gserviceaccount.com"


def apis_needed(key_type: KeyType, restrictions: Restrictions, *, own_account: bool) -> tuple[str, ...]:
    """The APIs a new key needs to be made and to work. Gemini is not switched on for a key that is not for it."""
    gemini = () if restrictions.restricted == "other" else (GEMINI,)
    return (*gemini, API_KEYS, *((IAM,) if own_account and key_type == "auth" else ()))


async def probe(
    cloud: Cloud, project: str, key_type: KeyType, restrictions: Restrictions, *, own_account: bool
) -> ProjectState:
    """One testIamPermissions call, one look at the project, and the states of its APIs where they may be read.

    `own_account` = keyadmin makes or reuses the service account, as opposed to one that was named.
    Raises Problem: project-not-found-or-no-access, or a project that is being deleted.
    """
    needed = [name for name in FEATURES[FEATURE[key_type]].permissions if own_account or name not in (CREATE_ACCOUNT, BIND)]
    held, project, number = await _look(cloud, project, (*needed, *_HELPFUL))
    wanted = apis_needed(key_type, restrictions, own_account=own_account)
    states_known = READ_SERVICES in held
    if states_known:
        states = await cloud.services.states(project, wanted)
        to_enable = tuple(name for name in wanted if states.get(name) != "ENABLED")
    else:
        to_enable = wanted
    account = await _account(cloud, project) if CREATE_ACCOUNT in needed and READ_ACCOUNT in held else None
    superfluous = {ENABLE_SERVICE} if not to_enable else set()
    if account is not None:
        superfluous.add(CREATE_ACCOUNT)
    missing = tuple(name for name in needed if name not in held and name not in superfluous)
    exposed, unknown = await _exposed(cloud, project, states_known, to_enable, held)
    return ProjectState(project, missing, to_enable, states_known, account, exposed, number, exposure_unknown=unknown)


async def _exposed(
    cloud: Cloud, project: str, states_known: bool, to_enable: tuple[str, ...], held: frozenset[str]
) -> tuple[tuple[str, ...], str]:
    """The keys beside which Gemini would be switched on, and why that is not known."""
    if GEMINI not in to_enable:
        return (), ""
    what = f"whether project {project} has keys without API restriction, which could call Gemini then, is not known"
    if not states_known:
        return (), f"{what}: {READ_SERVICES} is missing"
    if LIST_KEYS not in held:
        return (), f"{what}: {LIST_KEYS} is missing"
    found = await or_problem(unrestricted(cloud, project))
    return ((), f"{what}: {found.message}") if isinstance(found, Problem) else (found, "")


async def _look(cloud: Cloud, project: str, names: tuple[str, ...]) -> tuple[frozenset[str], str, str | None]:
    """The permissions held, the project's id and number.

    A project without any of them is one that does not exist, to the caller.
    """
    held, found = await asyncio.gather(
        or_problem(cloud.projects.test_permissions(project, names)), or_problem(cloud.projects.get(project))
    )
    if isinstance(held, Problem):
        raise found if isinstance(found, Problem) else held
    if isinstance(found, Problem):
        if not held or GET_PROJECT in held:
            raise found
        return held, project, None
    if found.state != "ACTIVE":
        deleting = found.state == "DELETE_REQUESTED"
        state = "is being deleted, and can be brought back for 30 days" if deleting else f"is not active ({found.state})"
        way = typed("projects undelete" if deleting else "projects describe", found.project_id)
        raise Problem(
            Cause.PROJECT_NOT_ACTIVE,
            f"project {found.project_id} {state}: no key can be made in it",
            project=found.project_id,
            fix=(f"bring it back: {way}" if deleting else f"see its state: {way}",),
        )
    return held, found.project_id, found.number


async def unrestricted(cloud: Cloud, project: str) -> tuple[str, ...]:
    """The ids of keys without API restriction, which can call Gemini as soon as it is on. Raises Problem.

    Where the API Keys API is off they cannot be listed by way of the project: those that were made earlier live on.
    """
    return tuple([key.key_id async for key in cloud.keys.list(project) if key.restricted == "none"])


async def _account(cloud: Cloud, project: str) -> str | None:
    try:
        return (await cloud.service_accounts.get(project, account_email(project))).email
    except Problem as problem:
        if problem.cause is Cause.NETWORK_UNREACHABLE:
            raise
        return None  # absent, or not to be seen after all: creating it tells
