"""AnalyzeIamPolicy: who may do what where, binding by binding.

Shapes: proto of google.cloud.asset.v1 and https://cloud.google.com/policy-intelligence/docs/analyze-iam-policies. Groups have
no members in the sandbox, and deny policies are not analysed. A condition is CONDITIONAL unless the query says at what time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.inventory import RESOURCES, Scope
from keyadmin.sandbox.messages.status import Code, RpcError, invalid
from keyadmin.sandbox.messages.times import parse_rfc3339
from keyadmin.sandbox.services.cloudasset import access, policies
from keyadmin.sandbox.state import conditions

Json = dict[str, Any]

NEEDED = ("analyzeIamPolicy", "searchAllResources", "searchAllIamPolicies")  # documented
_ANYBODY = ("allUsers", "allAuthenticatedUsers")
_MOST = 1_000  # resources, of an expanded one (documented: more only in an export)
_LONGEST = 10  # roles and permissions asked for together (proto)


@dataclass(frozen=True)
class Question:
    """What is asked: each member empty where it was not."""

    resource: str  # as IAM keeps it: projects/NUMBER
    shown: str  # its full name, as asked
    identity: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    expand_roles: bool
    expand_resources: bool
    at: int | None  # microseconds: the time for which conditions are evaluated


def analyzed(call: Call, request: Json) -> Json:
    """The answer. Raises INVALID_ARGUMENT, or UNIMPLEMENTED for what the sandbox does not analyse."""
    query = request.get("analysisQuery", {})
    name = query.get("scope", "") or request.get("scope", "")
    scope = access.scope(call, name, *NEEDED)
    asked = _question(call, query, request)
    chain = call.world.hierarchy.chain("/".join(asked.resource.split("/")[:2])) if asked.resource else ()
    above = (asked.resource, *chain)
    results: list[Json] = []
    for resource, policy in policies.attached(call.world, scope):
        if asked.resource and resource not in above:
            continue
        found = (_result(call, scope, asked, resource, binding) for binding in policy["bindings"])
        results += [result for result in found if result is not None]
    analysis: Json = {"analysisQuery": {"scope": name} | {key: value for key, value in query.items() if key != "scope"}}
    if results:
        analysis["analysisResults"] = results
    return {"mainAnalysis": analysis | {"fullyExplored": True}, "fullyExplored": True}


def _question(call: Call, query: Json, request: Json) -> Question:
    options = query.get("options", {})
    beyond = ("analyzeServiceAccountImpersonation", "includeDenyPolicyAnalysis")
    if any(options.get(one) for one in beyond) or request.get("savedAnalysisQuery"):
        raise RpcError(Code.UNIMPLEMENTED, "The sandbox analyses neither impersonation, deny policies nor saved queries.")
    time = query.get("conditionContext", {}).get("accessTime")
    wanted = query.get("accessSelector", {})
    roles, permissions = tuple(wanted.get("roles", ())), tuple(wanted.get("permissions", ()))
    shown = query.get("resourceSelector", {}).get("fullResourceName", "")
    identity = query.get("identitySelector", {}).get("identity", "")
    if not (shown or identity or roles or permissions):
        # unsourced: the wording
        raise invalid("At least one of resource, identity and access selector must be given.", "analysis_query")
    if len(roles) + len(permissions) > _LONGEST:
        raise invalid(f"At most {_LONGEST} roles and permissions can be asked for.", "analysis_query.access_selector")
    if identity and identity not in _ANYBODY and ":" not in identity:
        raise invalid(
            f"Invalid identity '{identity[:120]}': expected user:E-MAIL or the like.", "analysis_query.identity_selector"
        )
    return Question(
        _kept_name(call, shown),
        shown,
        identity,
        roles,
        permissions,
        bool(options.get("expandRoles")),
        bool(options.get("expandResources")),
        parse_rfc3339(time) if time else None,
    )


def _kept_name(call: Call, full_name: str) -> str:
    """`//HOST/projects/ID/...` as policies are kept: with the project's number. Raises INVALID_ARGUMENT."""
    if not full_name:
        return ""
    host, _, path = full_name.removeprefix("//").partition("/")
    kind, _, rest = path.partition("/")
    key, _, below = rest.partition("/")
    if not full_name.startswith("//") or not host or kind not in ("projects", "folders", "organizations") or not key:
        raise invalid(f"Invalid full resource name '{full_name[:160]}'.", "analysis_query.resource_selector.full_resource_name")
    node = call.world.hierarchy.get(f"{kind}/{key}")
    home = node.name if node else f"{kind}/{key}"
    if below.startswith("serviceAccounts/"):
        row = call.store.one("SELECT unique_id FROM service_accounts WHERE email = ?", below.partition("/")[2])
        below = f"serviceAccounts/{row[0]}" if row else below
    return f"{home}/{below}" if below else home


def _result(call: Call, scope: Scope, asked: Question, resource: str, binding: Json) -> Json | None:
    """One binding, if it says anything about the question."""
    members = binding.get("members", [])
    meant = [member for member in members if not asked.identity or _is(member, asked.identity)]
    accesses = _accesses(call, asked, binding["role"])
    named = policies.described(call.world, resource)
    if not meant or not accesses or named is None:
        return None
    state: Json = {"analysisState": {}}
    shown = [asked.shown] if asked.shown else _resources(call, scope, asked, resource, named[0])
    control: Json = {"resources": [{"fullResourceName": one} | state for one in shown], "accesses": accesses}
    if "condition" in binding:
        control["conditionEvaluation"] = {"evaluationValue": _evaluated(call, asked, resource, binding["condition"])}
    return {
        "attachedResourceFullName": named[0],
        "iamBinding": {"role": binding["role"], "members": members}
        | ({"condition": binding["condition"]} if "condition" in binding else {}),
        "accessControlLists": [control],
        "identityList": {"identities": [{"name": member} | state for member in meant]},
        "fullyExplored": True,
    }


def _evaluated(call: Call, asked: Question, resource: str, condition: Json) -> str:
    """TRUE, FALSE or CONDITIONAL."""
    if asked.at is None:
        return "CONDITIONAL"
    situation = call.world.situation(resource, "/".join(resource.split("/")[:2]), asked.at)
    try:
        compiled = conditions.compiled(condition.get("expression", ""))
        return "TRUE" if conditions.evaluate(compiled, situation.variables(), situation.functions()) else "FALSE"
    except (conditions.NotACondition, conditions.NotEvaluable):
        return "CONDITIONAL"


def _is(member: str, identity: str) -> bool:
    """Whether a member of a binding takes an identity in: itself, everybody, or everybody of its domain."""
    if member.lower() == identity.lower() or member in _ANYBODY:
        return True
    kind, _, domain = member.partition(":")
    return kind == "domain" and identity.lower().endswith(f"@{domain.lower()}")


def _accesses(call: Call, asked: Question, role: str) -> list[Json]:
    """The role, or what was asked of it."""
    held = call.world.policies.role_permissions(role)
    out: list[Json] = []
    if not asked.roles and not asked.permissions:
        out = [{"role": role}] + ([{"permission": one} for one in sorted(held)] if asked.expand_roles else [])
    else:
        out += [{"role": role}] if role in asked.roles else []
        out += [{"permission": one} for one in asked.permissions if one in held]
    return [one | {"analysisState": {}} for one in out]


def _resources(call: Call, scope: Scope, asked: Question, resource: str, full_name: str) -> list[str]:
    """What a policy bears on: what it is attached to and, where that is asked for, the nodes below it."""
    out = [full_name]
    if asked.expand_resources:
        for kind in ("folders", "projects"):
            for name in scope.names[kind]:
                if name != resource and resource in call.world.hierarchy.chain(name) and len(out) < _MOST:
                    out.append(f"//{RESOURCES}/{name}")
    return out
