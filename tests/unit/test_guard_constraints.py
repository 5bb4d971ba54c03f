"""keyadmin's custom constraints: within Google's limits, the same however an unset field is read, true to what they are for."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.access.cel import KeyCondition, as_resource
from keyadmin.guard import constraints
from keyadmin.guard.constraints import RULES, enforcing, exceptions, is_own_spec
from keyadmin.guard.rehearse import judge, without_gemini
from keyadmin.model.key import ALL_APIS, GEMINI, ApiTarget, Key, Restrictions
from keyadmin.model.key_codec import restrictions_from_json
from keyadmin.model.org_policy import (
    CREATE,
    UPDATE,
    CustomConstraint,
    constraint_from_json,
    constraint_to_json,
    policy_from_json,
    policy_to_json,
    spec_from_json,
    spec_to_json,
)
from keyadmin.sandbox.services.orgpolicy import fields
from keyadmin.sandbox.state.conditions import compiled

ORG = "organizations/1"
MAPS = "maps-backend.googleapis.com"


def a_key(*services: str, account: str | None = None, **clients: Any) -> Key:
    targets = tuple(ApiTarget(service) for service in services)
    return Key(
        "projects/1/locations/global/keys/k",
        restrictions=Restrictions(targets=targets, **clients),
        service_account_email=account,
    )


def refused(option: str, key: Key) -> bool | None:
    return KeyCondition(RULES[option].condition).holds(key)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.option)
def test_within_googles_limits(rule: constraints.GuardRule) -> None:
    assert len(rule.condition) <= 1000
    assert 1 <= len(rule.title) <= 200
    assert 40 <= len(rule.description) <= 2000
    assert re.fullmatch(r"custom\.keyadmin[A-Za-z]+", rule.name)
    assert len(rule.name.removeprefix("custom.")) <= 70
    fields.check(fields.KEY, compiled(rule.condition))
    assert rule.constraint(ORG).methods == (CREATE, UPDATE)
    assert rule.constraint(ORG, creations_only=True).methods == (CREATE,)


def test_the_names_are_these() -> None:
    assert [rule.name for rule in RULES.values()] == [
        "custom.keyadminKeyHasTargets",
        "custom.keyadminGeminiAlone",
        "custom.keyadminGeminiAuthOnly",
        "custom.keyadminNoOpenClients",
    ]


def test_what_each_refuses() -> None:
    auth = "robot@p.iam.gserviceaccount.com"
    assert refused("key-has-targets", a_key())
    assert refused("key-has-targets", a_key(ips=("192.0.2.1",)))
    assert refused("key-has-targets", a_key(ALL_APIS))
    assert not refused("key-has-targets", a_key(MAPS))
    assert refused("gemini-alone", a_key(GEMINI, MAPS))
    assert not refused("gemini-alone", a_key(GEMINI))
    assert not refused("gemini-alone", a_key(MAPS))
    assert not refused("gemini-alone", a_key())
    assert refused("gemini-auth-only", a_key(GEMINI))
    assert not refused("gemini-auth-only", a_key(GEMINI, account=auth))
    assert not refused("gemini-auth-only", a_key(MAPS))
    for wide in ({"ips": ("192.0.2.1", "0.0.0.0/0")}, {"ips": ("::/0",)}, {"referrers": ("*",)}, {"referrers": ("https://*",)}):
        assert refused("no-open-clients", a_key(MAPS, **wide)), wide
    for narrow in ({}, {"ips": ("192.0.2.0/24",)}, {"referrers": ("https://a.example/*",)}, {"ips": ()}, {"ios": ("*",)}):
        assert not refused("no-open-clients", a_key(MAPS, **narrow)), narrow


_SERVICES = st.sampled_from([GEMINI, MAPS, ALL_APIS, "a.googleapis.com"])
_TEXTS = st.sampled_from(["*", "0.0.0.0/0", "::/0", "https://a.example/*", "192.0.2.1", "x"])
_DOCS = st.fixed_dictionaries(
    {},
    optional={
        "displayName": _TEXTS,
        "serviceAccountEmail": st.sampled_from(["a@b", "c@d"]),
        "restrictions": st.fixed_dictionaries(
            {},
            optional={
                "apiTargets": st.lists(
                    st.fixed_dictionaries({"service": _SERVICES}, optional={"methods": st.lists(_TEXTS)}), max_size=3
                ),
                "browserKeyRestrictions": st.fixed_dictionaries(
                    {}, optional={"allowedReferrers": st.lists(_TEXTS, max_size=3)}
                ),
                "serverKeyRestrictions": st.fixed_dictionaries({}, optional={"allowedIps": st.lists(_TEXTS, max_size=3)}),
            },
        ),
    },
)


def key_of(doc: dict[str, Any]) -> Key:
    return Key(
        "projects/1/locations/global/keys/k",
        display_name=doc.get("displayName", ""),
        service_account_email=doc.get("serviceAccountEmail"),
        restrictions=restrictions_from_json(doc.get("restrictions")),
    )


@given(_DOCS)
def test_an_unset_field_may_be_taken_for_absent_or_for_empty(doc: dict[str, Any]) -> None:
    """The sandbox fills what is unset with its default, as protobuf messages do; keyadmin leaves it out. Both refuse alike."""
    for rule in RULES.values():
        filled = fields.holds(fields.KEY, compiled(rule.condition), doc)
        assert KeyCondition(rule.condition).holds(key_of(doc)) is filled, (rule.name, doc)


ANOTHERS = (
    "resource.displayName == 'x'",
    "has(resource.displayName) && resource.displayName.startsWith('x')",
    "size(resource.restrictions.apiTargets) == 0",
    "has(resource.restrictions) && size(resource.displayName) > 2",
    "resource.restrictions.apiTargets.all(t, t.service == resource.displayName)",
    "'*' in resource.restrictions.browserKeyRestrictions.allowedReferrers",
)


@given(st.lists(_DOCS, min_size=2, max_size=6), st.sampled_from([*ANOTHERS, *(rule.condition for rule in RULES.values())]))
def test_keys_that_are_alike_to_a_condition_are_judged_alike(docs: list[dict[str, Any]], text: str) -> None:
    condition = KeyCondition(text)
    for doc in docs:
        key = key_of(doc)
        assert condition.holds(key) is KeyCondition(text)._run(as_resource(key)), (text, doc)


def test_what_has_no_value_is_unknown_and_not_guessed() -> None:
    assert KeyCondition("size(resource.restrictions.apiTargets) == 0").holds(a_key()) is None
    assert KeyCondition("resource.displayName ==").holds(a_key()) is None
    assert KeyCondition("resource.displayName").holds(a_key()) is None
    one = CustomConstraint(ORG, "custom.other", "size(resource.restrictions.apiTargets) == 0", (CREATE,))
    found = judge([a_key()], [one])
    assert (found.refused, len(found.unknown)) == ((), 1)


def test_fifty_thousand_keys_are_judged_in_seconds() -> None:
    """No two alike: other service accounts, other sites. A tenth of them here; the figure itself is a benchmark's."""
    keys = [
        a_key(GEMINI, account=f"robot{n}@p.iam.gserviceaccount.com", referrers=(f"https://site{n}.example/*",))
        for n in range(5_000)
    ]
    began = time.process_time()
    judge(keys, [rule.constraint(ORG) for rule in RULES.values()])
    assert time.process_time() - began < 1.5


def test_what_of_keyadmins_own_work_is_refused() -> None:
    rules = [rule.constraint(ORG) for rule in RULES.values()]
    keys = [a_key(), a_key(GEMINI, MAPS), a_key(GEMINI, MAPS, ips=("0.0.0.0/0",)), a_key(MAPS, ips=("0.0.0.0/0",)), a_key(MAPS)]
    work = judge(keys, rules).work
    assert (work.notes, work.successors, work.migrations, work.mixed, work.splits) == (4, 4, 3, 2, 1)
    assert without_gemini(keys[1]).restrictions.services == {MAPS}
    lines = "\n".join(work.lines())
    assert "4 keys" in lines
    assert "1 of 2 keys would still violate" in lines
    on_creation = [rule.constraint(ORG, creations_only=True) for rule in RULES.values()]
    work = judge(keys, on_creation).work
    assert (work.notes, work.successors, work.migrations) == (0, 4, 0)


def test_specs_that_are_keyadmins_own() -> None:
    name = "custom.keyadminGeminiAlone"
    tags = exceptions(["1/env=lab", "my-project/team=red"])
    assert is_own_spec(name, enforcing())
    assert is_own_spec(name, enforcing(tags))
    plain = spec_to_json(enforcing(tags))
    assert is_own_spec(name, spec_from_json(plain | {"rules": plain["rules"][::-1]}))
    others: tuple[dict[str, Any], ...] = (
        {"rules": [{"enforce": False}]},
        {"rules": [{"enforce": True, "parameters": {"a": 1}}]},
        {"rules": [{"enforce": True}], "inheritFromParent": True},
        {
            "rules": [
                {"enforce": True},
                {"enforce": False, "condition": {"expression": "resource.matchTagId('tagKeys/1', 'x')"}},
            ]
        },
        {
            "rules": [
                {"enforce": True},
                {"condition": {"expression": "resource.matchTag('1/env', 'lab') || true"}, "enforce": False},
            ]
        },
        {"reset": True},
        {},
    )
    for spec in others:
        assert not is_own_spec(name, spec_from_json(spec)), spec
    assert not is_own_spec("custom.other", enforcing())
    assert is_own_spec("gcp.restrictServiceUsage", constraints.denying_gemini())
    both = {"rules": [{"values": {"deniedValues": [GEMINI, MAPS]}}], "inheritFromParent": True}
    assert not is_own_spec("gcp.restrictServiceUsage", spec_from_json(both))


def test_to_json_and_back() -> None:
    one = RULES["gemini-alone"].constraint(ORG)
    assert constraint_from_json(constraint_to_json(one)) == one
    policy = {"name": "folders/1/policies/custom.x", "spec": spec_to_json(enforcing((("1/a", "b"),))), "etag": "e"}
    assert policy_to_json(policy_from_json(policy)) == policy
