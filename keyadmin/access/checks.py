"""The checks of a diagnosis: from what was seen in a project to ok, missing, failed or unknown, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from keyadmin.access.advice import advice
from keyadmin.access.charged import Charged
from keyadmin.access.constraints import Foreseen
from keyadmin.access.member import MemberAccess
from keyadmin.access.permissions import (
    APIS,
    ENABLE_SERVICE,
    GEMINI,
    GET_PROJECT,
    USE_SERVICE,
    Feature,
    OptionalPermission,
)
from keyadmin.access.probe import Asker, HeldAbove, ProbedPermissions, ProbeResult
from keyadmin.model.causes.table import entry
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem

Status = Literal["ok", "missing", "failed", "unknown"]

MOST_KEYS: Final = 300  # a project (facts 3)
NEARLY: Final = 0.8  # of it, from where on it is said
KEY_BINDING: Final = "iam.managed.disableServiceAccountApiKeyCreation"


@dataclass(frozen=True)
class Check:
    """One finding. Only `required` ones decide whether the feature is ready."""

    id: str
    status: Status
    required: bool
    detail: str
    permission: str | None = None
    fix: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The contract's object."""
        out: dict[str, Any] = {"id": self.id, "status": self.status, "required": self.required}
        if self.permission:
            out["permission"] = self.permission
        out["detail"] = self.detail
        return out | ({"fix": self.fix} if self.fix else {})


def all_checks(seen: ProbeResult, by: Asker, feature: Feature) -> tuple[Check, ...]:
    """Everything that was looked at for this feature."""
    found = [project(seen, feature), caller(by), quota_project(seen, by, feature)]
    found += [permission(seen, name, feature) for name in feature.permissions]
    found += [studio_permission(seen, name) for name in feature.studio]
    found += [optional_permission(seen, each) for each in feature.optional]
    found += [api(seen, name, by, feature) for name in APIS]
    if seen.binding_enforced is not None:
        found.append(key_binding(seen))
    if seen.constraints is not None and (check := key_constraints(seen.constraints)) is not None:
        found.append(check)
    if seen.keys is not None:
        found.append(key_limit(seen))
    return tuple(found)


def checks_of_member(
    seen: ProbeResult, by: Asker, feature: Feature, member: str, access: MemberAccess | Problem
) -> tuple[Check, ...]:
    """The same for somebody else: their permissions as the policies say, the project as the caller sees it."""
    asking = by.caller.principal or "an account whose address is not known"
    found = [
        project(seen, feature),
        Check("caller", "ok", False, f"{member}, as far as {asking} may read the policies"),
        Check("quota-project", "unknown", False, f"which project the calls of {member} are charged to is a setting of theirs"),
    ]
    itself = member.partition(":")[2].casefold() == (by.caller.principal or "").casefold()
    tested = seen if itself else None
    found += [_of_member(name, access, tested, required=True) for name in feature.permissions]
    found += [_of_member(name, access, tested, required=False) for name in feature.studio]
    found += [_optional_of_member(each, access, tested) for each in feature.optional]
    found += [api(seen, name, by, feature) for name in APIS]
    if seen.binding_enforced is not None:
        found.append(key_binding(seen))
    if seen.constraints is not None and (check := key_constraints(seen.constraints)) is not None:
        found.append(check)
    if seen.keys is not None:
        found.append(key_limit(seen))
    return tuple(found)


def _of_member(name: str, access: MemberAccess | Problem, tested: ProbeResult | None, *, required: bool) -> Check:
    """By what the policies say; of the caller (`tested`) Google says more than the policies that may be read."""
    identity = f"permission:{name}"
    if isinstance(access, Problem):
        return Check(identity, "unknown", required, f"the project's policy cannot be read: {_reason(access)}", name)
    if name in access.held:
        return Check(identity, "ok", required, f"granted {access.held[name]}", name)
    if name in access.unknown:
        if tested is not None and (check := _permission(tested, name, required=required)).status != "unknown":
            return check
        return Check(identity, "unknown", required, access.unknown[name], name)
    return Check(identity, "missing", required, "not granted", name)


def project(seen: ProbeResult, feature: Feature) -> Check:
    """Whether it exists and is ACTIVE. A missing one and one without access look alike unless something is granted there."""
    found = seen.project
    if not isinstance(found, Problem):
        return _state(found.project_id, found.number, found.state)
    if found.cause is Cause.CONSUMER_SUSPENDED:
        return _state(seen.asked, "", "SUSPENDED")
    if not entry(found.cause).hides_existence or isinstance(seen.held, Problem):
        return Check("project", "unknown", True, _reason(found), fix=_way(found))
    if not seen.held.permissions:
        return Check(
            "project",
            "failed",
            True,
            "it does not exist, or none of the permissions asked for is granted to you there: Google answers the same for both",
            fix=f"compare the id letter by letter ({typed('projects list', all=True)}), or ask the project's admin for access",
        )
    return Check(
        "project",
        "unknown",
        GET_PROJECT in feature.permissions,
        f"it exists, but whether it is active cannot be read: {GET_PROJECT} is missing",
    )


def _state(name: str, number: str, state: str) -> Check:
    if state == "ACTIVE":
        return Check("project", "ok", True, f"{name} (number {number}) is active")
    if state == "DELETE_REQUESTED":
        detail = f"{name} is being deleted; it can be brought back within 30 days"
        return Check("project", "failed", True, detail, fix=typed("projects undelete", name))
    if state == "SUSPENDED":
        problem = Problem(Cause.CONSUMER_SUSPENDED, "suspended", project=name)
        return Check("project", "failed", True, f"{name} is suspended by Google: nothing in it works", fix=advice(problem)[0])
    return Check("project", "unknown", True, f"{name} is in the state {state or 'unspecified'}, whose meaning is not known")


def caller(by: Asker) -> Check:
    """Who is calling, with what credentials."""
    who = by.caller
    parts = [f"{who.principal or 'an account whose address is not known'} ({who.kind.replace('-', ' ')} credentials)"]
    if who.impersonating and who.impersonating != who.principal:
        parts.append(f"impersonating {who.impersonating}")
    elif who.impersonating:
        parts.append("by impersonation")
    if who.credentials_project:
        parts.append(f"credentials of project {who.credentials_project}")
    parts.append(f"quota project {who.quota_project}" if who.quota_project else "no quota project")
    return Check("caller", "ok" if who.principal else "unknown", False, ", ".join(parts))


def quota_project(seen: ProbeResult, by: Asker, feature: Feature) -> Check:
    """Whether the project that calls are charged to may be used, and has the APIs on that the feature's calls need."""
    name, found = by.caller.quota_project, by.quota
    off = _off_where_charged(seen, by, feature)
    if off is not None:
        return off
    if name is None:
        return _no_quota_project(seen, by)
    refused = _charged_in_vain(seen, name)
    if refused is not None:
        return Check("quota-project", "failed", True, f"{name}: {_reason(refused)}", fix=_way(refused))
    if isinstance(found, Problem):
        status: Status = "failed" if found.cause in (Cause.QUOTA_PROJECT_DENIED, Cause.API_NOT_ENABLED) else "unknown"
        return Check("quota-project", status, True, f"{name}: {_reason(found)}", fix=_way(found))
    if found is not None and USE_SERVICE in found.permissions:
        return Check("quota-project", "ok", True, f"calls are charged to {name}, which you may use")
    problem = Problem(Cause.QUOTA_PROJECT_DENIED, f"{USE_SERVICE} is missing there", project=name)
    return Check("quota-project", "missing", True, f"{name}: {USE_SERVICE} is missing there", fix=_way(problem))


def _no_quota_project(seen: ProbeResult, by: Asker) -> Check:
    if by.sandbox:
        return Check("quota-project", "ok", True, "none is named; the sandbox charges such calls to nobody")
    # An access token of elsewhere may be a person's: what the services said tells.
    told = by.caller.kind != "access-token" or any(
        isinstance(answer, Problem) and answer.cause is Cause.QUOTA_PROJECT_NOT_SET
        for answer in (seen.project, seen.held, seen.apis, seen.keys)
    )
    if by.caller.kind != "user" and not (by.caller.kind == "access-token" and told):
        whose = by.caller.own_project or "the project of the service account or identity pool"
        return Check("quota-project", "ok", True, f"none is named; calls are charged to {whose}")
    problem = Problem(Cause.QUOTA_PROJECT_NOT_SET, "", project=seen.name)
    detail = "none is named: calls of user credentials are charged to gcloud's own project then, and some APIs refuse that"
    return Check("quota-project", "missing", True, detail, fix=advice(problem)[0])


def _off_where_charged(seen: ProbeResult, by: Asker, feature: Feature) -> Check | None:
    """The APIs that are off in the project charged, with the one command for all; None where none is in the way.

    Where that is the target, a command that enables APIs turns them on there, unless the Service Usage API itself is off.
    """
    found = by.charged
    if not isinstance(found, Charged) or not found.off:
        return None
    if _charged_here(seen, by) is not None and feature.enables and not found.closed:
        return None
    what = f"these APIs are off: {', '.join(found.off)}"
    if found.closed:
        what = f"the Service Usage API is off, through which others are read and switched on; needed are {', '.join(found.off)}"
    return Check("quota-project", "failed", True, f"calls are charged to {found.project}, where {what}", fix=found.command)


def _charged_here(seen: ProbeResult, by: Asker) -> Charged | None:
    """What is off in the project charged, where that is the project looked at."""
    number = None if isinstance(seen.project, Problem) else seen.project.number
    found = by.charged
    return found if isinstance(found, Charged) and found.project in (seen.asked, seen.name, number) else None


def _charged_in_vain(seen: ProbeResult, quota: str) -> Problem | None:
    """A refusal of the survey's own calls that is about the quota project.

    The Organization Policy API is asked by doctor alone: that it is off there is in nobody's way.
    """
    for answer in (seen.project, seen.held, seen.apis, seen.keys, seen.binding_enforced):
        if isinstance(answer, Problem) and (
            answer.cause in (Cause.QUOTA_PROJECT_DENIED, Cause.QUOTA_PROJECT_NOT_SET)
            or (answer.cause is Cause.API_NOT_ENABLED and quota != seen.asked and answer is not seen.binding_enforced)
        ):
            return answer
    return None


def permission(seen: ProbeResult, name: str, feature: Feature) -> Check:
    """One permission that the feature needs."""
    check = _permission(seen, name, required=True)
    on = isinstance(seen.apis, dict) and all(seen.apis.get(each) == "ENABLED" for each in feature.apis)
    if name == ENABLE_SERVICE and check.status == "missing" and on:
        return Check(
            check.id, check.status, True, f"{check.detail} (the APIs are on, so it may not come to that)", name, check.fix
        )
    return check


def studio_permission(seen: ProbeResult, name: str) -> Check:
    """One that AI Studio's page needs beside those of keyadmin's command."""
    check = _permission(seen, name, required=False)
    return Check(
        check.id, check.status, False, f"{check.detail}; AI Studio's page needs it, keyadmin does not", name, check.fix
    )


def optional_permission(seen: ProbeResult, wanted: OptionalPermission) -> Check:
    """One that the command goes without, by another way."""
    found = [_permission(seen, name, required=False) for name in wanted.names]
    check = _best(found)
    if wanted.above and check.status == "ok" and seen.above is not None:
        check = _above(seen.above, wanted, check)
    return _as_optional(wanted, check)


def _best(found: Sequence[Check]) -> Check:
    """That of several permissions of which one is enough: what is held, else what is not known."""
    return min(found, key=lambda check: ("ok", "unknown").index(check.status) if check.status in ("ok", "unknown") else 2)


def _above(above: HeldAbove | Problem, wanted: OptionalPermission, check: Check) -> Check:
    """By what is held on the organisation: the inventory of it all is asked there."""
    if isinstance(above, Problem):
        return replace(check, status="unknown", detail=f"held on the project; on its organisation not known: {_reason(above)}")
    if above.organization is None:
        return replace(check, detail="held on the project, which belongs to no organisation")
    if held := next((name for name in wanted.names if name in above.permissions), None):
        return replace(check, detail=f"held on {above.organization}", permission=held)
    which = "" if check.permission == wanted.name else f"{check.permission} is "
    return replace(check, status="missing", detail=f"{which}held on the project, not on {above.organization}")


def _as_optional(wanted: OptionalPermission, check: Check) -> Check:
    """Under the name of the one that is asked for first, whichever of them is held."""
    by = f" ({check.permission})" if check.status == "ok" and check.permission != wanted.name else ""
    other = f", nor {wanted.instead}" if wanted.instead and check.detail in ("not held", "not granted") else ""
    detail = f"{check.detail}{by}{other}; optional: {wanted.use}"
    return replace(check, id=f"permission:{wanted.name}", permission=wanted.name, detail=detail)


def _optional_of_member(wanted: OptionalPermission, access: MemberAccess | Problem, tested: ProbeResult | None) -> Check:
    """The same for somebody else."""
    check = _best([_of_member(name, access, tested, required=False) for name in wanted.names])
    if wanted.above and check.status == "ok" and " on projects/" in check.detail:
        check = replace(check, status="missing", detail=f"{check.detail}, not above it")
    return _as_optional(wanted, check)


def _permission(seen: ProbeResult, name: str, *, required: bool) -> Check:
    held = seen.held
    identity = f"permission:{name}"
    if isinstance(held, Problem):
        return Check(identity, "unknown", required, f"could not be tested: {_reason(held)}", name)
    if name in held.unknown:
        return Check(identity, "unknown", required, f"could not be tested: {held.unknown[name]}", name)
    if name in held.permissions:
        return Check(identity, "ok", required, "held", name)
    return Check(identity, "missing", required, "not held", name)


def api(seen: ProbeResult, name: str, by: Asker, feature: Feature) -> Check:
    """Whether one API is on in the project. Off blocks only what has to be answered there and is not turned on on the way."""
    identity = f"api:{name}"
    if isinstance(seen.apis, Problem):
        return Check(identity, "unknown", False, f"cannot be read: {_reason(seen.apis)}")
    state = seen.apis.get(name)
    if state is None:
        return Check(identity, "unknown", False, "the Service Usage API said nothing of it")
    if state == "ENABLED":
        return Check(identity, "ok", False, "on")
    fix = typed("projects enable", name, project_=seen.name)
    here = _charged_here(seen, by)
    if here is not None and name in feature.calls and name in here.off and name not in feature.apis:
        turned = "; the command turns it on first" if feature.enables and not here.closed else ""
        return Check(identity, "missing", not turned, f"off, and the calls are charged to this project{turned}", fix=fix)
    if name not in feature.apis:
        return Check(identity, "missing", False, f"off; not needed to {feature.words}", fix=fix)
    if feature.enables:
        return Check(identity, "missing", False, "off; the command turns it on", fix=fix)
    if name == GEMINI:
        return Check(identity, "missing", True, "off: no key of this project works for the Gemini API", fix=fix)
    charged = by.caller.quota_project in (seen.asked, seen.name)
    detail = (
        "off, and calls are charged to this project" if charged else "off; needed only where calls are charged to this project"
    )
    return Check(identity, "missing", charged, detail, fix=fix)


def key_binding(seen: ProbeResult) -> Check:
    """The organisation policy on keys bound to service accounts. Keys for the Gemini API alone are free of it (facts 2)."""
    identity, enforced = "org-policy:key-binding", seen.binding_enforced
    if isinstance(enforced, Problem):
        return Check(identity, "unknown", False, f"cannot be read: {_reason(enforced)}")
    if not enforced:
        return Check(identity, "ok", False, f"{KEY_BINDING} is not enforced")
    return Check(
        identity,
        "failed",
        False,
        f"{KEY_BINDING} is enforced: only keys for {GEMINI} alone (keyadmin's default) can be bound to a service account",
        fix=f"for keys with other targets: ask an organisation policy admin for an exception from {KEY_BINDING} on {seen.name}",
    )


def key_constraints(found: Foreseen) -> Check | None:
    """The organisation's custom constraints on the key that would be made; None where none is known to refuse it."""
    identity = "org-policy:constraints"
    if found.refusing:
        said = "; ".join(f"{each.name}: {each.description}" for each in found.refusing)
        fix = "ask an organisation policy admin for an exception by a tag on the project"
        return Check(identity, "failed", True, f"a custom constraint refuses the key that is made by default: {said}", fix=fix)
    return None


def key_limit(seen: ProbeResult) -> Check:
    """How near the project is to 300 keys."""
    count = seen.keys
    if isinstance(count, Problem):
        return Check("key-limit", "unknown", False, f"cannot be read: {_reason(count)}")
    assert count is not None
    if count >= MOST_KEYS:
        fix = f"delete keys that nobody uses: {typed('keys list', all=True, project=seen.name)}"
        return Check("key-limit", "failed", True, f"{count} keys of at most {MOST_KEYS}: there is no room for another", fix=fix)
    nearly = " (nearly full)" if count > NEARLY * MOST_KEYS else ""
    return Check("key-limit", "ok", False, f"{count} {'key' if count == 1 else 'keys'} of at most {MOST_KEYS}{nearly}")


def granted(held: ProbedPermissions | Problem) -> Literal["some", "none", "unknown"]:
    """Whether anything of what was tested is held."""
    if isinstance(held, Problem):
        return "unknown"
    return "some" if held.permissions else "unknown" if held.unknown else "none"


def _reason(problem: Problem) -> str:
    if problem.cause is Cause.MISSING_IAM_PERMISSION and problem.permission:
        return f"{problem.permission} is missing"
    first = problem.message.strip().splitlines()[0] if problem.message.strip() else problem.cause.value
    return first if len(first) <= 300 else f"{first[:297]}..."


def _way(problem: Problem) -> str | None:
    steps = advice(problem)
    return steps[0] if steps else None
