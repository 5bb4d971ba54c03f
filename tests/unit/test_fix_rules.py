"""The pure rules of repairs: what is wider, which order, what is harm, what may be done to a key as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyadmin.audit.fix.change import FixChange, fingerprint, replacing
from keyadmin.audit.fix.journal import KeyRecord
from keyadmin.audit.fix.narrower import wider
from keyadmin.audit.fix.observe import KeyCounts, WatchSpans, judge
from keyadmin.audit.fix.recompute import FirstStep, FixDone, FixRefused, FixTarget, recompute
from keyadmin.audit.fix.waves import in_waves
from keyadmin.audit.model import Severity
from keyadmin.model.key import ALL_APIS, ApiTarget, Key, Restrictions

MAPS, TRANSLATE = "maps-backend.googleapis.com", "translate.googleapis.com"
OPEN = Restrictions()
FOR_MAPS = Restrictions(targets=(ApiTarget(MAPS),))
BOTH = Restrictions(targets=(ApiTarget(MAPS), ApiTarget(TRANSLATE)))


def methods(*names: str) -> Restrictions:
    return Restrictions(targets=(ApiTarget(TRANSLATE, names),))


WIDER = [
    (FOR_MAPS, OPEN),
    (FOR_MAPS, BOTH),
    (FOR_MAPS, Restrictions(targets=(ApiTarget(ALL_APIS),))),
    (methods("Get*"), methods()),
    (methods("Get*"), methods("Translate")),
    (methods("GetThis"), methods("Get*")),
    (Restrictions(ips=("192.0.2.0/24",)), OPEN),
    (Restrictions(ips=("192.0.2.0/24",)), Restrictions(ips=("192.0.0.0/16",))),
    (Restrictions(ips=("192.0.2.0/24",)), Restrictions(ips=())),
    (Restrictions(ips=("192.0.2.0/24",)), Restrictions(referrers=("a.example/*",))),
    (Restrictions(referrers=("a.example/*",)), Restrictions(referrers=("*.example/*",))),
    (Restrictions(ios=("com.example.a",)), Restrictions(ios=("com.example.a", "com.example.b"))),
]
NOT_WIDER = [
    (OPEN, FOR_MAPS),
    (BOTH, FOR_MAPS),
    (BOTH, BOTH),
    (Restrictions(targets=(ApiTarget(ALL_APIS),)), FOR_MAPS),
    (methods(), methods("Get*")),
    (methods("Get*"), methods("GetThis", "GetThat*")),
    (OPEN, Restrictions(ips=("192.0.2.7",))),
    (Restrictions(ips=("192.0.2.0/24",)), Restrictions(ips=("192.0.2.7", "192.0.2.64/26"))),
    (Restrictions(ips=("0.0.0.0/0",)), Restrictions(referrers=("a.example/*",))),
    (Restrictions(referrers=("*",)), Restrictions(referrers=("a.example/*",))),
    (Restrictions(referrers=("a.example/*", "b.example/*")), Restrictions(referrers=("a.example/*",))),
]


@pytest.mark.parametrize(("before", "after"), WIDER)
def test_what_lets_more_through_is_wider(before: Restrictions, after: Restrictions) -> None:
    assert wider(before, after)


@pytest.mark.parametrize(("before", "after"), NOT_WIDER)
def test_what_lets_less_through_is_not(before: Restrictions, after: Restrictions) -> None:
    assert wider(before, after) == ""


NAME = "projects/12/locations/global/keys/{}"
KEY = Key(NAME.format("map"), uid="u", project="shop", etag="e1", restrictions=OPEN)


def change(number: int = 0, **more: object) -> FixChange:
    values: dict[str, object] = {"kind": "restrict-apis", "before": OPEN, "after": FOR_MAPS, "etag": "e1"}
    return FixChange(
        name=NAME.format("map" if not number else f"k{number}"),
        project="shop",
        display_name="",
        fingerprint=fingerprint(KEY),
        why="",
        severity=Severity.HIGH,
        **(values | more),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("count", "first", "sizes"),
    [(100, 10, [10, 20, 30, 40]), (100, 50, [50, 10, 40]), (3, 10, [1, 1, 1]), (1, 10, [1]), (0, 10, []), (10, 100, [10])],
)
def test_waves_grow(count: int, first: int, sizes: list[int]) -> None:
    found = [each.wave for each in in_waves([change(number + 1) for number in range(count)], first)]
    assert [found.count(number) for number in range(1, len(sizes) + 1)] == sizes
    assert len(found) == sum(sizes)


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SPANS = WatchSpans(NOW - timedelta(minutes=45), NOW)
WEEK = 7 * 24 * 60 // 45  # spans of 45 minutes in a week


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        (KeyCounts("k", refused_after=6), "harmed"),
        (KeyCounts("k", refused_after=5, answered_after=1), "unharmed"),
        (KeyCounts("k", refused_before=10 * WEEK, refused_after=30, answered_after=9), "unharmed"),
        (KeyCounts("k", refused_before=10 * WEEK, refused_after=31, answered_after=9), "harmed"),
        (KeyCounts("k", answered_before=12 * WEEK, answered_after=3), "harmed"),
        (KeyCounts("k", answered_before=12 * WEEK, answered_after=4, answered_shown=0), "unharmed"),
        (KeyCounts("k", answered_before=12 * WEEK, answered_after=3, answered_shown=3), "unharmed"),
        (KeyCounts("k", answered_before=9 * WEEK, answered_after=0), "not-judged"),
        (KeyCounts("k"), "not-judged"),
        (KeyCounts("k", read=False), "not-judged"),
    ],
)
def test_harm(counts: KeyCounts, verdict: str) -> None:
    assert judge(1, [counts], SPANS).verdict == verdict


def test_a_time_in_which_nothing_shows_is_not_judged() -> None:
    spans = WatchSpans(NOW - timedelta(minutes=20), NOW)
    assert judge(1, [KeyCounts("k", answered_before=99 * WEEK, answered_after=40)], spans).verdict == "not-judged"
    assert judge(1, [KeyCounts("k", refused_after=9)], spans).verdict == "harmed", "refused calls that show are there"


def test_one_key_of_which_nothing_is_known_keeps_a_wave_from_being_judged() -> None:
    good = KeyCounts("k", answered_before=12 * WEEK, answered_after=12)
    assert judge(1, [good], SPANS).verdict == "unharmed"
    assert judge(1, [good, KeyCounts("m", answered_before=3)], SPANS).verdict == "not-judged"
    assert judge(1, [good, KeyCounts("idle")], SPANS).verdict == "unharmed", "a key that nobody used cannot be missed"


def test_a_change_is_made_for_the_key_as_it_was_planned() -> None:
    assert isinstance(recompute(change(), KEY, "fix-1", {"12"}, begun=False), FixTarget)
    assert isinstance(recompute(change(), KEY, "fix-1", {"13"}, begun=False), FixRefused)
    assert isinstance(recompute(change(etag="e0"), KEY, "fix-1", {"12"}, begun=False), FixRefused)
    assert isinstance(recompute(change(), None, "fix-1", {"12"}, begun=False), FixRefused)


def step() -> FixChange:
    """What replaces the key, behind what contains it."""
    return change(kind="migrate", after=None, before=FOR_MAPS, wave=2)


CONTAINED = replace(KEY, etag="e2", restrictions=FOR_MAPS, annotations={"keyadmin-fix": "fix-1"})
DONE = KeyRecord("done", OPEN, FOR_MAPS, etag="e2", begun=True)


@pytest.mark.parametrize(
    ("live", "record", "made"),
    [
        (CONTAINED, DONE, True),
        (CONTAINED, None, False),
        (CONTAINED, replace(DONE, step="failed"), False),
        (CONTAINED, replace(DONE, step="undone"), False),
        (replace(CONTAINED, etag="e3"), DONE, False),
        (replace(CONTAINED, display_name="theirs"), DONE, False),
    ],
)
def test_a_key_is_replaced_as_its_first_step_left_it(live: Key, record: KeyRecord | None, made: bool) -> None:
    found = recompute(step(), live, "fix-1", {"12"}, begun=False, first=FirstStep(change(), record))
    assert isinstance(found, FixTarget) is made, found


def test_a_rotation_is_gone_on_with_by_the_mark_of_its_run() -> None:
    moved = replace(KEY, etag="e3")
    assert isinstance(recompute(step(), moved, "fix-1", {"12"}, begun=True), FixRefused), "nothing was done to it yet"
    marked = replace(moved, annotations={"keyadmin-fix": "fix-1"})
    assert isinstance(recompute(step(), marked, "fix-1", {"12"}, begun=True), FixTarget)


def test_the_mark_of_what_contained_a_key_does_not_begin_its_rotation() -> None:
    """The run that began it was killed before it wrote anything, or was overtaken; then somebody else changed the key."""
    first = FirstStep(change(), DONE)
    moved = replace(CONTAINED, etag="e3", display_name="theirs")
    assert isinstance(recompute(step(), moved, "fix-1", {"12"}, begun=True, first=first), FixRefused)
    held = replace(moved, annotations={"keyadmin-fix": replacing("fix-1")})
    assert isinstance(recompute(step(), held, "fix-1", {"12"}, begun=True, first=first), FixTarget)


def test_a_key_with_the_mark_of_another_run_is_not_taken_for_done() -> None:
    done = Key(KEY.name, uid="u", project="shop", etag="e2", restrictions=FOR_MAPS, annotations={"keyadmin-fix": "fix-1"})
    assert isinstance(recompute(change(), done, "fix-1", {"12"}, begun=True), FixDone)
    assert isinstance(recompute(change(), done, "fix-2", {"12"}, begun=True), FixRefused)
