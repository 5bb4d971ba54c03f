"""One judgement a key: the steps that its findings together come to, and that they do not contradict each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from keyadmin.audit.judgement import KeyJudgement, in_order
from keyadmin.audit.judging import judge
from keyadmin.audit.model import AuditFacts, Severity, Use
from keyadmin.audit.rules import apply, chosen, rules
from keyadmin.audit.steps import ORDERED, StepBook
from keyadmin.model.key import GEMINI, Key, Restrictions
from keyadmin.model.key_codec import format_time
from keyadmin.model.lineage import lineage_of, successor_id
from tests.unit.test_audit_rules import MAPS, NOW, OFFICE, OPEN, ROBOT, key, successor, targets

EVERY = frozenset(rules())


def test_the_steps_know_rules_that_are_there() -> None:
    assert ORDERED <= EVERY


STANDARD = replace(OPEN, service_account_email=None)
BOTH = key(restrictions=Restrictions(ips=OFFICE, targets=targets(GEMINI, MAPS)))


def used(one: Key, *services: str, refused: tuple[str, ...] = (), days: float = 1) -> dict[str, Use]:
    """These services answered, those refused; none of them = no use in six weeks."""
    if not services and not refused:
        return {}
    return {one.uid: Use(NOW - timedelta(days=days), frozenset(services + refused), frozenset(services))}


def judged(*keys: Key, shown: frozenset[str] = EVERY, also: str | None = None, **facts: Any) -> list[KeyJudgement]:
    known = AuditFacts("p1", keys, NOW, **facts)
    return judge(known, apply(known, chosen(None, also)), shown, StepBook())


def steps(one: Key, **facts: Any) -> list[tuple[str, str]]:
    """Kind and command, without the program, the key and its project."""
    [judgement] = judged(one, **facts)
    cut = f" {one.key_id} -p p1"
    return [(each.kind, each.command.removeprefix("keyadmin ").replace(cut, "")) for each in judgement.steps]


TO_USED = ("contain", "keys restrict --to-used")
NARROW = ("contain", f"keys restrict --remove-api-target {GEMINI}")
MIGRATE = ("replace", "keys migrate --to SINK")
ROTATE = ("replace", "keys rotate --to SINK")
MIGRATED = ("delete", "keys migrate --to SINK")
ROTATED = ("delete", "keys rotate --to SINK")
DELETE = ("delete", "keys delete")


@pytest.mark.parametrize(
    ("one", "services", "expected"),
    [
        (STANDARD, (MAPS,), [TO_USED]),
        (STANDARD, (MAPS, GEMINI), [TO_USED, MIGRATE]),
        (STANDARD, (GEMINI,), [TO_USED, MIGRATE, MIGRATED]),
        (OPEN, (MAPS,), [TO_USED]),
        (OPEN, (GEMINI,), [TO_USED, ROTATE, ROTATED]),
        (OPEN, (), [("contain", "keys restrict --api-target SERVICE")]),
    ],
)
def test_an_exposed_key_is_contained_to_its_use_then_replaced(
    one: Key, services: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    assert steps(one, gemini=True, used=used(one, *services)) == expected


def test_calls_that_were_refused_are_no_use_to_restrict_to() -> None:
    """`--to-used` would refuse: it goes by what was answered."""
    first = steps(OPEN, gemini=True, used=used(OPEN, refused=(GEMINI,)))[0]
    assert first == ("contain", f"keys restrict --api-target {GEMINI}")


def test_a_key_too_young_for_its_use_to_tell_is_restricted_by_name() -> None:
    young = replace(OPEN, create_time=NOW - timedelta(days=3))
    assert steps(young, gemini=True, used=used(young, MAPS)) == [("contain", f"keys restrict --api-target {MAPS}")]
    assert steps(young, gemini=True)[0] == ("contain", "keys restrict --api-target SERVICE")


def test_where_use_was_not_read_the_step_says_so_and_reads_it_itself() -> None:
    [judgement] = judged(OPEN, gemini=True)
    assert judgement.not_read == ("use",)
    assert judgement.steps[0].command == "keyadmin keys restrict open -p p1 --to-used"
    assert judgement.steps[0].not_read == ("use",)
    assert "was not read" in judgement.findings[0].message
    [known] = judged(OPEN, gemini=True, used={})
    assert known.not_read == known.steps[0].not_read[:0] == ()


def test_where_use_may_not_be_read_the_first_step_is_to_see_why() -> None:
    first, second, *_ = judged(OPEN, gemini=True, blind=True)[0].steps
    assert (first.kind, first.command) == ("review", "keyadmin keys usage open -p p1")
    assert "--to-used" in second.command


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ((GEMINI,), [TO_USED]),
        ((MAPS,), [TO_USED]),
        ((), [NARROW]),
        ((MAPS, GEMINI), [("replace", "keys create --name NAME -p p1 --to SINK"), NARROW]),
    ],
)
def test_a_key_for_gemini_and_others_loses_what_it_is_not_used_for(
    services: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    assert steps(BOTH, gemini=True, used=used(BOTH, *services)) == expected


def test_a_standard_key_for_both_is_split() -> None:
    standard = replace(BOTH, service_account_email=None)
    assert steps(standard, gemini=True, used=used(standard, MAPS, GEMINI)) == [MIGRATE]
    assert steps(standard, gemini=True, used=used(standard, MAPS)) == [TO_USED]


@pytest.mark.parametrize("account", [ROBOT, None])
def test_a_key_for_gemini_and_others_gets_the_same_command_whether_its_use_was_read_or_not(account: str | None) -> None:
    one = replace(BOTH, service_account_email=account)
    assert steps(one, gemini=True)[0] == steps(one, gemini=True, used=used(one, MAPS))[0] == TO_USED
    [unread] = judged(one, gemini=True)
    assert unread.findings[0].not_read == ("use",)


@pytest.mark.parametrize("services", [(MAPS,), (GEMINI, MAPS), (GEMINI,)])
def test_no_key_is_to_be_deleted_whose_use_was_not_read(services: tuple[str, ...]) -> None:
    """Its APIs are off, and it may be called all the same."""
    off: dict[str, Any] = {"gemini": False, "apis": {MAPS: False}}
    one = key(account=None, restrictions=Restrictions(ips=OFFICE, targets=targets(*services)))
    assert "keys delete" not in str(steps(one, **off))
    assert steps(one, **off, used={})[0] == DELETE
    assert steps(one, **off)[0] == steps(one, **off, used=used(one, *services))[0] or len(services) > 1


def test_a_key_too_young_to_have_been_used_is_not_to_be_deleted_as_its_api_is_off() -> None:
    """Such as the successor that a rotation has just made."""
    young = key(age=1, account=None, restrictions=Restrictions(targets=targets(MAPS)))
    assert steps(young, apis={MAPS: False}, used={}) == [("review", REFERRERS)]


@pytest.mark.parametrize("clients", [{"referrers": ("https://a.example/*",)}, {"ios": ("com.example.app",)}])
def test_a_key_that_a_page_or_an_app_bears_is_cloned_as_no_sink_takes_its_successor(clients: dict[str, Any]) -> None:
    public = key(age=100, account=None, restrictions=Restrictions(**clients, targets=targets(MAPS)))
    assert steps(public, used=used(public, MAPS)) == [("replace", "keys clone"), DELETE]
    assert steps(public) == [("replace", "keys clone"), DELETE]
    assert judged(public)[0].steps[1].not_read == ("use",)


REFERRERS = "keys restrict --allowed-referrers SITE"
CLONE = ("replace", "keys clone")


def named(name: str, *services: str, age: float = 10, **clients: Any) -> Key:
    """A standard key of this name for these APIs."""
    restrictions = Restrictions(**clients, targets=targets(*services))
    return replace(key(age=age, account=None, restrictions=restrictions), display_name=name)


@pytest.mark.parametrize(
    ("one", "option"),
    [
        (named("store", MAPS), "--allowed-referrers SITE"),
        (named("store", MAPS, "places.googleapis.com"), "--allowed-referrers SITE"),
        (named("Browser key (auto created by Firebase)", "firestore.googleapis.com"), "--allowed-referrers SITE"),
        (named("browser_key", "firestore.googleapis.com"), "--allowed-referrers SITE"),
        (named("store", "maps-android-backend.googleapis.com"), "--allowed-android PACKAGE=SHA1"),
        (named("Android key (auto created by Firebase)", "firestore.googleapis.com"), "--allowed-android PACKAGE=SHA1"),
        (named("iOS key (auto created by Firebase)", "firestore.googleapis.com"), "--allowed-ios BUNDLE"),
        (named("web", "translate.googleapis.com"), "--allowed-ips ADDRESS"),
        (named("portfolios", "translate.googleapis.com"), "--allowed-ips ADDRESS"),
        (named("website backend", "translate.googleapis.com"), "--allowed-ips ADDRESS"),
        (replace(named("Browser key", "firestore.googleapis.com"), service_account_email=ROBOT), "--allowed-ips ADDRESS"),
    ],
)
def test_clients_are_sites_of_a_page_an_app_of_an_app_and_addresses_where_nothing_speaks_for_these(
    one: Key, option: str
) -> None:
    assert steps(one) == [("review", f"keys restrict {option}")]


def test_an_open_key_that_calls_maps_is_one_of_a_page() -> None:
    one = replace(STANDARD, restrictions=Restrictions(), create_time=NOW - timedelta(days=400))
    found = steps(one, gemini=True, used=used(one, MAPS))
    assert found == [TO_USED, ("contain", REFERRERS), CLONE, DELETE]


@pytest.mark.parametrize("age", [10, 400])
@pytest.mark.parametrize("use", [None, (MAPS,)])
def test_no_finding_about_a_key_of_a_page_is_answered_by_a_rotation_to_a_sink(age: float, use: tuple[str, ...] | None) -> None:
    """Nor by an auth key: Maps takes none, and its APIs have nothing to do with Gemini."""
    one = named("Browser key (maps on the website)", MAPS, age=age)
    facts: dict[str, Any] = {"gemini": True, "used": None if use is None else used(one, *use)}
    [judgement] = judged(one, **facts)
    assert {"standard-key", "no-client-restriction", "undisplayable-key"} <= {each.rule for each in judgement.findings}
    assert {each.fix for each in judgement.findings} == {"keyadmin keys restrict one -p p1 --allowed-referrers SITE"}
    assert "SINK" not in str(steps(one, **facts))
    assert steps(one, **facts)[1:] == ([CLONE, DELETE] if age > 90 else [])


def rotated(state: str, *, days: float = 0.1, **marks: Any) -> tuple[Key, Key]:
    """An old key of a page, and the successor that was handed over so long ago."""
    old = named("store map", MAPS, age=400)
    lineage = lineage_of(old.uid)
    made = successor(2, state, lineage=lineage, published=format_time(NOW - timedelta(days=days)), predecessor="one", **marks)
    made = replace(made, service_account_email=None, restrictions=old.restrictions, create_time=NOW - timedelta(days=days))
    assert made.key_id == successor_id(lineage, 2)
    return old, made


def of_old(old: Key, made: Key) -> KeyJudgement:
    return next(each for each in judged(old, made) if each.key is old)


def test_while_the_grace_runs_the_old_key_is_waited_for_and_not_rotated_again() -> None:
    old, made = rotated("grace")
    judgement = of_old(old, made)
    assert [(each.kind, each.command) for each in judgement.steps] == [
        ("review", "keyadmin rotation status one -p p1"),
        ("delete", "keyadmin keys rotate one -p p1"),
    ]
    [aged] = [each for each in judgement.findings if each.rule == "key-too-old"]
    assert aged.message.endswith(f"; {made.key_id} has replaced it, and its grace runs until 2026-11-24 09:36 UTC")
    assert {each.fix for each in judgement.findings} == {"keyadmin rotation status one -p p1"}
    assert "wait until then" in judgement.steps[0].why


def test_when_the_grace_is_over_it_is_finished_with_the_sinks_that_there_were() -> None:
    old, made = rotated("grace", days=3)
    assert [each.command for each in of_old(old, made).steps] == ["keyadmin keys rotate one -p p1"]
    old, made = rotated("grace", days=3, sinks="0123456789abcdef")
    [step] = of_old(old, made).steps
    assert (step.kind, step.command) == ("delete", "keyadmin keys rotate one -p p1 --to SINK")
    assert step.why.startswith(f"{made.key_id} has replaced it, and its grace of 24 h is over, with the same sinks: ")


def test_a_successor_that_nobody_has_yet_is_handed_over_and_no_other_made() -> None:
    [step] = of_old(*rotated("verifying")).steps
    assert (step.kind, step.command) == ("replace", "keyadmin keys rotate one -p p1")
    assert "makes none" in step.why


def test_keys_that_are_alike_but_for_a_rotation_do_not_share_their_steps() -> None:
    old, made = rotated("grace")
    other = replace(old, name=old.name.replace("/one", "/two"), uid="uid-two")
    found = {each.key.key_id: each.fix for each in judged(other, old, made) if each.key is not None}
    assert found["two"] == "keyadmin keys restrict two -p p1 --allowed-referrers SITE"
    assert found["one"] == "keyadmin rotation status one -p p1"


@pytest.mark.parametrize(
    ("account", "services", "expected"),
    [(ROBOT, (GEMINI,), [ROTATE, ROTATED]), (None, (GEMINI,), [MIGRATE, MIGRATED]), (None, (MAPS,), [ROTATE, ROTATED])],
)
def test_an_old_key_is_rotated_or_migrated(account: str | None, services: tuple[str, ...], expected: list[Any]) -> None:
    one = key(age=100, account=account, restrictions=Restrictions(ips=OFFICE, targets=targets(*services)))
    assert steps(one, used=used(one, *services)) == expected
    assert steps(one) == expected, "nothing of it depends on the use"


def test_what_nobody_uses_is_deleted_and_nothing_else() -> None:
    """One old key got up to five findings with three contradicting orders."""
    worst = key(age=900, account=None, restrictions=Restrictions(referrers=("*",)))
    [judgement] = judged(worst, gemini=True, used={})
    assert len(judgement.findings) == 5
    assert [(each.kind, each.command) for each in judgement.steps] == [("delete", "keyadmin keys delete one -p p1")]
    assert {finding.fix for finding in judgement.findings} == {"keyadmin keys delete one -p p1"}


@pytest.mark.parametrize("restrictions", [Restrictions(), Restrictions(ips=OFFICE, targets=targets(MAPS))])
@pytest.mark.parametrize("days", [0.1, 29, 31, 41])
def test_no_key_is_to_be_deleted_that_was_called_in_the_six_weeks_that_were_read(
    restrictions: Restrictions, days: float
) -> None:
    """A monthly job: its last call is more than 30 days ago, so that it counts as unused; deleted it would fail."""
    one = key(age=900, account=None, restrictions=restrictions)
    found = steps(one, gemini=False, used=used(one, MAPS, days=days))
    if ("replace", "keys clone") in found:  # the old one goes once the page has the new one
        found.remove(("delete", "keys delete"))
    assert "keys delete" not in str([command for kind, command in found if kind == "delete"])
    [judgement] = judged(one, gemini=False, used=used(one, MAPS, days=days))
    if days > 30:
        assert found[-1] == ("review", "keys usage")
        assert "though not in the last 30 days" in judgement.steps[-1].why
    if not restrictions.targets:
        assert found[0] == steps(one, gemini=False)[0] == TO_USED, "the same, whether its use was read or not"


def test_both_say_why() -> None:
    one = key(age=900, account=None, restrictions=Restrictions())
    [unread] = judged(one, gemini=False)
    assert "its use, which was not read here" in unread.steps[0].why
    [idle] = judged(one, gemini=False, used={})
    assert idle.steps[0].why.startswith("its use was read: no call in the six weeks")


def test_clients_first_where_everybody_is_let_in_last_where_nobody_is_named() -> None:
    wide = key(age=100, restrictions=Restrictions(ips=("0.0.0.0/0", "192.0.2.1"), targets=targets(GEMINI)))
    assert steps(wide) == [("contain", "keys restrict --remove-ips 0.0.0.0/0"), ROTATE, ROTATED]
    free = key(restrictions=Restrictions(targets=targets(GEMINI)))
    [judgement] = judged(free)
    assert [(each.kind, each.not_read) for each in judgement.steps] == [("review", ("clients",))]
    assert steps(replace(free, create_time=NOW - timedelta(days=100))) == [ROTATE, ROTATED], "the successor is asked about"


def test_a_rotation_that_is_under_way_is_finished_its_own_way() -> None:
    stuck = successor(2, "stuck", age=200)
    assert steps(stuck, used={}) == [("replace", "keys rotate --to SINK")]
    by_hand = successor(2, None, age=200)
    assert steps(by_hand, used={}) == [("review", "rotation adopt")]


def test_a_deleted_key_is_not_brought_back_by_whoever_follows_the_steps() -> None:
    gone = key(delete_time=NOW - timedelta(days=2))
    assert steps(gone) == [("review", "keys describe")]


def test_the_same_key_gets_the_same_steps_whichever_rules_are_shown() -> None:
    one = replace(STANDARD, create_time=NOW - timedelta(days=400))
    facts: dict[str, Any] = {"gemini": True, "used": used(one, GEMINI)}
    [whole] = judged(one, **facts)
    for rule in {finding.rule for finding in whole.findings}:
        [part] = judged(one, shown=frozenset({rule}), **facts)
        assert part.steps == whole.steps
        assert [finding.rule for finding in part.findings] == [rule]
        assert part.findings[0].fix == whole.steps[0].command
    assert judged(one, shown=frozenset({"mixed-targets"}), **facts) == []


CLIENTS: tuple[dict[str, Any], ...] = ({}, {"ips": ("0.0.0.0/0",)}, {"ips": OFFICE})
KEYS = [
    key(age=age, account=account, restrictions=Restrictions(**clients, targets=targets(*services)))
    for age, account, services, clients in product(
        (3, 20, 400), (ROBOT, None), ((), (GEMINI,), (MAPS,), (GEMINI, MAPS)), CLIENTS
    )
]
USES: list[Any] = [None, (), (MAPS,), (GEMINI,), (GEMINI, MAPS)]


@pytest.mark.parametrize("gemini", [True, False, None])
def test_no_key_gets_steps_that_contradict_each_other(gemini: bool | None) -> None:
    """Every kind of key, with every kind of use."""
    for one, services in product(KEYS, USES):
        for judgement in judged(one, gemini=gemini, used=None if services is None else used(one, *services)):
            commands = [each.command for each in judgement.steps]
            text = " ".join(commands)
            assert not ("keys migrate" in text and "keys rotate" in text), commands
            cloned = [" ".join(each.split()[1:3]) for each in commands[-2:]] == ["keys clone", "keys delete"]
            assert cloned or commands[0].endswith("keys delete one -p p1") or "keys delete" not in text, commands
            assert cloned or services is not None or "keys delete" not in text, "its use was not read"
            assert sum("--api-target" in each or "--to-used" in each for each in commands) <= 1, commands
            assert all(finding.fix == commands[0] for finding in judgement.findings)
            kinds = [each.kind for each in judgement.steps]
            if "keys create" not in text:
                assert kinds == sorted(kinds, key=["contain", "replace", "delete", "review"].index), commands


def test_the_worst_key_comes_first_accepted_findings_aside() -> None:
    bad, good = replace(OPEN, display_name="b"), key("maps", restrictions=Restrictions(ips=OFFICE, targets=targets(MAPS)))
    first, second = in_order(judged(good, bad, gemini=True, used=used(bad, MAPS) | used(good, MAPS)))
    assert (first.key, second.key) == (bad, good)
    assert (first.severity, second.severity) == (Severity.HIGH, Severity.INFO)


def test_ids_that_are_none_do_not_get_into_what_is_to_be_typed() -> None:
    odd = replace(key(restrictions=Restrictions()), name="projects/123/locations/global/keys/$(reboot)")
    assert judged(odd)[0].steps[0].command == "keyadmin keys restrict KEY -p p1 --allowed-ips ADDRESS"


def test_keys_of_a_kind_share_their_steps_but_not_their_names() -> None:
    two = [key(each, age=100, account=None) for each in ("a", "b")]
    assert [judgement.fix for judgement in judged(*two)] == [f"keyadmin keys migrate {each} -p p1 --to SINK" for each in "ab"]
    assert len(judged(*two)[0].steps[:1]) == 1


def test_a_name_that_holds_a_key_string_is_changed_first_and_the_key_replaced() -> None:
    named = replace(key(), display_name="AIza" + "SyB0lNxN2kQ9r7wJ4vTcPq8LmZx3HdUyE1o")
    assert steps(named) == [("contain", "keys rename one NAME -p p1"), ROTATE, ROTATED]
    noted = replace(key(), annotations={"note": named.display_name})
    assert steps(noted)[0] == ("contain", "keys annotate --remove note")
