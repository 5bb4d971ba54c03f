"""Each rule on keys of its own making: what it finds, what it leaves alone, and where the line is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keyadmin.audit.model import AuditFacts, Finding, Severity, Use
from keyadmin.audit.rules import apply, chosen, rules
from keyadmin.audit.rules.open_client_restriction import lets_everybody_in
from keyadmin.model.key import ALL_APIS, GEMINI, AndroidApp, ApiTarget, Key, Restrictions
from keyadmin.model.key_codec import format_time
from keyadmin.model.lineage import lineage_of
from keyadmin.model.problem import Problem

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAPS = "maps-backend.googleapis.com"
ROBOT = "robot@p1.iam.gserviceaccount.com"
OFFICE = ("203.0.113.7",)


def targets(*services: str) -> tuple[ApiTarget, ...]:
    return tuple(map(ApiTarget, services))


def key(key_id: str = "one", *, age: float = 10, account: str | None = ROBOT, **more: Any) -> Key:
    """A key with nothing wrong: auth, for Gemini alone, from one address, ten days old."""
    restrictions = more.pop("restrictions", Restrictions(ips=OFFICE, targets=targets(GEMINI)))
    return Key(
        name=f"projects/123/locations/global/keys/{key_id}",
        uid=f"uid-{key_id}",
        display_name=f"key {key_id}",
        project="p1",
        create_time=NOW - timedelta(days=age),
        restrictions=restrictions,
        service_account_email=account,
        **more,
    )


OPEN = key("open", restrictions=Restrictions(ips=OFFICE))


def found(rule: str, *keys: Key, **facts: Any) -> list[Finding]:
    """What one rule finds."""
    return list(rules()[rule].check(AuditFacts("p1", keys, NOW, **facts)))


def names(findings: list[Finding]) -> list[str]:
    return [finding.key.key_id if finding.key else "" for finding in findings]


def test_every_rule_of_the_contract_is_there_with_its_severity_and_its_words() -> None:
    assert {rule.id: rule.severity.word for rule in rules().values()} == {
        "gemini-exposed-key": "high",
        "key-string-in-name": "high",
        "unrestricted-key": "medium",
        "standard-key": "high",
        "mixed-targets": "medium",
        "open-client-restriction": "medium",
        "key-too-old": "medium",
        "rotation-stuck": "high",
        "rotation-overdue": "medium",
        "unused-key": "low",
        "unused-target": "low",
        "use-anomaly": "low",
        "api-off": "low",
        "no-client-restriction": "low",
        "too-many-keys": "low",
        "deleted-key-recoverable": "info",
        "undisplayable-key": "info",
    }
    for rule in rules().values():
        assert rule.title
        assert len(rule.help) > 60
        assert rule.fix
        assert rule.source.startswith("https://")


def test_nothing_is_wrong_with_a_good_key() -> None:
    used = {"uid-one": Use(NOW - timedelta(days=1), frozenset({GEMINI}))}
    assert apply(AuditFacts("p1", (key(),), NOW, gemini=True, used=used), rules().values()) == []


def test_nothing_is_wrong_without_keys() -> None:
    assert apply(AuditFacts("p1", (), NOW, gemini=True, used={}), rules().values()) == []


@pytest.mark.parametrize("open_", [Restrictions(ips=OFFICE), Restrictions(ips=OFFICE, targets=targets(ALL_APIS, MAPS))])
def test_exposed_or_unrestricted_never_both(open_: Restrictions) -> None:
    one = key(restrictions=open_)
    assert names(found("gemini-exposed-key", one, gemini=True)) == ["one"]
    assert found("unrestricted-key", one, gemini=True) == []
    assert found("gemini-exposed-key", one, gemini=False) == []
    assert names(found("unrestricted-key", one, gemini=False)) == ["one"]


def test_where_the_api_state_is_unknown_neither_is_said() -> None:
    assert found("gemini-exposed-key", OPEN) == []
    assert found("unrestricted-key", OPEN) == []


@pytest.mark.parametrize("services", [(GEMINI,), (MAPS,), (GEMINI, MAPS)])
def test_a_restricted_key_is_not_exposed(services: tuple[str, ...]) -> None:
    one = key(restrictions=Restrictions(targets=targets(*services)))
    assert found("gemini-exposed-key", one, gemini=True) + found("unrestricted-key", one, gemini=False) == []


@pytest.mark.parametrize(
    ("services", "gemini", "severity"),
    [
        ((GEMINI,), False, Severity.HIGH),
        ((GEMINI, MAPS), None, Severity.HIGH),
        ((), True, Severity.HIGH),
        ((ALL_APIS,), True, Severity.HIGH),
        ((), False, Severity.LOW),
        ((), None, Severity.LOW),
        ((MAPS,), True, Severity.LOW),
    ],
)
def test_standard_keys(services: tuple[str, ...], gemini: bool | None, severity: Severity) -> None:
    one = key(account=None, restrictions=Restrictions(targets=targets(*services)))
    [finding] = found("standard-key", one, gemini=gemini)
    assert finding.severity is severity
    assert found("standard-key", replace(one, service_account_email=ROBOT), gemini=gemini) == []


def test_mixed_targets() -> None:
    one = key(restrictions=Restrictions(targets=targets(GEMINI, MAPS)))
    [finding] = found("mixed-targets", one)
    assert MAPS in finding.message
    for services in ((GEMINI,), (MAPS,), (MAPS, "translate.googleapis.com"), (GEMINI, MAPS, ALL_APIS), ()):
        assert found("mixed-targets", key(restrictions=Restrictions(targets=targets(*services)))) == []


@pytest.mark.parametrize(
    "restrictions",
    [
        Restrictions(ips=("0.0.0.0/0",)),
        Restrictions(ips=("203.0.113.7", "::/0")),
        Restrictions(ips=("10.1.2.3/0",)),
        Restrictions(ips=("0.0.0.0/1", "203.0.113.7", "128.0.0.0/1")),
        Restrictions(ips=("::/1", "8000::/1")),
        Restrictions(referrers=("*",)),
        Restrictions(referrers=("https://example.com/*", "*")),
        Restrictions(referrers=("https://*/*",)),
        Restrictions(referrers=("http://*",)),
        Restrictions(referrers=("*://*/*",)),
        Restrictions(referrers=("*.*",)),
        Restrictions(referrers=("*:*/*",)),
        Restrictions(ips=("192.0.2.1", "0.0.0.0")),
        Restrictions(ips=("::",)),
        Restrictions(ips=("::0",)),
        Restrictions(referrers=("*.com",)),
        Restrictions(referrers=("https://*.com/*",)),
        Restrictions(referrers=("a.example.com/*", "*.CO.UK")),
        Restrictions(referrers=("*.co.uk:*/*",)),
        Restrictions(referrers=("http://*.github.io/*",)),
    ],
)
def test_client_restrictions_that_let_everybody_in(restrictions: Restrictions) -> None:
    assert lets_everybody_in(restrictions)
    assert names(found("open-client-restriction", key(restrictions=restrictions))) == ["one"]
    assert found("no-client-restriction", key(restrictions=restrictions)) == []


@pytest.mark.parametrize(
    "restrictions",
    [
        Restrictions(),
        Restrictions(ips=("0.0.0.0/1",)),
        Restrictions(ips=("0.0.0.1", "::1", "10.0.0.0/8")),
        Restrictions(ips=("not an address", "10.0.0.1")),
        Restrictions(ips=()),
        Restrictions(referrers=("*.example.com/*",)),
        Restrictions(referrers=("example.co.uk/*", "com/*")),
        Restrictions(referrers=("*.intranet/*", "*.localhost")),
        Restrictions(referrers=("https://*/maps/*",)),
        Restrictions(referrers=("https://example.com/*",)),
        Restrictions(android=(AndroidApp("A" * 40, "com.example"),)),
        Restrictions(ios=("com.example",)),
    ],
)
def test_client_restrictions_that_do_not(restrictions: Restrictions) -> None:
    assert lets_everybody_in(restrictions) == ""
    assert found("open-client-restriction", key(restrictions=restrictions)) == []


def test_keys_for_an_api_that_is_off() -> None:
    maps = key("m", restrictions=Restrictions(targets=targets(MAPS)))
    both = key("b", restrictions=Restrictions(targets=targets(GEMINI, MAPS)))
    assert names(found("api-off", maps, both, OPEN, gemini=True, apis={MAPS: False})) == ["m", "b"]
    assert found("api-off", maps, both, gemini=True, apis={MAPS: True}) == []
    assert found("api-off", maps, both) == [], "unknown is not off"
    assert names(found("api-off", maps, both, key("g"), gemini=False)) == ["b", "g"]
    assert MAPS in found("api-off", both, gemini=True, apis={MAPS: False})[0].message


def test_targets_that_a_key_does_not_use() -> None:
    both = key(age=40, restrictions=Restrictions(targets=targets(GEMINI, MAPS)))
    used = {both.uid: Use(NOW, frozenset({MAPS}), frozenset({MAPS}))}
    [finding] = found("unused-target", both, used=used)
    assert finding.message == f"not used in six weeks for {GEMINI}, which it may call"
    assert found("unused-target", replace(both, create_time=NOW - timedelta(days=29)), used=used) == []
    assert found("unused-target", both, used={}) == [], "that is an unused key"
    assert found("unused-target", both) == []
    assert found("unused-target", both, used={both.uid: Use(NOW, frozenset({MAPS, GEMINI}))}) == [], "refused calls are calls"
    assert found("unused-target", replace(OPEN, create_time=both.create_time, uid=both.uid), used=used) == []


STRING = "AIza" + "SyB0lNxN2kQ9r7wJ4vTcPq8LmZx3HdUyE1o"


@pytest.mark.parametrize(
    ("more", "where", "way"),
    [
        ({"display_name": f"maps {STRING}"}, "its display name", ""),
        ({"annotations": {"note": STRING}}, "its annotation note", "keys annotate one -p p1 --remove note"),
        ({"annotations": {STRING: "x"}}, "the name of an annotation", "keys annotate one -p p1 --clear"),
    ],
)
def test_names_that_hold_a_key_string(more: dict[str, Any], where: str, way: str) -> None:
    [finding] = found("key-string-in-name", replace(key(), **more))
    assert finding.message == f"{where} holds a key string (AIza...yE1o)"
    assert STRING not in finding.message + finding.fix
    assert finding.fix == (f"keyadmin {way}" if way else "")
    assert found("key-string-in-name", key(), replace(key(), display_name="AIza for maps")) == []


def test_age_is_counted_to_the_second_by_the_time_given() -> None:
    at_the_limit, over = key("limit", age=90), key("over", age=90 + 1 / 86400)
    assert names(found("key-too-old", at_the_limit, over)) == ["over"]
    assert "90 days old" in found("key-too-old", over)[0].message
    assert names(found("key-too-old", at_the_limit, max_age=timedelta(days=89))) == ["limit"]
    assert found("key-too-old", key(age=400), max_age=timedelta(days=500)) == []
    assert found("key-too-old", replace(key(), create_time=None)) == []
    [finding] = found("key-too-old", key(age=0.5), max_age=timedelta(hours=1))
    assert finding.message == "the key is 12 h old; the limit is 1 h"


def successor(generation: int, state: str | None, *, age: float = 1, lineage: str = "abcdefghij", **marks: str) -> Key:
    """A key that a rotation made, as its id says."""
    own = {"keyadmin-lineage": lineage, "keyadmin-generation": str(generation), "keyadmin-state": state} if state else {}
    extra = {f"keyadmin-{name}": value for name, value in marks.items()}
    return key(f"ka-{lineage}-{generation}", age=age, annotations=own | extra)


def ago(days: float) -> str:
    return format_time(NOW - timedelta(days=days))


def test_a_rotation_whose_last_run_stopped_is_stuck() -> None:
    findings = found("rotation-stuck", successor(2, "stuck", cause="rate-limited"))
    assert len(findings) == 1
    finding = findings[0]
    assert finding.severity is Severity.HIGH
    assert "rate-limited" in finding.message
    assert found("rotation-overdue", successor(2, "stuck", age=100)) == []


def test_words_of_others_in_annotations_are_not_repeated() -> None:
    [finding] = found("rotation-stuck", successor(2, "stuck", cause="<b>send money to</b>"))
    assert "money" not in finding.message


@pytest.mark.parametrize(
    "annotations",
    [
        {"keyadmin-state": "stuck"},
        {"keyadmin-state": "stuck", "keyadmin-lineage": "abcdefghij", "keyadmin-generation": "2"},
        {"keyadmin-state": "grace", "keyadmin-published": "2020-01-01T00:00:00Z"},
    ],
)
def test_claims_in_annotations_count_only_where_the_key_id_agrees(annotations: dict[str, str]) -> None:
    claiming = key("somebody", annotations=annotations)
    assert found("rotation-stuck", claiming) + found("rotation-overdue", claiming) == []


def test_a_founder_claims_by_the_hash_of_its_uid() -> None:
    lineage = lineage_of("uid-founder")
    marks = {"keyadmin-lineage": lineage, "keyadmin-generation": "1", "keyadmin-state": "retired"}
    assert names(found("rotation-overdue", key("founder", age=91, annotations=marks))) == ["founder"]
    assert found("rotation-overdue", key("founder", age=89, annotations=marks)) == []
    assert found("rotation-overdue", key("another", age=91, annotations=marks)) == []


def test_what_was_changed_by_hand_is_stuck_with_the_way_out() -> None:
    [finding] = found("rotation-stuck", successor(2, None))
    assert "removed or changed" in finding.message
    assert finding.fix == "keyadmin rotation adopt ka-abcdefghij-2 -p p1"
    older, newest = successor(2, "retired", age=30), successor(3, "retired", age=2, predecessor="ka-abcdefghij-2")
    gone = replace(newest, delete_time=NOW - timedelta(days=1))
    [finding] = found("rotation-stuck", older, gone)
    assert finding.fix == "keyadmin keys undelete ka-abcdefghij-3 -p p1"


@pytest.mark.parametrize(
    ("state", "age", "published", "overdue"),
    [
        ("grace", 9, 8, True),
        ("grace", 9, 6, False),
        ("publishing", 8, None, True),
        ("creating", 6, None, False),
        ("retired", 80, 79, False),
        ("retired", 91, 90, True),
    ],
)
def test_overdue(state: str, age: float, published: float | None, overdue: bool) -> None:
    marks = {"published": ago(published)} if published is not None else {}
    one = successor(2, state, age=age, **marks)
    assert bool(found("rotation-overdue", one)) == overdue
    assert found("rotation-stuck", one) == []


def test_a_lineage_that_was_rolled_back_to_rests_and_is_told_when_it_is_over_age() -> None:
    """Whoever may change a key may write that: nothing is left out of the rotation in silence."""
    lineage = lineage_of("uid-founder")
    marks = {"keyadmin-lineage": lineage, "keyadmin-generation": "1", "keyadmin-state": "retired", "keyadmin-void": "2"}
    assert found("rotation-overdue", key("founder", age=20, annotations=marks)) == []
    (overdue,) = found("rotation-overdue", key("founder", age=200, annotations=marks))
    assert "says that it was rolled back to, and is 200 d old" in overdue.message


def test_keys_that_keyadmin_does_not_rotate_are_never_overdue() -> None:
    assert found("rotation-overdue", key(age=2000)) + found("rotation-stuck", key(age=2000)) == []


@pytest.mark.parametrize(
    ("age", "last", "unused"),
    [(60, None, True), (60, 31, True), (60, 30, False), (60, 29, False), (29, None, False), (30, None, True), (60, 0, False)],
)
def test_unused_keys(age: float, last: float | None, unused: bool) -> None:
    used = {} if last is None else {"uid-one": Use(NOW - timedelta(days=last))}
    assert bool(found("unused-key", key(age=age), used=used)) == unused


def test_where_use_is_unknown_nothing_is_called_unused() -> None:
    assert found("unused-key", key(age=500), used=None) == []
    assert names(found("unused-key", key(age=500), used={"uid-other": Use(NOW)})) == ["one"]


def test_no_client_restriction() -> None:
    assert names(found("no-client-restriction", key(restrictions=Restrictions(targets=targets(GEMINI))))) == ["one"]
    assert found("no-client-restriction", key(restrictions=Restrictions(android=()))) == []


@pytest.mark.parametrize(("live", "many"), [(240, False), (241, True), (300, True)])
def test_too_many_keys_counts_live_ones(live: int, many: bool) -> None:
    keys = [key(f"k{number}") for number in range(live)]
    gone = [key(f"g{number}", delete_time=NOW - timedelta(days=1)) for number in range(100)]
    findings = found("too-many-keys", *keys, *gone)
    assert names(findings) == ([""] if many else [])
    if many:
        assert findings[0].to_json()["key"] is None
        assert findings[0].message == f"{live} keys of at most 300"


@pytest.mark.parametrize(("deleted", "recoverable"), [(1, True), (29.9, True), (30, False), (31, False)])
def test_deleted_keys(deleted: float, recoverable: bool) -> None:
    one = key(age=400, account=None, restrictions=Restrictions(), delete_time=NOW - timedelta(days=deleted))
    assert bool(found("deleted-key-recoverable", one)) == recoverable
    others = apply(
        AuditFacts("p1", (one,), NOW, gemini=True, used={}), [rule for rule in rules().values() if rule.severity > 0]
    )
    assert others == []  # a deleted key does no harm


def test_what_ai_studio_does_not_show() -> None:
    maps = key("maps", restrictions=Restrictions(targets=targets(MAPS)))
    mixed = key("mixed", restrictions=Restrictions(targets=targets(MAPS, GEMINI)))
    assert names(found("undisplayable-key", maps, mixed, key("gemini"), OPEN)) == ["maps", "mixed"]
    assert found("undisplayable-key", *(key(f"k{number}") for number in range(100))) == []
    [finding] = found("undisplayable-key", *(key(f"k{number}") for number in range(103)))
    assert (finding.key, "3 more" in finding.message) == (None, True)


def test_choosing_rules() -> None:
    assert [rule.id for rule in chosen(None)] == [name for name in rules() if name != "use-anomaly"]
    assert [rule.id for rule in chosen(None, "use-anomaly")] == list(rules())
    assert [rule.id for rule in chosen(["unused-key", "standard-key"])] == ["standard-key", "unused-key"]
    with pytest.raises(Problem) as caught:
        chosen(["standrad-key"])
    assert "did you mean standard-key?" in caught.value.fix
    with pytest.raises(Problem) as caught:
        chosen(["xyz"])
    assert "undisplayable-key" in caught.value.fix[0]
