"""The sandbox's permission checks: each asks for a permission that the caller of the test holds, in place of its own."""

from __future__ import annotations

from typing import Final

from tests.guards.guard import Guard
from tests.sandbox.permission_calls import ROWS

TEST: Final = "tests/sandbox/test_permissions.py::test_one_who_holds_all_others_is_refused"
# Broken at once: the caller of each test holds every permission but one, so no other check of these stands in its way.
GROUP: Final = "permissions"
HELD: Final = '"resourcemanager.projects.get"'
_SERVICES: Final = "sandbox/services"
_KEYS: Final = f"{_SERVICES}/apikeys/api.py"
_USAGE: Final = f"{_SERVICES}/serviceusage/api.py"
_SECRETS: Final = f"{_SERVICES}/secretmanager"
_RM: Final = f"{_SERVICES}/resourcemanager"
_TAGS: Final = f"{_RM}/tags.py"
_IAM: Final = f"{_SERVICES}/iam"
_POLICIES: Final = f"{_SERVICES}/orgpolicy"

# Where the check is written as the permission's name, once in the file.
_PLAIN: Final = {
    _KEYS: ("apikeys.keys.", "create list get getKeyString update delete undelete"),
    f"{_SECRETS}/api.py": (
        "secretmanager.",
        "secrets.create secrets.list secrets.get secrets.update secrets.delete versions.add versions.access versions.get "
        "versions.list versions.enable versions.disable versions.destroy locations.list locations.get",
    ),
    f"{_SECRETS}/access.py": ("secretmanager.secrets.", "getIamPolicy setIamPolicy"),
    f"{_RM}/api.py": ("resourcemanager.projects.", "list update delete undelete"),
    f"{_RM}/folders.py": ("resourcemanager.folders.", "update delete undelete"),
    f"{_RM}/folder_rules.py": ("resourcemanager.folders.", "list create move"),
    f"{_RM}/organizations.py": ("resourcemanager.organizations.", "get"),
    _TAGS: (
        "resourcemanager.",
        "tagKeys.update tagKeys.delete tagValues.create tagValues.list tagValues.update tagValues.delete "
        "hierarchyNodes.createTagBinding tagValueBindings.create hierarchyNodes.listTagBindings "
        "hierarchyNodes.listEffectiveTags",
    ),
    f"{_IAM}/accounts.py": ("iam.serviceAccounts.", "create get list update delete enable disable"),
    f"{_IAM}/account_policies.py": ("iam.serviceAccounts.", "getIamPolicy setIamPolicy"),
    f"{_IAM}/keys.py": ("iam.serviceAccountKeys.", "create list get delete disable enable"),
    f"{_IAM}/roles.py": ("iam.roles.", "get update"),
    f"{_IAM}/deny_policies.py": ("iam.denypolicies.", "create list get update delete"),
    f"{_POLICIES}/constraints.py": (
        "orgpolicy.",
        "constraints.list customConstraints.create customConstraints.get customConstraints.list customConstraints.update "
        "customConstraints.delete",
    ),
    f"{_POLICIES}/policies.py": ("orgpolicy.policies.", "list update delete"),
    f"{_SERVICES}/monitoring/api.py": ("monitoring.timeSeries.", "list"),
    f"{_SERVICES}/logging/api.py": ("logging.logEntries.", "list"),
    f"{_SERVICES}/iamcredentials/api.py": ("iam.serviceAccounts.", "getAccessToken"),
}
# Where it is written otherwise: the file, the check, the check broken, the calls that find it out.
_OTHERWISE: Final = (
    (_KEYS, 'call.holds("apikeys.keys.lookup", project)', "call.holds({held}, project)", ("apikeys.keys.lookup",)),
    (_KEYS, "call.require(_BINDING_PERMISSION, project)", "", ("iam.serviceAccountApiKeyBindings.create",)),
    (
        _USAGE,
        'f"serviceusage.services.{verb}", f"Permission denied to {verb}',
        '{held}, f"Permission denied to {verb}',
        ("serviceusage.services.get", "serviceusage.services.disable"),
    ),
    (_USAGE, '"serviceusage.services.get", f', "{held}, f", ("serviceusage.services.get:batch",)),
    (_USAGE, '"serviceusage.services.list", message', "{held}, message", ("serviceusage.services.list",)),
    (_USAGE, '"serviceusage.services.enable", f', "{held}, f", ("serviceusage.services.enable",)),
    (
        f"{_SERVICES}/serviceusage/identities.py",
        'call.holds("serviceusage.services.enable", node.name)',
        "call.holds({held}, node.name)",
        ("serviceusage.services.enable:identity",),
    ),
    (
        f"{_RM}/project_rules.py",
        'nodes.parent(call, parent, "resourcemanager.projects.create")',
        "nodes.parent(call, parent, {held})",
        ("resourcemanager.projects.create",),
    ),
    (
        f"{_RM}/project_rules.py",
        'def get(call: Call, name: str, permission: str = "resourcemanager.projects.get")',
        'def get(call: Call, name: str, permission: str = "resourcemanager.folders.get")',
        ("resourcemanager.projects.get",),
    ),
    (
        f"{_RM}/folders.py",
        'request.get("name", ""), "resourcemanager.folders.get")\n    return _finished(call, "fm"',
        'request.get("name", ""), {held})\n    return _finished(call, "fm"',
        ("resourcemanager.folders.get:move",),
    ),
    (
        f"{_RM}/folder_rules.py",
        'def get(call: Call, name: str, permission: str = "resourcemanager.folders.get")',
        'def get(call: Call, name: str, permission: str = "resourcemanager.projects.list")',
        ("resourcemanager.folders.get",),
    ),
    (
        f"{_RM}/iam.py",
        'f"resourcemanager.{kind}.getIamPolicy", "resource"',
        '{held}, "resource"',
        ("resourcemanager.projects.getIamPolicy",),
    ),
    (
        f"{_RM}/iam.py",
        'f"resourcemanager.{kind}.setIamPolicy", "resource"',
        '{held}, "resource"',
        ("resourcemanager.projects.setIamPolicy",),
    ),
    (_TAGS, 'call.holds("resourcemanager.tagKeys.create"', "call.holds({held}", ("resourcemanager.tagKeys.create",)),
    (_TAGS, 'call.holds("resourcemanager.tagKeys.list"', "call.holds({held}", ("resourcemanager.tagKeys.list",)),
    (
        _TAGS,
        ' _key(call, request.get("name", ""), "resourcemanager.tagKeys.get")',
        ' _key(call, request.get("name", ""), {held})',
        ("resourcemanager.tagKeys.get",),
    ),
    (
        _TAGS,
        '_namespaced_key(call, request.get("name", ""), "resourcemanager.tagKeys.get")',
        '_namespaced_key(call, request.get("name", ""), {held})',
        ("resourcemanager.tagKeys.get:namespaced",),
    ),
    (
        _TAGS,
        '_value(call, request.get("name", ""), "resourcemanager.tagValues.get")',
        '_value(call, request.get("name", ""), {held})',
        ("resourcemanager.tagValues.get",),
    ),
    (
        _TAGS,
        '_namespaced_key(call, head, "resourcemanager.tagValues.get")',
        "_namespaced_key(call, head, {held})",
        ("resourcemanager.tagValues.get:namespaced",),
    ),
    (
        f"{_IAM}/accounts.py",
        'call.holds("iam.serviceAccounts.undelete"',
        "call.holds({held}",
        ("iam.serviceAccounts.undelete",),
    ),
    (f"{_IAM}/roles.py", 'call.holds("iam.roles.list"', "call.holds({held}", ("iam.roles.list",)),
    (f"{_IAM}/roles.py", 'call.holds("iam.roles.create"', "call.holds({held}", ("iam.roles.create",)),
    (f"{_IAM}/roles.py", 'f"iam.roles.{verb}"', "{held}", ("iam.roles.delete",)),
    (
        f"{_IAM}/workload_pools.py",
        "not call.holds(permission, node.name)",
        "False",
        tuple(f"iam.workloadIdentityPools.{verb}" for verb in ("create", "list", "get", "delete")),
    ),
    (
        f"{_POLICIES}/policies.py",
        'def get_policy(call: Call, request: Json) -> Json:\n    """GetPolicy: what is set on the node itself."""\n'
        '    node, constraint, parent = _policy_of(call, request.get("name", ""), "orgpolicy.policy.get")',
        "def get_policy(call: Call, request: Json) -> Json:\n"
        '    node, constraint, parent = _policy_of(call, request.get("name", ""), {held})',
        ("orgpolicy.policy.get",),
    ),
    (
        f"{_POLICIES}/policies.py",
        'node, constraint, _ = _policy_of(call, request.get("name", ""), "orgpolicy.policy.get")\n    _check',
        'node, constraint, _ = _policy_of(call, request.get("name", ""), {held})\n    _check',
        ("orgpolicy.policy.get:effective",),
    ),
    (
        f"{_POLICIES}/policies.py",
        '    above = node_of(call, parent, "orgpolicy.policies.create")\n'
        '    node, constraint, named = _policy_of(call, policy.get("name", ""), "orgpolicy.policies.create")',
        "    above = node_of(call, parent, {held})\n"
        '    node, constraint, named = _policy_of(call, policy.get("name", ""), {held})',
        ("orgpolicy.policies.create",),
    ),
    (
        f"{_SERVICES}/cloudasset/access.py",
        'call.require(f"{_PREFIX}{permission}", node, shown=name)',
        "pass",
        ("cloudasset.assets.searchAllResources", "cloudasset.assets.searchAllIamPolicies"),
    ),
)


def _guard(file: str, old: str, new: str, calls: tuple[str, ...]) -> Guard:
    assert set(calls) <= {row[0] for row in ROWS}, calls
    return Guard(f"{calls[0]} is needed", file, old, new, tuple(f"{TEST}[{call}]" for call in calls), GROUP)


# What reads comes first: broken checks let things be deleted.
GUARDS = [
    *(_guard(file, old, new.replace("{held}", HELD), calls) for file, old, new, calls in _OTHERWISE),
    *(
        _guard(file, f'"{begin}{name}"', HELD, (f"{begin}{name}",))
        for file, (begin, names) in _PLAIN.items()
        for name in names.split()
    ),
]
