"""What may stand in the bindings of an allow policy: roles, members, conditions, owners."""

from __future__ import annotations

import re
from typing import Any

from keyadmin.data import predefined_role
from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import RpcError, error_info, field_violation, invalid
from keyadmin.sandbox.messages.times import parse_rfc3339
from keyadmin.sandbox.services.iam import rows as service_accounts
from keyadmin.sandbox.services.iam.role_refusals import refused
from keyadmin.sandbox.state import conditions
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

BASIC = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
OWNER = "roles/owner"
MOST_MEMBERS = 1500  # principals in one policy (documented)
_AGENT = re.compile(r"roles/[a-z][a-z0-9_]*\.serviceAgent")
_CUSTOM = re.compile(r"(projects|organizations)/([^/]+)/roles/[A-Za-z0-9_.]{3,64}")
_EMAIL = re.compile(r"[^@\s:/]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]{2,63}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
_ACCOUNT = re.compile(r"[^@]+@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com")
_FEDERATED = re.compile(r"(?:principal|principalSet)://[a-z.]*googleapis\.com/.+|principalSet://goog/.+")


def check(call: Call, node: Node, shown: str, old: list[Json], new: list[Json], kind: str = "") -> None:
    """Refuse bindings as SetIamPolicy does. `shown`: the resource as the caller named it; `kind`: what it is, if not the node
    itself. Raises INVALID_ARGUMENT."""
    for binding in new:
        _check_role(call, node, binding["role"], kind or node.kind)
        _check_condition(binding)
        for member in binding["members"]:
            _check_member(call, node, shown, member)
    if sum(len(binding["members"]) for binding in new) > MOST_MEMBERS:
        # unsourced: the wording
        raise invalid(f"The policy names more than {MOST_MEMBERS} principals.", "policy.bindings")
    if node.is_project and not kind:
        _check_owners(call, node, _owners(old), _owners(new))


def modified_roles(stored: Json, request: Json) -> list[str]:
    """The roles whose members a SetIamPolicy would change, as conditions see them."""
    sides: list[dict[str, set[str]]] = []
    for bindings in (stored.get("bindings", []), request.get("policy", {}).get("bindings", [])):
        sides.append({})
        for binding in bindings:
            sides[-1].setdefault(binding.get("role", ""), set()).update(binding.get("members", ()))
    old, new = sides
    return sorted(role for role in {*old, *new} if old.get(role, set()) != new.get(role, set()))


MODIFIED = "iam.googleapis.com/modifiedGrantsByRole"


def _check_role(call: Call, node: Node, role: str, kind: str) -> None:
    if role.startswith("roles/"):
        # Two roles of service agents that recorded policies hold are missing from the list of predefined roles.
        known = predefined_role(role) is not None or _AGENT.fullmatch(role)
        if not known or refused(kind, role):
            raise invalid(f"Role {role} is not supported for this resource.")
        return
    custom = _CUSTOM.fullmatch(role)
    if not custom:
        # unsourced: the wording
        raise invalid(
            'The role name must be in the form "roles/{role}", "organizations/{organization_id}/roles/{role}", or '
            '"projects/{project_id}/roles/{role}".'
        )
    holder = call.world.hierarchy.get(f"{custom[1]}/{custom[2]}")
    inside = holder is not None and holder.name in call.world.hierarchy.chain(node.name)
    if not inside or call.world.policies.role(role) is None:
        raise invalid(f"Role ({role}) does not exist in the resource's hierarchy.")


def _check_condition(binding: Json) -> None:
    condition = binding.get("condition")
    if condition is None:
        return
    if binding["role"] in BASIC:
        raise invalid("Conditions can't be set on primitive roles")  # reported
    if not condition.get("title") or not condition.get("expression"):
        # unsourced: the wording; that both are needed is documented
        raise invalid("The condition of a role binding needs a title and an expression.", "policy.bindings.condition")
    try:
        found = conditions.compiled(condition["expression"])
    except conditions.NotACondition as error:
        raise _condition_error(condition["expression"], str(error)) from None
    unknown = {path.partition(".")[0] for path in found.paths} - _VARIABLES - _CEL_TYPES
    if unknown:
        raise _condition_error(condition["expression"], f"undeclared reference to '{min(unknown)}'")
    if wrong := sorted(path for path in found.paths if path.partition(".")[0] in _MEMBERS and not _is_member(path)):
        raise _condition_error(condition["expression"], f"undefined field '{wrong[0].partition('.')[2]}'")
    for text in re.findall(r"""timestamp\(\s*["']([^"']*)["']\s*\)""", condition["expression"]):
        parse_rfc3339(text)


_VARIABLES = frozenset({"request", "resource", "api", "destination", "origin"})  # documented attributes; the last two of IAP
_CEL_TYPES = frozenset({"int", "uint", "double", "string", "bool", "bytes", "list", "map", "null_type", "type"})
_MEMBERS = {"resource": ("name", "type", "service"), "request": ("time", "auth", "path", "host")}


def _is_member(path: str) -> bool:
    head, _, rest = path.partition(".")
    return not rest or rest.partition(".")[0] in _MEMBERS[head]


def _condition_error(expression: str, why: str) -> RpcError:
    # unsourced: the wording after the first sentence, which users paste
    return invalid(f"Condition expression is invalid: {expression[:200]!r}: {why}.", "policy.bindings.condition.expression")


def _check_member(call: Call, node: Node, shown: str, member: str) -> None:
    kind, _, value = member.removeprefix("deleted:").partition(":")
    if member.startswith("deleted:") or _FEDERATED.fullmatch(member):
        return
    if kind not in ("domain", "group", "serviceAccount", "user") or not value:
        raise _not_a_member(node, shown)
    if kind == "domain":
        if not _DOMAIN.fullmatch(value):
            raise invalid(f"Domain {value} does not exist.")  # unsourced: the wording
        return
    if not _EMAIL.fullmatch(value) and not value.endswith("]"):  # a Kubernetes account ends in [namespace/name]
        raise invalid(f"{_TITLES[kind]} {value} does not exist.")  # unsourced for users and groups
    is_account = value.lower().endswith("gserviceaccount.com") or value.endswith("]")
    if is_account != (kind == "serviceAccount") and kind != "group":
        actual = "serviceAccount" if is_account else "user"
        raise invalid(f'Account {value} is of type "{actual}". Please set the type prefix to be "{actual}:".')
    if kind == "serviceAccount":
        _check_account(call, value)


_TITLES = {"user": "User", "group": "Group", "serviceAccount": "Service account"}


def _check_account(call: Call, email: str) -> None:
    """A service account of a project that the sandbox holds must be there; others (Google's own agents) are taken as given."""
    found = _ACCOUNT.fullmatch(email)
    if found and call.world.hierarchy.project(found[1]) is not None and not service_accounts.seen(call, email):
        raise invalid(f"Service account {email} does not exist.")


def _not_a_member(node: Node, shown: str) -> RpcError:
    error = invalid('Policy members must be of the form "<type>:<value>".')
    kind = node.kind.removesuffix("s").upper()
    error.details = [
        field_violation(
            "policy.bindings.member",
            "Policy members must be prefixed of the form '<type>:<value>', where <type> is 'domain', 'group', "
            "'serviceAccount', or 'user'.",
        ),
        # unsourced for folders and organisations: the reason's first word
        error_info(f"{kind}_SET_IAM_DISALLOWED_MEMBER_TYPE", "cloudresourcemanager.googleapis.com"),
        {"@type": "type.googleapis.com/google.rpc.ResourceInfo", "resourceName": shown},
    ]
    return error


def _owners(bindings: list[Json]) -> set[str]:
    return {member for binding in bindings if binding["role"] == OWNER for member in binding["members"]}


def _check_owners(call: Call, project: Node, old: set[str], new: set[str]) -> None:
    """Users from outside the organisation become owners by invitation only; a project without one keeps a user as owner."""
    chain = call.world.hierarchy.chain(project.name)
    top = call.world.hierarchy.get(chain[-1])
    organisation = top if top is not None and top.kind == "organizations" else None
    strangers = [member for member in sorted(new - old) if member.startswith("user:")]
    if organisation is not None:
        strangers = [member for member in strangers if member.rpartition("@")[2].lower() != organisation.display_name.lower()]
    if strangers:
        reason = "ORG_MUST_INVITE_EXTERNAL_OWNERS" if organisation else "SOLO_MUST_INVITE_OWNERS"
        raise _owner_error(reason, *strangers)
    was_owned = any(member.startswith("user:") for member in old)
    if organisation is None and was_owned and not any(member.startswith("user:") for member in new):
        raise _owner_error("SOLO_REQUIRE_TOS_ACCEPTOR", "")


def _owner_error(reason: str, *members: str) -> RpcError:
    error = invalid("Request contains an invalid argument.")
    error.details = [
        {
            "@type": "type.googleapis.com/google.cloudresourcemanager.v1.ProjectIamPolicyError",
            "type": reason,
            **({"member": member} if member else {}),
            "role": OWNER,
        }
        for member in members
    ]
    return error
