"""The custom constraints that keyadmin makes, and the policies by which they are enforced.

A condition holds alike whether an unset field is taken for absent or for empty: how Google evaluates one is documented nowhere.
No other public constraint on API keys was found, so these are the first of their kind. Fields and functions:
https://docs.cloud.google.com/api-keys/docs/custom-constraints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keyadmin.model.key import ALL_APIS, GEMINI
from keyadmin.model.org_policy import CREATE, KEY_TYPE, UPDATE, CustomConstraint, NodePolicy, PolicySpec, SpecRule
from keyadmin.model.problem import Cause, Exit, Problem, usage

SERVICE_USAGE: Final = "gcp.restrictServiceUsage"
MOST: Final = 20  # custom constraints of a resource type in an organisation (organization-policy/quotas)
PREFIX: Final = "custom.keyadmin"

DENYING: Final = (
    "gcp.restrictServiceUsage decides when a service is called: enforced, it stops running keys for the Gemini API at once, "
    "and it is not documented to stop anybody from enabling the API. Whether the Gemini API is on Google's list of services "
    "that it knows is not confirmed: set it in dry run first and read the policy log (guard status)"
)

_TARGETS: Final = "has(resource.restrictions) && has(resource.restrictions.apiTargets)"
_CLIENTS: Final = "resource.restrictions"
_ANYWHERE: Final = "['*', '*/*', '*.*', 'http://*', 'https://*', '*://*', 'http://*/*', 'https://*/*', '*://*/*']"
_EVERYBODY: Final = "['0.0.0.0/0', '::/0', '0.0.0.0']"


@dataclass(frozen=True)
class GuardRule:
    """One of keyadmin's constraints. `words` = what it forbids; `description` = what whoever is refused reads and does."""

    option: str  # as --constraint takes it
    name: str  # custom.keyadminX
    title: str
    words: str
    condition: str
    description: str
    cure: str  # the options of `keys restrict` that cure a key, for people

    def constraint(self, organization: str, *, creations_only: bool = False) -> CustomConstraint:
        """It as a custom constraint of an organisation."""
        methods = (CREATE,) if creations_only else (CREATE, UPDATE)
        return CustomConstraint(organization, self.name, self.condition, methods, self.title, self.description)


RULES: Final[dict[str, GuardRule]] = {
    rule.option: rule
    for rule in (
        GuardRule(
            "key-has-targets",
            f"{PREFIX}KeyHasTargets",
            "API keys name the APIs they are for",
            "keys without API restriction",
            "!has(resource.restrictions) || !has(resource.restrictions.apiTargets) || "
            "size(resource.restrictions.apiTargets) == 0 || "
            f"resource.restrictions.apiTargets.exists(t, t.service == '{ALL_APIS}')",
            "This API key has no API restriction, so it could call every API of its project. Name the APIs that it is for: "
            "--api-target=service=SERVICE (gcloud services api-keys create or update), --api-target SERVICE (keyadmin keys "
            "create or restrict), or 'Restrict key' in the console. A key that is there already is changed again once it is "
            "restricted.",
            "--api-target SERVICE",
        ),
        GuardRule(
            "gemini-alone",
            f"{PREFIX}GeminiAlone",
            "Keys for Gemini are for Gemini alone",
            "keys for the Gemini API and for others too",
            f"{_TARGETS} && resource.restrictions.apiTargets.exists(t, t.service == '{GEMINI}') && "
            f"resource.restrictions.apiTargets.exists(t, t.service != '{GEMINI}')",
            f"This API key is for the Gemini API ({GEMINI}) and for other APIs too: whoever finds it in a web page or an app "
            "can run up Gemini's costs. Make two keys, one for the Gemini API alone and one for the other APIs (keyadmin keys "
            "migrate KEY splits one that is there).",
            f"--remove-api-target {GEMINI}",
        ),
        GuardRule(
            "gemini-auth-only",
            f"{PREFIX}GeminiAuthOnly",
            "Keys for Gemini are bound to a service account",
            "standard keys for the Gemini API",
            f"{_TARGETS} && resource.restrictions.apiTargets.exists(t, t.service == '{GEMINI}') && "
            "!has(resource.serviceAccountEmail)",
            f"This API key for the Gemini API ({GEMINI}) is a standard key: it is not bound to a service account. Make an auth "
            "key in its place: keyadmin keys create makes one, keyadmin keys migrate KEY replaces one that is there; gcloud "
            "beta services api-keys create takes --service-account.",
            f"--remove-api-target {GEMINI}",
        ),
        GuardRule(
            "no-open-clients",
            f"{PREFIX}NoOpenClients",
            "Client restrictions restrict somebody",
            "keys whose client restriction lets everybody in",
            f"has({_CLIENTS}) && (has({_CLIENTS}.browserKeyRestrictions) && "
            f"has({_CLIENTS}.browserKeyRestrictions.allowedReferrers) && "
            f"{_CLIENTS}.browserKeyRestrictions.allowedReferrers.exists(r, r in {_ANYWHERE}) || "
            f"has({_CLIENTS}.serverKeyRestrictions) && has({_CLIENTS}.serverKeyRestrictions.allowedIps) && "
            f"{_CLIENTS}.serverKeyRestrictions.allowedIps.exists(a, a in {_EVERYBODY}))",
            "The client restriction of this API key lets everybody in (the referrer * or the addresses 0.0.0.0/0 or ::/0), so "
            "it looks restricted and is not. Name the sites or addresses that use it: --allowed-referrers=SITE or "
            "--allowed-ips=ADDRESS (gcloud services api-keys update, keyadmin keys restrict), or leave the client restriction "
            "out.",
            "--allowed-referrers SITE, or --allowed-ips ADDRESS",
        ),
    )
}
BY_NAME: Final = {rule.name: rule for rule in RULES.values()}

TOGETHER: Final = f"{PREFIX}Together"  # a constraint that is never made: a preview takes a single one
LONGEST: Final = 1_000  # characters of a condition (custom constraints, "Limitations")


def together(rules: Iterable[GuardRule]) -> str:
    """One condition that holds where that of any of the rules does, short enough for a constraint."""
    names = {rule.option for rule in rules}
    apis = f"{_CLIENTS}.apiTargets"
    found = [RULES["key-has-targets"].condition] if "key-has-targets" in names else []
    more = [f"{apis}.exists(t, t.service != '{GEMINI}')"] if "gemini-alone" in names else []
    more += ["!has(resource.serviceAccountEmail)"] if "gemini-auth-only" in names else []
    if more:
        guard = "" if found else f"{_TARGETS} && "  # a key without targets is named already
        found.append(f"{guard}{apis}.exists(t, t.service == '{GEMINI}') && ({' || '.join(more)})")
    if "no-open-clients" in names:
        clients = RULES["no-open-clients"].condition
        found.append(clients.partition(" && ")[2] if "key-has-targets" in names else clients)
    return " || ".join(found)


# ORGANIZATION/KEY=VALUE or PROJECT/KEY=VALUE: names of tags as Resource Manager allows them, nothing that ends a CEL string.
_TAG: Final = re.compile(
    r"(?P<owner>[0-9]+|[a-z][a-z0-9:.-]{0,62})/(?P<key>[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,254}[A-Za-z0-9])?)"
    r"=(?P<value>[A-Za-z0-9](?:[A-Za-z0-9@_.()%=+:,*#&\[\]{}~ -]{0,254}[A-Za-z0-9])?)"
)
_TERM: Final = re.compile(r"resource\.matchTag\('([^'\\]+)', '([^'\\]+)'\)")
MOST_TAGS: Final = 10  # terms of a condition (Organization Policy documentation)


def chosen(names: Iterable[str] | None) -> tuple[GuardRule, ...]:
    """The rules that are named, by option or by full name; all where none is. Raises usage()."""
    out: dict[str, GuardRule] = {}
    for name in names or RULES:
        rule = RULES.get(name) or BY_NAME.get(name) or BY_NAME.get(f"custom.{name}")
        if rule is None:
            raise usage(f"--constraint: {name!r} is not one of keyadmin's", f"use one of: {', '.join(RULES)}")
        out[rule.option] = rule
    return tuple(out.values())


def exceptions(tags: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The tags of `--except-tag ORGANIZATION/KEY=VALUE`, as (`ORGANIZATION/KEY`, `VALUE`). Raises Problem, exit code 1."""
    out: dict[tuple[str, str], None] = {}
    for text in tags:
        found = _TAG.fullmatch(text)
        if found is None:
            raise Problem(
                Cause.INVALID_ARGUMENT,
                f"--except-tag: {text!r} is not a tag; nothing was changed",
                fix=("write ORGANIZATION/KEY=VALUE: --except-tag 123456789012/environment=lab",),
                exit_code=Exit.FAILED,
            )
        out[f"{found['owner']}/{found['key']}", found["value"]] = None
    if len(out) > MOST_TAGS:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"--except-tag: {len(out)} tags, and a condition has room for {MOST_TAGS}; nothing was changed",
            fix=("give the projects one tag in common",),
            exit_code=Exit.FAILED,
        )
    return tuple(out)


def enforcing(tags: tuple[tuple[str, str], ...] = ()) -> PolicySpec:
    """The spec that enforces a constraint, but for what has one of the tags: exactly one rule is without a condition."""
    plain = SpecRule(enforce=True)
    if not tags:
        return PolicySpec((plain,))
    condition = " || ".join(f"resource.matchTag('{key}', '{value}')" for key, value in tags)
    return PolicySpec((SpecRule(enforce=False, condition=condition), plain))


def excepted(spec: PolicySpec | None) -> tuple[tuple[str, str], ...]:
    """The tags that a spec of keyadmin's excepts."""
    if spec is None:
        return ()
    return tuple((key, value) for rule in spec.rules for key, value in _TERM.findall(rule.condition))


def denying_gemini() -> PolicySpec:
    """The spec that keeps the Gemini API out, beside whatever is inherited."""
    return PolicySpec((SpecRule(denied=(GEMINI,)),), inherits=True)


def is_own_spec(constraint: str, spec: PolicySpec) -> bool:
    """Whether a spec is exactly one that keyadmin writes for the constraint."""
    if constraint == SERVICE_USAGE:
        return spec == denying_gemini()
    if constraint not in BY_NAME:
        return False
    rules = tuple(sorted(spec.rules, key=lambda rule: not rule.condition))  # services may give them back in another order
    return PolicySpec(rules, spec.inherits, spec.resets) == enforcing(excepted(spec))


def is_own(policy: NodePolicy) -> bool:
    """Whether a policy is exactly keyadmin's: whatever is set in it, for real and as a dry run."""
    specs = [spec for spec in (policy.spec, policy.dry_run) if spec is not None]
    return bool(specs) and all(is_own_spec(policy.constraint, spec) for spec in specs)


def is_own_constraint(found: CustomConstraint) -> bool:
    """Whether a constraint that stands there is keyadmin's, not another's of the same name."""
    rule = BY_NAME.get(found.name)
    return rule is not None and found.condition == rule.condition and found.denies and found.types == (KEY_TYPE,)
