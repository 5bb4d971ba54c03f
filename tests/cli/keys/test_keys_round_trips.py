"""Restrictions survive create, describe, list, restrict and clone, whatever they are."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyadmin.keys import services


def some(values, most=3):
    """A short list without repeats."""
    return st.lists(values, min_size=1, max_size=most, unique=True)


def like(pattern):
    """Texts that fit a pattern."""
    return st.from_regex(pattern, fullmatch=True)


targets = st.lists(
    st.tuples(
        st.sampled_from(sorted(services.known() - {"cloudapis.googleapis.com"})),
        st.lists(like(r"[A-Za-z][A-Za-z0-9.]{0,8}\*?"), max_size=2, unique=True),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda pair: pair[0],
)
apps = st.tuples(like(r"[a-z][a-z0-9_]{0,5}(\.[A-Za-z][a-z0-9]{0,5}){1,2}"), st.binary(min_size=20, max_size=20))
clients = st.one_of(
    st.none(),
    st.tuples(st.just("ips"), some(st.ip_addresses().map(str))),
    st.tuples(st.just("referrers"), some(like(r"(https?://)?(\*\.)?[a-z]{1,9}\.(com|example)(:[0-9]{2,4})?(/[a-z]{0,5}\*?)?"))),
    st.tuples(st.just("android"), some(apps, 2)),
    st.tuples(st.just("ios"), some(like(r"[A-Za-z0-9-]{1,8}(\.[A-Za-z0-9-]{1,8}){0,2}"))),
)
notes = st.dictionaries(
    like(r"[a-z]{1,8}"), st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8), max_size=2
)


def typed(listed, client):
    """The options that ask for these restrictions, and the JSON that is to come of them."""
    options: list[str] = []
    wanted: dict[str, Any] = {}
    if client is not None:
        kind, many = client
        if kind == "android":
            options += ["--allowed-android", ",".join(f"{package}={sha1.hex(':')}" for package, sha1 in many)]
            known = [{"sha1Fingerprint": sha1.hex().upper(), "packageName": package} for package, sha1 in many]
            wanted["androidKeyRestrictions"] = {"allowedApplications": known}
        else:
            options += [f"--allowed-{kind}={','.join(many)}"]
            field, member = {
                "ips": ("serverKeyRestrictions", "allowedIps"),
                "referrers": ("browserKeyRestrictions", "allowedReferrers"),
                "ios": ("iosKeyRestrictions", "allowedBundleIds"),
            }[kind]
            wanted[field] = {member: many}
    for service, methods in listed:
        options += ["--api-target", service + (":" + ",".join(methods) if methods else "")]
    wanted["apiTargets"] = [{"service": service} | ({"methods": methods} if methods else {}) for service, methods in listed]
    return options, wanted


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(listed=targets, client=clients, again=st.tuples(targets, clients), annotations=notes)
def test_restrictions_round_trip(keys, served, listed, client, again, annotations):
    served.control("reset", {})
    options, wanted = typed(listed, client)
    written = [part for name, value in annotations.items() for part in ("--annotation", f"{name}={value}")]
    made = keys("create", "--standard", "--name", "x", "--key-id", "x", "--format", "json", *options, *written)
    assert made.code == 0, made.err
    assert made.json["restrictions"] == wanted
    assert made.json.get("annotations", {}) == annotations
    described = keys("describe", "x", "--format", "json").json
    assert described["restrictions"] == wanted
    assert keys("list", "--all", "--format", "json").json == [described]
    copy = keys("clone", "x", "--name", "y", "--key-id", "y", "--format", "json").json
    for field in ("restrictions", "keyType", "restricted", "studioVisible"):
        assert copy[field] == described[field]
    assert copy.get("annotations", {}) == annotations
    options, wanted_again = typed(*again)
    changed = keys("restrict", "y", "--yes", "--format", "json", *options).json
    if again[1] is None:
        wanted_again |= {field: value for field, value in wanted.items() if field != "apiTargets"}
    assert changed["restrictions"] == wanted_again
    assert json.dumps(keys("describe", "x", "--format", "json").json) == json.dumps(described)
