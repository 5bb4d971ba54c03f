"""What organisation policies say of a change that another service is about to make, and of calls to a service at all."""

from __future__ import annotations

from typing import Any, Final

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.services.orgpolicy import fields
from keyadmin.sandbox.state import audit_log, conditions
from keyadmin.sandbox.state.org_policies import KEY_BINDING
from keyadmin.sandbox.state.violations import dry_run_entry, violated

Json = dict[str, Any]

_BINDING: Final = "This constraint disables the creation of API keys bound to service accounts."
GEMINI: Final = "generativelanguage.googleapis.com"


def check(call: Call, project: str, name: str, kind: str, method: str, resource: Json) -> None:
    """Refuse a resource that would violate a custom constraint: `method` CREATE or UPDATE, `resource` as it would be then.

    An update of a resource that violates already is refused as well, unless it cures it (documented). What only a dry run
    refuses goes into the policy log.
    """
    chain = call.world.hierarchy.chain(project)
    if not chain or not call.world.org_policies.customs(chain[-1]):
        return
    live = _violations(call, project, kind, method, resource, dry=False)
    if live:
        raise violated(name, call.method.api.host, live)
    log(call, project, name, kind, _violations(call, project, kind, method, resource, dry=True))


def check_binding(call: Call, project: str, resource: Json) -> None:
    """Refuse an API key that is bound to a service account where the managed constraint forbids that.

    Keys restricted to the Gemini API alone are let through (facts 2), and those of services that its parameter names.
    """
    services = {target.get("service", "") for target in resource.get("restrictions", {}).get("apiTargets", ())}
    chain = call.world.hierarchy.chain(project)
    refused = []
    for dry in (False, True):
        rule = call.world.org_policies.rule(chain, KEY_BINDING, dry=dry)
        allowed = {GEMINI, *rule.get("parameters", {}).get("allowedServices", ())}
        refused.append(bool(rule.get("enforce")) and not (services and services <= allowed))
    found = {f"constraints/{KEY_BINDING}": _BINDING}
    if refused[0]:
        raise violated(project, call.method.api.host, found)
    if refused[1]:
        log(call, project, project, fields.KEY, found)


def log(call: Call, project: str, name: str, kind: str, found: dict[str, str]) -> None:
    """Keep what a dry run would have refused."""
    if found:
        entry = dry_run_entry(call.method.full_name, call.method.api.host, call.principal, name, kind, found)
        audit_log.write(call.store, project, call.now, entry, log=audit_log.POLICY)


def _violations(call: Call, project: str, kind: str, method: str, resource: Json, *, dry: bool) -> dict[str, str]:
    chain = call.world.hierarchy.chain(project)
    top = chain[-1] if chain else ""
    policies = call.world.org_policies
    found = {}
    for name, doc in policies.customs(top).items():
        if kind not in doc.get("resourceTypes", ()) or method not in doc.get("methodTypes", ()):
            continue
        if policies.enforced(chain, name, dry=dry) and violates(kind, doc, resource):
            found[f"customConstraints/{name}"] = doc.get("description", "")
    return found


def violates(kind: str, doc: Json, resource: Json) -> bool:
    """DENY refuses where the condition holds, ALLOW where it does not. One that has no value for a resource refuses it."""
    # unsourced: what Google does with a condition that fails for one resource
    try:
        met = fields.holds(kind, conditions.compiled(doc["condition"]), resource)
    except conditions.NotEvaluable:
        return True
    return met if doc.get("actionType") == "DENY" else not met
