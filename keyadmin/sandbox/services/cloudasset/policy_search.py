"""SearchAllIamPolicies: allow policies by who, which role, which permission and where.

The query language is that of https://cloud.google.com/asset-inventory/docs/searching-iam-policies; the fields are `resource`,
`policy`, `policy.role.permissions`, `memberTypes`, `roles`, `project`, `folders`, `organization`.
"""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages import expressions, paging
from keyadmin.sandbox.messages.expressions import Expression, Term, Unreadable
from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.services.cloudasset import access, policies
from keyadmin.sandbox.services.cloudasset import query as asset_query

Json = dict[str, Any]

DEFAULT, MOST = 100, 500  # a page (proto)
_FIELDS = ("resource", "policy", "policy.role.permissions", "memberTypes", "roles", "project", "folders", "organization")
_SORTABLE = ("resource", "assetType", "project")
_PERMISSIONS = "policy.role.permissions"


def found(call: Call, request: Json) -> Json:
    """A page of policies."""
    scope = access.scope(call, request.get("scope", ""), "searchAllIamPolicies")
    types = asset_query.asset_types(request.get("assetTypes", []), policies.POLICY_TYPES)
    expression = _parsed(request.get("query", ""))
    results = []
    for resource, policy in policies.attached(call.world, scope):
        named = policies.described(call.world, resource)
        if named is None or named[1] not in types:
            continue
        result = _result(call, resource, policy, named)
        if expression is None or _fits(call, result, expression):
            results.append(_shown(call, result, expression))
    for field, descending in reversed(asset_query.order(request.get("orderBy", ""), _SORTABLE)):
        results.sort(key=lambda result: result.get(field, ""), reverse=descending)
    size = request.get("pageSize", 0)
    size = min(size, MOST) if size > 0 else DEFAULT
    start = int(paging.read_token("SearchAllIamPolicies", request) or 0)
    answer: Json = {"results": results[start : start + size]} if results[start:] else {}
    if start + size < len(results):
        answer["nextPageToken"] = paging.make_token("SearchAllIamPolicies", request, str(start + size))
    return answer


def _result(call: Call, resource: str, policy: Json, named: tuple[str, str]) -> Json:
    result: Json = {"resource": named[0], "assetType": named[1], **policies.home(call.world, resource)}
    node = call.world.hierarchy.get(resource)
    if node is not None and node.is_project:  # searches name projects by id
        result["resource"] = named[0].replace(resource, f"projects/{node.project_id}")
    return result | {"policy": policies.shown(policy)}


def _parsed(text: str) -> Expression | None:
    """The query; None for none. Raises INVALID_ARGUMENT."""
    if not text.strip():
        return None
    try:
        expression = expressions.parse(text)
    except Unreadable:
        raise invalid(f"Invalid query: {text[:200]}", "query") from None
    for term in expressions.terms(expression):
        if term.function or term.op not in (":", "=", "") or (term.field and term.field not in _FIELDS):
            raise invalid(f"Invalid query: {text[:200]}", "query")
    return expression


def _fits(call: Call, result: Json, expression: Expression) -> bool:
    """Whether a policy is meant. What is asked of `policy` and its roles has to hold within one binding, as documented."""
    return any(_matches(call, result, binding, expression) for binding in result["policy"]["bindings"])


def _matches(call: Call, result: Json, binding: Json, expression: Expression) -> bool:
    return expressions.matches(expression, lambda term: _meets(call, result, binding, term))


def _meets(call: Call, result: Json, binding: Json, term: Term) -> bool:
    value = term.value.strip('"')
    members = binding.get("members", [])
    if term.field == _PERMISSIONS:
        return value in call.world.policies.role_permissions(binding["role"])
    if term.field == "roles":
        texts = [binding["role"]]
    elif term.field == "memberTypes":
        return any(member.partition(":")[0].lower() == value.lower() for member in members)
    elif term.field == "policy":
        texts = [binding["role"], *members]
    elif term.field:
        texts = result.get(term.field, "")
        texts = texts if isinstance(texts, list) else [texts]
    else:
        texts = [result["resource"], binding["role"], *members]
    if value == "*":
        return any(texts)
    if term.op == "=":
        return any(text.lower() == value.lower() for text in texts)
    return any(asset_query.has_words(text, value) for text in texts)


def _shown(call: Call, result: Json, expression: Expression | None) -> Json:
    """Only the bindings that were asked for; which permissions of each role were, where any were."""
    if expression is None:
        return result
    bindings = [one for one in result["policy"]["bindings"] if _matches(call, result, one, expression)]
    shown = result | {"policy": {"bindings": bindings}}
    asked = sorted({term.value.strip('"') for term in expressions.terms(expression) if term.field == _PERMISSIONS})
    if asked:
        matched = {}
        for binding in bindings:
            held = call.world.policies.role_permissions(binding["role"])
            matched[binding["role"]] = {"permissions": [one for one in asked if one in held]}
        shown["explanation"] = {"matchedPermissions": matched}
    return shown
