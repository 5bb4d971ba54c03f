"""What is done next with a lineage, and what its annotations are believed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.model.key import GEMINI, GEMINI_ONLY, ApiTarget, Key, Restrictions
from keyadmin.model.key_codec import format_time
from keyadmin.model.lineage import (
    CAUSE,
    FOUNDER,
    GENERATION,
    HIGHEST,
    LINEAGE,
    PREDECESSOR,
    PUBLISHED,
    SINKS,
    STATE,
    VOID,
    Lineage,
    State,
    claims,
    lineage_of,
    parse_successor,
    read,
    successor_id,
)
from keyadmin.rotation.decide import Action, RotationTerms, decide
from keyadmin.rotation.policy import PolicyRule
from keyadmin.rotation.rotate import for_key

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
UID = "324cdbc6-224d-4584-930e-27b536680c84"
L = lineage_of(UID)
HOUR = timedelta(hours=1)
BASE = "projects/1/locations/global/keys"


def founder(age: int = 10, *, deleted: bool = False, auth: bool = True, annotations: Mapping[str, str] | None = None) -> Key:
    return Key(
        f"{BASE}/first",
        UID,
        "web",
        "p",
        create_time=NOW - timedelta(days=age),
        delete_time=NOW if deleted else None,
        restrictions=GEMINI_ONLY,
        annotations=annotations or {},
        service_account_email="a@p.iam.gserviceaccount.com" if auth else None,
    )


def generation(
    number: int,
    state: State | None = State.RETIRED,
    *,
    age: int = 1,
    published: timedelta | None = None,
    born: timedelta | None = None,
    auth: bool = True,
    restrictions: Restrictions = GEMINI_ONLY,
    deleted: bool = False,
    notes: Mapping[str, str] | None = None,
) -> Key:
    annotations = claims(L, number, successor_id(L, number - 1) if number > 2 else "first", state) if state else {}
    if published is not None:
        annotations[PUBLISHED] = format_time(NOW - published)
    return Key(
        f"{BASE}/{successor_id(L, number)}",
        f"uid-{number}",
        "web",
        "p",
        create_time=NOW - (born if born is not None else max(timedelta(days=age), published or timedelta())),
        delete_time=NOW if deleted else None,
        restrictions=restrictions,
        annotations={**annotations, **(notes or {})},
        service_account_email="a@p.iam.gserviceaccount.com" if auth else None,
    )


def lineage(*keys: Key) -> Lineage:
    found = read(keys, "p")
    assert len(found) == 1
    return found[0]


def action(*keys: Key, **terms: object) -> Action:
    return decide(lineage(*keys), RotationTerms(**terms), NOW).action  # type: ignore[arg-type]


def test_the_lineage_is_the_first_ten_characters_of_the_base32_sha256_of_the_uid() -> None:
    assert base64.b32encode(hashlib.sha256(UID.encode()).digest()).decode().lower()[:10] == L
    assert successor_id(L, 2) == f"ka-{L}-2"


@given(st.uuids(), st.integers(1, 999_999_999))
def test_successor_ids_can_be_read_back_and_are_key_ids(uid: object, number: int) -> None:
    made = successor_id(lineage_of(str(uid)), number)
    assert parse_successor(made) == (lineage_of(str(uid)), number)
    assert len(made) <= 63


@pytest.mark.parametrize("text", ["ka-abc-2", f"ka-{'a' * 10}-0", f"ka-{'a' * 10}-02", f"ka-{'1' * 10}-2", f"xka-{'a' * 10}-2"])
def test_other_ids_are_founders(text: str) -> None:
    assert parse_successor(text) is None


@pytest.mark.parametrize(
    ("keys", "terms", "expected"),
    [
        ([founder(10)], {}, Action.REST),
        ([founder(90)], {}, Action.CREATE),
        ([founder(10)], {"max_age": timedelta(days=5)}, Action.CREATE),
        ([founder(10)], {"force": True}, Action.CREATE),
        ([founder(10)], {"emergency": True}, Action.REST),
        ([founder(10)], {"emergency": True, "force": True}, Action.CREATE),
        ([founder(900)], {"max_age": None}, Action.REST),
        ([founder(10, deleted=True)], {"force": True}, Action.GONE),
        ([founder(95), generation(2, State.VERIFYING)], {}, Action.PUBLISH),
        ([founder(95), generation(2, State.STUCK)], {}, Action.PUBLISH),
        ([founder(95), generation(2, State.VERIFYING, published=timedelta(hours=25))], {}, Action.PUBLISH),
        ([founder(95), generation(2, State.STUCK, published=timedelta(hours=2))], {}, Action.WAIT),
        ([founder(95), generation(2, State.STUCK, published=timedelta(hours=25))], {}, Action.RETIRE),
        ([founder(95), generation(2, State.GRACE, published=timedelta(hours=2))], {"force": True}, Action.WAIT),
        ([founder(95), generation(2, State.GRACE, published=timedelta(hours=2))], {}, Action.WAIT),
        ([founder(95), generation(2, State.GRACE, published=timedelta(hours=25))], {}, Action.RETIRE),
        ([founder(95), generation(2, State.GRACE, published=timedelta(hours=2))], {"emergency": True}, Action.RETIRE),
        ([founder(95), generation(2, State.GRACE, published=timedelta())], {"grace": timedelta()}, Action.RETIRE),
        ([founder(95, deleted=True), generation(2, State.GRACE, published=timedelta(hours=2))], {}, Action.RETIRE),
        ([founder(95, deleted=True), generation(2, State.RETIRED)], {}, Action.REST),
        ([founder(95, deleted=True), generation(2, State.RETIRED, age=91)], {}, Action.CREATE),
        ([generation(2, State.RETIRED, age=91)], {}, Action.CREATE),
    ],
)
def test_the_way_of_a_rotation(keys: list[Key], terms: dict[str, object], expected: Action) -> None:
    assert action(*keys, **terms) is expected


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ([founder(), generation(2, State.RETIRED, deleted=True)], "deleted manually"),
        ([founder(deleted=True), generation(2, None)], "annotations"),
        ([founder(), generation(2, State.RETIRED)], "brought back manually"),
        ([founder(), generation(2, State.GRACE)], "when it was published"),
        ([founder(), generation(2, State.RETIRED), generation(3, State.GRACE, published=timedelta())], "brought back manually"),
        ([founder(), generation(2, State.GRACE, published=HOUR, born=timedelta(minutes=1))], "before it was made"),
        ([founder(), generation(2, State.STUCK, published=HOUR, born=timedelta(minutes=1))], "before it was made"),
        ([founder(), generation(2, State.GRACE, published=-HOUR)], "in the future"),
        ([founder(), generation(2, State.VERIFYING, auth=False)], "is a standard key"),
        ([founder(), generation(2, State.GRACE, published=HOUR, auth=False)], "is a standard key"),
        ([founder(), generation(2, State.VERIFYING, restrictions=Restrictions())], "may call every API"),
    ],
)
def test_what_was_changed_by_hand_is_stuck_with_a_way_out(keys: list[Key], word: str) -> None:
    decision = decide(lineage(*keys), RotationTerms(emergency=True), NOW)
    assert decision.action is Action.STUCK
    assert word in decision.why
    assert decision.ways_out


@pytest.mark.parametrize("name", [HIGHEST, VOID])
def test_a_forged_number_beyond_all_generations_makes_no_key(name: str) -> None:
    forged = founder(100, annotations=claims(L, 1, None, State.RETIRED) | {name: "999999999"})
    decision = decide(lineage(forged), RotationTerms(force=True), NOW)
    assert decision.action is Action.STUCK
    assert decision.ways_out == (f"keyadmin keys annotate first -p p --remove {name}",)
    assert action(founder(10, annotations=forged.annotations)) is Action.REST, "nothing is due"
    fits = founder(100, annotations={**forged.annotations, name: "999999998"})
    assert action(fits, force=True) is Action.CREATE
    assert parse_successor(successor_id(L, lineage(fits).next_generation)) is not None


def test_a_cause_that_nobody_wrote_is_none() -> None:
    annotations = claims(L, 1, None, State.RETIRED)
    for value, known in (("conflict", "conflict"), ("<b>", None), ("", None)):
        assert lineage(founder(annotations=annotations | {CAUSE: value})).newest.cause == known


def test_clocks_that_differ_a_little_and_finished_rotations_are_nobodys_fault() -> None:
    little = timedelta(minutes=5)
    assert action(founder(), generation(2, State.GRACE, published=little, born=timedelta())) is Action.WAIT
    assert action(founder(), generation(2, State.GRACE, published=-little)) is Action.WAIT
    assert action(founder(deleted=True), generation(2, State.RETIRED, published=HOUR, born=timedelta())) is Action.REST
    assert action(founder(deleted=True), generation(2, State.RETIRED, auth=False, restrictions=Restrictions())) is Action.REST
    assert action(founder(auth=False), generation(2, State.VERIFYING, auth=False)) is Action.PUBLISH


def test_what_adopting_named_as_predecessor_is_not_held_against_it() -> None:
    third = generation(3, State.GRACE, published=timedelta(days=2), notes={PREDECESSOR: "first"})
    assert action(founder(), generation(2, State.RETIRED), third) is Action.RETIRE


def test_annotations_count_only_where_the_key_id_agrees() -> None:
    liar = founder(annotations=claims("aaaaaaaaaa", 7, None, State.GRACE, None) | {VOID: "9"})
    found = lineage(liar)
    assert found.id == L
    assert found.newest.generation == 1
    assert not found.newest.claimed
    assert found.next_generation == 2
    told = {PUBLISHED: format_time(NOW), PREDECESSOR: "x", SINKS: "x", CAUSE: "conflict", HIGHEST: "9"}
    for lineage_, number in (("aaaaaaaaaa", 1), (L, 7)):
        member = lineage(founder(annotations=claims(lineage_, number, "x", State.GRACE) | told)).newest
        assert (member.state, member.published, member.predecessor_id, member.sinks) == (None, None, None, None)
        assert (member.cause, member.highest) == (None, 1)
    wrong = generation(2, State.GRACE, published=timedelta(days=9), notes={GENERATION: "3"})
    assert decide(lineage(founder(), wrong), RotationTerms(), NOW).action is Action.STUCK
    assert (
        decide(
            lineage(founder(), generation(2, State.GRACE, notes={LINEAGE: "x", STATE: "grace"})), RotationTerms(), NOW
        ).action
        is Action.STUCK
    )


def test_what_is_no_time_and_no_number_is_none() -> None:
    garbled = generation(2, State.GRACE, notes={PUBLISHED: "yesterday", VOID: "many", HIGHEST: "-3"})
    found = lineage(founder(), garbled)
    assert (found.newest.published, found.newest.void_up_to, found.newest.highest) == (None, 0, 2)
    assert decide(found, RotationTerms(), NOW).action is Action.STUCK


def test_the_working_key_lives_and_was_published() -> None:
    for newest in (generation(2, State.VERIFYING), generation(2, State.GRACE, published=timedelta(), deleted=True)):
        working = lineage(founder(95), newest).working
        assert working is not None
        assert working.generation == 1
    assert lineage(founder(deleted=True), generation(2, State.VERIFYING)).working is None


def test_a_founder_is_known_without_annotations() -> None:
    found = lineage(founder(95), generation(2, State.GRACE, published=timedelta(hours=1)))
    assert [member.generation for member in found.members] == [1, 2]
    assert found.predecessor is not None
    assert found.predecessor.key.key_id == "first"


def test_generations_are_in_their_order_whatever_that_of_the_listing() -> None:
    """As text, 10 comes before 9."""
    found = lineage(generation(10), founder(deleted=True), generation(9, deleted=True))
    assert [member.generation for member in found.members] == [1, 9, 10]


def test_a_key_of_unknown_age_is_not_too_old() -> None:
    assert action(replace(founder(900), create_time=None)) is Action.REST


def test_no_generation_is_used_twice() -> None:
    assert lineage(founder(deleted=True), generation(2, deleted=True)).next_generation == 3
    assert lineage(founder(), generation(2, deleted=True)).next_generation == 3
    remembered = founder(annotations=claims(L, 1, None, State.RETIRED) | {HIGHEST: "4"})
    assert lineage(remembered).next_generation == 5
    rolled_back = founder(annotations=claims(L, 1, None, State.RETIRED, None) | {VOID: "4"})
    assert lineage(rolled_back).next_generation == 5


def test_a_rollback_takes_later_generations_out_of_the_count() -> None:
    back = founder(annotations=claims(L, 1, None, State.RETIRED, None) | {VOID: "2"})
    begun = lineage(back, generation(2, State.GRACE, published=timedelta(days=3)))
    assert begun.newest.generation == 1
    assert decide(begun, RotationTerms(), NOW).action is Action.STUCK, "no run finishes a rollback: its mark may be forged"
    assert decide(begun, RotationTerms(back_to="first"), NOW).action is Action.UNDO
    assert decide(begun, RotationTerms(back_to="other"), NOW).action is Action.STUCK
    ended = lineage(back, generation(2, State.GRACE, deleted=True))
    assert decide(ended, RotationTerms(max_age=timedelta(days=1)), NOW).action is Action.REST
    assert decide(ended, RotationTerms(force=True), NOW).action is Action.CREATE
    again = lineage(back, generation(2, deleted=True), generation(3, State.GRACE, published=timedelta(days=3)))
    assert again.newest.generation == 3
    assert again.predecessor is not None
    assert again.predecessor.generation == 1
    assert decide(again, RotationTerms(), NOW).action is Action.RETIRE


def test_a_rollback_within_a_rollback_leaves_nothing_counted_that_was_given_up() -> None:
    back = founder(annotations=claims(L, 1, None, State.RETIRED) | {VOID: "2"})
    third = generation(3, State.RETIRED, notes={VOID: "4"})
    found = lineage(back, generation(2, deleted=True), third, generation(4, deleted=True))
    assert [member.generation for member in found.counted] == [1, 3]
    assert found.next_generation == 5


def test_migration_takes_standard_keys_that_may_call_gemini_and_no_others() -> None:
    assert action(founder(1, auth=False), migrate=True) is Action.CREATE
    assert action(founder(400), migrate=True, max_age=None) is Action.REST
    other = Key(f"{BASE}/maps", UID, restrictions=Restrictions(targets=(ApiTarget("maps-backend.googleapis.com"),)))
    assert action(other, migrate=True) is Action.REST


def test_a_rule_for_new_auth_keys_still_rotates_the_auth_keys_by_age() -> None:
    assert action(founder(95), migrate=True, max_age=timedelta(days=90)) is Action.CREATE


def test_other_sinks_than_it_was_handed_to_are_given_the_key_before_the_old_one_goes() -> None:
    published = generation(2, State.GRACE, published=timedelta(days=2), notes={SINKS: "old"})
    assert decide(lineage(founder(95), published), RotationTerms(), NOW, "old").action is Action.RETIRE
    assert decide(lineage(founder(95), published), RotationTerms(), NOW, "new").action is Action.PUBLISH
    assert decide(lineage(founder(95), published), RotationTerms(), NOW).action is Action.RETIRE, (
        "none were given: none can be read"
    )


@pytest.mark.parametrize(
    "rule",
    [
        PolicyRule("r", keys=("first",)),
        PolicyRule("r", keys=("fir*",)),
        PolicyRule("r", keys=("web",)),
        PolicyRule("r", keys=(L,)),
        PolicyRule("r", older_than=timedelta(days=30)),
        PolicyRule("r", key_type="standard"),
        PolicyRule("r", adopted=True),
    ],
)
def test_what_a_rule_selected_stays_selected_while_it_is_rotated(rule: PolicyRule) -> None:
    old = founder(95, auth=False, annotations=claims(L, 1, None, State.RETIRED))
    assert rule.selects(lineage(old), NOW)
    for state in (State.VERIFYING, State.STUCK, State.GRACE, None):
        assert rule.selects(lineage(old, generation(2, state, age=0)), NOW), state
        gone = founder(95, auth=False, deleted=True)
        assert rule.selects(lineage(gone, generation(2, state, age=0)), NOW), state


def test_a_founders_id_selects_its_lineage_after_the_founder_is_purged() -> None:
    later = generation(3, State.RETIRED, notes={FOUNDER: "first"})
    assert PolicyRule("r", keys=("first",)).selects(lineage(later), NOW)
    assert not PolicyRule("r", keys=("first",)).selects(lineage(generation(3, State.RETIRED)), NOW)
    liar = generation(3, State.RETIRED, notes={FOUNDER: "first", GENERATION: "4"})
    assert not PolicyRule("r", keys=("first",)).selects(lineage(liar), NOW)


def test_a_key_that_nobody_adopted_is_not_selected_where_that_is_asked_for() -> None:
    assert not PolicyRule("r", adopted=True).selects(lineage(founder(95)), NOW)


def test_a_named_key_is_replaced_once_and_only_if_it_is_the_newest() -> None:
    old, new = founder(95), generation(2, State.RETIRED)
    asked = RotationTerms(force=True)
    assert for_key(asked, lineage(old), old).force
    assert for_key(asked, lineage(founder(95, deleted=True), new), new).force
    assert not for_key(asked, lineage(founder(95, deleted=True), new), old).force
    for state in (State.VERIFYING, State.STUCK, State.GRACE):
        unfinished = generation(2, state, published=timedelta(hours=1) if state is State.GRACE else None)
        assert not for_key(asked, lineage(old, unfinished), unfinished).force, state
    assert for_key(asked, lineage(old), old).max_age is None


def test_a_migration_that_names_a_key_takes_no_other() -> None:
    old, new = founder(95, auth=False, deleted=True), replace(generation(2, State.RETIRED), service_account_email=None)
    assert for_key(RotationTerms(migrate=True), lineage(old, new), new).migrate
    assert not for_key(RotationTerms(migrate=True), lineage(old, new), old).migrate


def test_a_leaked_key_is_replaced_even_if_its_own_rotation_is_in_grace() -> None:
    leaked = generation(2, State.GRACE, published=timedelta(hours=1))
    assert for_key(RotationTerms(force=True, emergency=True), lineage(founder(), leaked), leaked).force


def test_what_a_split_left_to_other_apis_is_not_a_predecessor_to_delete() -> None:
    rest = Key(
        f"{BASE}/first", UID, create_time=NOW, restrictions=Restrictions(targets=(ApiTarget("maps-backend.googleapis.com"),))
    )
    assert action(rest, generation(2, State.RETIRED)) is Action.REST
    mixed = Key(f"{BASE}/first", UID, create_time=NOW, restrictions=Restrictions(targets=(ApiTarget(GEMINI), ApiTarget("x.y"))))
    assert action(mixed, generation(2, State.GRACE, published=timedelta(days=2))) is Action.RETIRE


def test_other_peoples_annotations_are_carried_over_and_keyadmins_are_not() -> None:
    key = Key(f"{BASE}/first", annotations={"team": "web"} | claims(L, 2, "first", State.GRACE, "x"))
    assert key.foreign_annotations == {"team": "web"}


@given(
    st.lists(
        st.tuples(st.integers(2, 5), st.sampled_from(State), st.booleans(), st.booleans()), max_size=4, unique_by=lambda t: t[0]
    ),
    st.booleans(),
    st.booleans(),
)
def test_nothing_is_deleted_while_no_newer_published_key_lives(
    members: list[tuple[int, State, bool, bool]], founder_deleted: bool, emergency: bool
) -> None:
    keys = [founder(95, deleted=founder_deleted)]
    keys += [generation(n, s, deleted=d, published=timedelta(days=2) if p else None) for n, s, d, p in members]
    found = lineage(*keys)
    decision = decide(found, RotationTerms(emergency=emergency), NOW)
    if decision.action is Action.RETIRE:
        assert found.newest.live
        assert found.newest.published is not None
