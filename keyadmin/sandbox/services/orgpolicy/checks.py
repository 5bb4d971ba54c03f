"""What the Organization Policy API accepts: policies by the kind of their constraint, custom constraints, limits."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from keyadmin.sandbox.messages.status import RpcError, error_info, field_violation, invalid
from keyadmin.sandbox.services.orgpolicy import fields
from keyadmin.sandbox.state import conditions
from keyadmin.sandbox.state.org_policies import SERVICE_USAGE, kind

Json = dict[str, Any]

# https://docs.cloud.google.com/organization-policy/quotas
MOST_BYTES: Final = 32 * 1024  # of a policy
MOST_VALUES: Final = 500  # of a list
MOST_CUSTOM: Final = 20  # of a resource type in an organisation
MOST_RULES: Final = 10  # of a policy (discovery document)
_KINDS_OF_RULE: Final = ("enforce", "allowAll", "denyAll", "values")
_MATCH_TAG: Final = re.compile(r"resource\.(matchTag|matchTagId|hasTagKey|hasTagKeyId)\b")
_CUSTOM_NAME: Final = re.compile(r"custom\.[A-Za-z0-9]{1,70}")


def document(constraint: str, policy: Json) -> Json:
    """What of a request's policy is kept. Raises INVALID_ARGUMENT."""
    doc: Json = {}
    for part in ("spec", "dryRunSpec"):
        if part in policy:
            _check_spec(constraint, policy[part], f"policy.{part}")
            doc[part] = {name: policy[part][name] for name in ("rules", "inheritFromParent", "reset") if policy[part].get(name)}
    if not doc:
        raise invalid("A policy needs a spec or a dry_run_spec.", "policy")
    if len(json.dumps(doc)) > MOST_BYTES:
        raise invalid(f"The policy is larger than {MOST_BYTES} bytes.", "policy")  # unsourced: the wording
    return doc


def _check_spec(constraint: str, spec: Json, where: str) -> None:
    rules = spec.get("rules", [])
    if spec.get("reset"):
        if rules or spec.get("inheritFromParent"):
            raise invalid("With reset there must be neither rules nor inherit_from_parent.", where)
        return
    if len(rules) > MOST_RULES:
        raise invalid(f"A policy has at most {MOST_RULES} rules.", f"{where}.rules")
    told = kind(constraint)
    boolean = told in ("boolean", "managed", "custom") or (not told and any("enforce" in rule for rule in rules))
    if spec.get("inheritFromParent") and boolean:
        raise invalid("inherit_from_parent can be set for list constraints alone.", where)
    for rule in rules:
        _check_rule(constraint, rule, boolean=boolean, where=f"{where}.rules")
    plain = [rule for rule in rules if "condition" not in rule]
    if boolean:
        if len(plain) != 1:
            raise invalid("There must be exactly one rule without a condition.", f"{where}.rules")
        if any(bool(rule.get("enforce")) == bool(plain[0].get("enforce")) for rule in rules if "condition" in rule):
            raise invalid("The rules with a condition must set the opposite of the one without.", f"{where}.rules")
    elif not rules and not spec.get("inheritFromParent"):
        raise invalid("A policy needs rules, reset or inherit_from_parent.", f"{where}.rules")


def _check_rule(constraint: str, rule: Json, *, boolean: bool, where: str) -> None:
    kinds = [name for name in _KINDS_OF_RULE if name in rule]
    if len(kinds) != 1 or (kinds == ["enforce"]) != boolean:
        wanted = "enforce, and no values" if boolean else "one of allow_all, deny_all and values"
        raise invalid(f"The rules of this constraint set {wanted}.", where)
    if "parameters" in rule and kind(constraint) != "managed":
        raise invalid("Parameters can be set for managed constraints alone.", where)
    values = rule.get("values", {})
    named = [name for name in ("allowedValues", "deniedValues") if values.get(name)]
    if "values" in rule and not named:
        raise invalid("values names neither allowed nor denied values.", where)
    if len(named) == 2 and constraint == SERVICE_USAGE:
        raise invalid("Either allowed or denied values can be set for this constraint, not both.", where)
    if sum(len(values[name]) for name in named) > MOST_VALUES:
        raise invalid(f"A policy names at most {MOST_VALUES} values.", where)
    if condition := rule.get("condition"):
        _check_condition(condition.get("expression", ""), where)


def _check_condition(expression: str, where: str) -> None:
    """One to ten terms on tags and nothing else (documented)."""
    try:
        found = conditions.compiled(expression)
    except conditions.NotACondition as error:
        raise invalid(f"Invalid condition: {error}.", where) from None
    terms = len(_MATCH_TAG.findall(expression))
    functions = found.functions - {"matchTag", "matchTagId", "hasTagKey", "hasTagKeyId"}
    if functions or found.paths - {"resource"} or not 1 <= terms <= 10:
        raise invalid("A condition has one to ten terms such as resource.matchTag('1000/env', 'prod'), and no others.", where)


def _bad(field: str, description: str) -> RpcError:
    """400 with the reason that an empty display name was seen to get (terraform-provider-google #19307)."""
    error = invalid(description)
    error.details = [
        error_info("INVALID_CUSTOM_CONSTRAINT", "orgpolicy.googleapis.com"),
        field_violation(field, description),
    ]
    return error


def custom(data: Json, old: Json | None = None) -> Json:
    """What of a CustomConstraint is kept, its name apart. Raises INVALID_ARGUMENT; `old` = what is replaced."""
    name = data.get("name", "").rpartition("/")[2]
    if not _CUSTOM_NAME.fullmatch(name):
        raise _bad("custom_constraint.name", "The name must be custom. and 1 to 70 letters and digits.")
    types, methods = data.get("resourceTypes", []), data.get("methodTypes", [])
    if len(types) != 1 or not re.fullmatch(r"[a-z0-9.-]+\.googleapis\.com/[A-Za-z0-9]+", types[0]):
        raise _bad("custom_constraint.resource_types", "There must be exactly one resource type, such as service/Type.")
    if old is not None and old["resourceTypes"] != types:
        raise _bad("custom_constraint.resource_types", "The resource type of a custom constraint cannot be changed.")
    governed = ("CREATE", "UPDATE") if types[0] in fields.FIELDS else ("CREATE", "UPDATE", "REMOVE_GRANT", "GOVERN_TAGS")
    if not methods or not set(methods) <= set(governed) or (set(methods) == {"UPDATE"}):
        raise _bad("custom_constraint.method_types", "The methods must be CREATE, or CREATE and UPDATE.")
    if data.get("actionType") not in ("ALLOW", "DENY"):
        raise _bad("custom_constraint.action_type", "The action type must be ALLOW or DENY.")
    if not 1 <= len(data.get("displayName", "")) <= 200:
        raise _bad("custom_constraint.display_name", "The display name must have 1 to 200 characters.")
    if len(data.get("description", "")) > 2000:
        raise _bad("custom_constraint.description", "The description has more than 2000 characters.")
    expression = data.get("condition", "")
    if not 1 <= len(expression) <= 1000:
        raise _bad("custom_constraint.condition", "The condition must have 1 to 1000 characters.")
    try:
        fields.check(types[0], conditions.compiled(expression))
    except conditions.NotACondition as error:
        raise _bad("custom_constraint.condition", f"The condition is invalid: {error}.") from None
    kept = ("resourceTypes", "methodTypes", "condition", "actionType", "displayName", "description")
    return {field: data[field] for field in kept if data.get(field)}
