"""What is done next with a lineage, and what its annotations are believed."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.keys.codec import format_time
from keyadmin.keys.model import GEMINI, GEMINI_ONLY, ApiTarget, Key, Restrictions
from keyadmin.rotation.decide import Action, Terms, decide
from keyadmin.rotation.lineage import (
    GENERATION,
    LINEAGE,
    PUBLISHED,
    STATE,
    VOID,
    Lineage,
    State,
    claims,
    lineage_of,
    parse_successor,
    read,
    successor_id,
    without_claims,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
UID = "324cdbc6-224d-4584-930e-27b536680c84"
L = lineage_of(UID)
BASE = "projects/1/locations/global/keys"


def founder(age: int = 10, *, deleted: bool = False, auth: bool = True, annotations: dict[str, str] | None = None) -> Key:
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
    deleted: bool = False,
    **more: str,
) -> Key:
    annotations = claims(L, number, "first", state, None) if state else {}
    if published is not None:
        annotations[PUBLISHED] = format_time(NOW - published)
    return Key(
        f"{BASE}/{successor_id(L, number)}",
        f"uid-{number}",
        "web",
        "p",
        create_time=NOW - timedelta(days=age),
        delete_time=NOW if deleted else None,
        restrictions=GEMINI_ONLY,
        annotations=annotations | more,
        service_account_email="a@p.iam.gserviceaccount.com",
    )


def lineage(*keys: Key) -> Lineage:
    found = read(keys, "p")
    assert len(found) == 1
    return found[0]


def action(*keys: Key, **terms: object) -> Action:
    return decide(lineage(*keys), Terms(**terms), NOW).action  # type: ignore[arg-type]


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
        ([founder(10)], {"emergency": True}, Action.CREATE),
        ([founder(10, deleted=True)], {"force": True}, Action.GONE),
        ([founder(95), generation(2, State.VERIFYING)], {}, Action.PUBLISH),
        ([founder(95), generation(2, State.STUCK)], {}, Action.PUBLISH),
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
        ([founder(), generation(2, State.RETIRED, deleted=True)], "deleted by hand"),
        ([founder(deleted=True), generation(2, None)], "annotations"),
        ([founder(), generation(2, State.RETIRED)], "brought back by hand"),
        ([founder(), generation(2, State.GRACE)], "when it was published"),
        ([founder(), generation(2, State.RETIRED), generation(3, State.GRACE, published=timedelta())], "brought back by hand"),
    ],
)
def test_what_was_changed_by_hand_is_stuck_with_a_way_out(keys: list[Key], word: str) -> None:
    decision = decide(lineage(*keys), Terms(emergency=True), NOW)
    assert decision.action is Action.STUCK
    assert word in decision.why
    assert decision.ways_out


def test_annotations_count_only_where_the_key_id_agrees() -> None:
    liar = founder(annotations=claims("aaaaaaaaaa", 7, None, State.GRACE, None) | {VOID: "9"})
    found = lineage(liar)
    assert found.id == L
    assert found.newest.generation == 1
    assert not found.newest.claimed
    assert found.void_up_to == 0
    wrong = generation(2, State.GRACE, published=timedelta(days=9), **{GENERATION: "3"})
    assert decide(lineage(founder(), wrong), Terms(), NOW).action is Action.STUCK
    assert (
        decide(lineage(founder(), generation(2, State.GRACE, **{LINEAGE: "x", STATE: "grace"})), Terms(), NOW).action
        is Action.STUCK
    )


def test_a_founder_is_known_without_annotations() -> None:
    found = lineage(founder(95), generation(2, State.GRACE, published=timedelta(hours=1)))
    assert [member.generation for member in found.members] == [1, 2]
    assert found.predecessor is not None
    assert found.predecessor.key.key_id == "first"


def test_no_generation_is_used_twice() -> None:
    assert lineage(founder(deleted=True), generation(2, deleted=True)).next_generation == 3
    rolled_back = founder(annotations=claims(L, 1, None, State.RETIRED, None) | {VOID: "4"})
    assert lineage(rolled_back).next_generation == 5


def test_a_rollback_takes_later_generations_out_of_the_count() -> None:
    back = founder(annotations=claims(L, 1, None, State.RETIRED, None) | {VOID: "2"})
    begun = lineage(back, generation(2, State.GRACE, published=timedelta(days=3)))
    assert begun.newest.generation == 1
    assert decide(begun, Terms(), NOW).action is Action.UNDO
    ended = lineage(back, generation(2, State.GRACE, deleted=True))
    assert decide(ended, Terms(), NOW).action is Action.REST
    again = lineage(back, generation(2, deleted=True), generation(3, State.GRACE, published=timedelta(days=3)))
    assert again.newest.generation == 3
    assert again.predecessor is not None
    assert again.predecessor.generation == 1
    assert decide(again, Terms(), NOW).action is Action.RETIRE


def test_migration_takes_standard_keys_that_may_call_gemini_and_no_others() -> None:
    assert action(founder(1, auth=False), migrate=True) is Action.CREATE
    assert action(founder(400), migrate=True) is Action.REST
    other = Key(f"{BASE}/maps", UID, restrictions=Restrictions(targets=(ApiTarget("maps-backend.googleapis.com"),)))
    assert action(other, migrate=True) is Action.REST


def test_what_a_split_left_to_other_apis_is_not_a_predecessor_to_delete() -> None:
    rest = Key(
        f"{BASE}/first", UID, create_time=NOW, restrictions=Restrictions(targets=(ApiTarget("maps-backend.googleapis.com"),))
    )
    assert action(rest, generation(2, State.RETIRED)) is Action.REST
    mixed = Key(f"{BASE}/first", UID, create_time=NOW, restrictions=Restrictions(targets=(ApiTarget(GEMINI), ApiTarget("x.y"))))
    assert action(mixed, generation(2, State.GRACE, published=timedelta(days=2))) is Action.RETIRE


def test_other_peoples_annotations_are_carried_over_and_keyadmins_are_not() -> None:
    assert without_claims({"team": "web"} | claims(L, 2, "first", State.GRACE, "x")) == {"team": "web"}


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
    decision = decide(found, Terms(emergency=emergency), NOW)
    if decision.action is Action.RETIRE:
        assert found.newest.live
        assert found.newest.published is not None
