"""Which fields of a resource a custom constraint may ask for, and how a resource looks to its condition.

The nine fields of apikeys.googleapis.com/Key: https://docs.cloud.google.com/api-keys/docs/custom-constraints.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

from keyadmin.sandbox.state import conditions
from keyadmin.sandbox.state.conditions import Compiled, NotACondition

Json = dict[str, Any]

KEY: Final = "apikeys.googleapis.com/Key"
# A list of one shape = a repeated field; a text = a field without any below.
_KEY_FIELDS: Final[Json] = {
    "displayName": "",
    "serviceAccountEmail": "",
    "restrictions": {
        "apiTargets": [{"service": "", "methods": []}],
        "browserKeyRestrictions": {"allowedReferrers": []},
        "serverKeyRestrictions": {"allowedIps": []},
        "iosKeyRestrictions": {"allowedBundleIds": []},
        "androidKeyRestrictions": {"allowedApplications": [{"packageName": "", "sha1Fingerprint": ""}]},
    },
}
FIELDS: Final[dict[str, Json]] = {KEY: _KEY_FIELDS}
_FUNCTIONS: Final = frozenset(
    {"has", "size", "contains", "startsWith", "endsWith", "matches", "all", "exists", "exists_one", "map", "filter"}
    | {"int", "uint", "double", "string", "bool", "type", "duration", "timestamp"}
)
_TYPES: Final = frozenset({"int", "uint", "double", "string", "bool", "type", "duration", "timestamp"})


def check(kind: str, condition: Compiled) -> None:
    """Refuse what the type does not have. Raises NotACondition; types that the sandbox does not know are taken as they come."""
    if unknown := sorted(condition.functions - _FUNCTIONS):
        raise NotACondition(f"undeclared reference to function '{unknown[0]}'")
    for path in sorted(condition.paths):
        head, _, rest = path.partition(".")
        if head != "resource":
            if head not in _TYPES:
                raise NotACondition(f"undeclared reference to '{head}'")
        elif kind in FIELDS and not _there(FIELDS[kind], rest):
            raise NotACondition(f"undefined field '{rest or 'resource'}'")


def _there(fields: Any, path: str) -> bool:
    if not path:
        return fields is not FIELDS[KEY]
    head, _, rest = path.partition(".")
    if not isinstance(fields, dict) or head not in fields:
        return False
    return not rest or _there(fields[head], rest)


def holds(kind: str, condition: Compiled, resource: Json) -> bool:
    """The condition's value for a resource in REST form: a field that is not set has its default, and `has` tells it apart, as
    protobuf messages do in CEL. Raises NotEvaluable."""
    filled = _filled(resource, FIELDS[kind])
    return conditions.evaluate(
        _with_presence(condition),
        {"resource": filled},
        {PRESENCE: lambda path: conditions.to_cel(_is_set(resource, str(path)))},
    )


PRESENCE: Final = "fieldIsSet"


def _filled(value: Json, fields: Json) -> Json:
    out: Json = {}
    for name, kind in fields.items():
        found = value.get(name)
        if isinstance(kind, dict):
            out[name] = _filled(found or {}, kind)
        elif isinstance(kind, list):
            out[name] = [_filled(item, kind[0]) if kind and isinstance(kind[0], dict) else item for item in found or ()]
        else:
            out[name] = found or kind
    return out


def _is_set(resource: Json, path: str) -> bool:
    value: Any = resource
    for name in path.split(".")[1:]:
        if not isinstance(value, dict) or not value.get(name):
            return False
        value = value[name]
    return True


def _with_presence(condition: Compiled) -> Compiled:
    """The same condition with `has(resource.a.b)` asked of the resource as it was sent."""
    if "has" not in condition.functions:
        return condition
    tree = copy.deepcopy(condition.tree)
    for call in list(_calls(tree, "has")):
        path = conditions.path_of(call.children[1])
        if path.startswith("resource."):
            other = next(_calls(conditions.compiled(f'{PRESENCE}("{path}")').tree, PRESENCE))
            call.children = other.children
    return Compiled(condition.expression, condition.paths, condition.functions, tree)


def _calls(tree: Any, name: str) -> Iterator[Any]:
    for found in tree.iter_subtrees():
        if found.data == "ident_arg" and str(found.children[0]) == name:
            yield found
