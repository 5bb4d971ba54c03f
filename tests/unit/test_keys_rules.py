"""The rules of changing, copying and presenting keys, as far as they need no cloud."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.keys import change, clone, preflight, provision, resolve, restriction_edit, retry_until, validate, verify
from keyadmin.keys.preflight import ProjectState
from keyadmin.keys.present import apis, as_json, clients
from keyadmin.keys.provision import KeySpec
from keyadmin.model.key import GEMINI, GEMINI_ONLY, AndroidApp, ApiTarget, Key, Restrictions
from keyadmin.model.key_codec import restrictions_from_json, restrictions_to_json
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import KeyString

TRANSLATE = ApiTarget("translate.googleapis.com")
NAME = "projects/123/locations/global/keys/web"

targets = st.lists(
    st.sampled_from([ApiTarget(GEMINI), TRANSLATE, ApiTarget("vision.googleapis.com", ("Get*",))]), unique=True
).map(tuple)
words = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3, unique=True).map(tuple)
kinds: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"ips": words}),
    st.fixed_dictionaries({"referrers": words}),
    st.fixed_dictionaries({"ios": words}),
    st.fixed_dictionaries({"android": st.just((AndroidApp("A" * 40, "com.example.app"),))}),
)
restrictions = st.builds(lambda kind, listed: Restrictions(targets=listed, **kind), kinds, targets)


@given(restrictions, restrictions)
def test_restricting_replaces_what_is_named_and_keeps_the_rest(old, new):
    result = restriction_edit.replaced(old, new)
    assert result.targets == (new.targets or old.targets)
    source = new if new.client_kind else old
    assert result.client_kind == source.client_kind
    assert restriction_edit.replaced(result, new) == result
    assert len([kind for kind in (result.ips, result.referrers, result.android, result.ios) if kind]) <= 1
    lost = restriction_edit.going(old, result)
    assert all(entry in restriction_edit.entries(old) for entry in lost)
    assert not set(lost) & set(restriction_edit.entries(result))


def edited(edit, old):
    """The restrictions after an edit; None where it is refused as wrong usage."""
    try:
        return edit.of(Key(NAME, restrictions=old))
    except Problem as problem:
        if problem.exit is not Exit.USAGE:
            raise
        return None


@given(restrictions, restrictions)
def test_adding_keeps_every_entry_and_taking_away_no_other(old, more):
    """Whatever is merged: what stood there stands there afterwards, and what goes is what was named."""
    edit = restriction_edit.RestrictionEdit(add=more)
    after = edited(edit, old)
    fits = more.client_kind in (None, old.client_kind) and (not more.targets or old.services)
    if after is None:
        assert not fits
        return
    assert set(restriction_edit.going(old, after)) <= {f"API {t.service} ({', '.join(t.methods)})" for t in old.targets}
    assert old.services <= after.services
    assert edit.of(Key(NAME, restrictions=after)) == after, "added twice is added once"
    less = edited(restriction_edit.RestrictionEdit(remove=more), old)
    if less is None:
        return
    assert set(restriction_edit.entries(less)) <= set(restriction_edit.entries(old))
    assert less.client_kind == old.client_kind, "a kind never goes by taking entries away"
    assert bool(less.services) == bool(old.services)


@given(restrictions)
def test_unrestricting_takes_off_one_part_or_both(old):
    assert change.unrestricted(old, "all") == Restrictions()
    assert change.unrestricted(old, "apis") == Restrictions(
        ips=old.ips, referrers=old.referrers, android=old.android, ios=old.ios
    )
    assert change.unrestricted(old, "clients") == Restrictions(targets=old.targets)


@given(restrictions)
def test_restrictions_survive_the_wire(value):
    assert restrictions_from_json(json.loads(json.dumps(restrictions_to_json(value)))) == value


def test_annotations_are_cleared_removed_and_added_in_this_order():
    old = {"a": "1", "b": "2"}
    assert change.annotated(old, {"c": "3"}, ["a"], clear=False) == {"b": "2", "c": "3"}
    assert change.annotated(old, {"a": "9"}, ["a"], clear=False) == {"b": "2", "a": "9"}
    assert change.annotated(old, {"c": "3"}, [], clear=True) == {"c": "3"}


def key(**changes):
    made: dict[str, Any] = {"name": NAME, "display_name": "Web", "project": "demo-project", "restrictions": GEMINI_ONLY}
    return Key(**(made | changes))


def test_a_clone_in_the_same_project():
    original = key(
        service_account_email="own@demo-project.iam.gserviceaccount.com", annotations={"a": "1", "keyadmin-lineage": "x"}
    )
    copy = clone.wish(original, clone.Changes())
    assert (copy.project, copy.display_name, copy.key_type) == ("demo-project", "Copy of Web", "auth")
    assert copy.service_account == "own@demo-project.iam.gserviceaccount.com"
    assert copy.annotations == {"a": "1"}
    assert copy.restrictions == GEMINI_ONLY


def test_a_clone_elsewhere_gets_the_other_projects_account():
    original = key(service_account_email="own@demo-project.iam.gserviceaccount.com")
    copy = clone.wish(original, clone.Changes(project="other-project"))
    assert (copy.project, copy.display_name, copy.service_account, copy.own_account) == ("other-project", "Web", None, True)
    assert clone.wish(original, clone.Changes(project="123")).service_account == "own@demo-project.iam.gserviceaccount.com"


def test_a_clone_of_a_key_with_keyadmins_account_uses_it_as_create_does():
    original = key(service_account_email=preflight.account_email("demo-project"))
    assert clone.wish(original, clone.Changes()).own_account


def test_a_clone_may_change_the_type():
    assert clone.wish(key(), clone.Changes()).key_type == "standard"
    assert clone.wish(key(), clone.Changes(key_type="auth")).own_account
    bound = key(service_account_email="own@demo-project.iam.gserviceaccount.com")
    assert clone.wish(bound, clone.Changes(key_type="standard")).service_account is None


def test_a_copys_name_fits():
    assert len(clone.copy_name("x" * 63, elsewhere=False)) == 63
    assert clone.copy_name("", elsewhere=True) == "key"


@given(st.text(max_size=70))
def test_every_display_name_gives_a_key_id(name):
    made = provision.new_key_id(name)
    assert validate.key_id(made) == made
    assert provision.new_key_id(name) != made


def test_the_id_begins_like_the_name():
    assert re.fullmatch(r"my-web-app-[a-z0-9]{8}", provision.new_key_id("My  Web_App!"))
    assert re.fullmatch(r"key-2nd-[a-z0-9]{8}", provision.new_key_id("2nd"))


def test_the_account_of_a_domain_scoped_project():
    assert preflight.account_email("demo-project") == "keyadmin-gemini@demo-project.iam.gserviceaccount.com"
    assert preflight.account_email("example.com:demo") == "keyadmin-gemini@demo.example.com.iam.gserviceaccount.com"


def test_apis_are_not_switched_on_for_nothing():
    assert preflight.apis_needed("auth", GEMINI_ONLY, own_account=True) == (
        GEMINI,
        "apikeys.googleapis.com",
        "iam.googleapis.com",
    )
    assert preflight.apis_needed("standard", Restrictions(targets=(TRANSLATE,)), own_account=False) == (
        "apikeys.googleapis.com",
    )
    assert GEMINI in preflight.apis_needed("auth", Restrictions(), own_account=False)


def test_a_plan_says_every_step():
    steps = provision.plan(KeySpec("demo-project", "Web"), ProjectState("demo-project", (), (GEMINI,), True, None))
    assert [step.split()[0] for step in steps] == ["enable", "make", "create", "verify"]
    standard = KeySpec("demo-project", "Web", key_type="standard")
    assert provision.plan(standard, ProjectState("demo-project", (), (), True, None)) == [
        "create a standard key named 'Web' in project demo-project",
        "not verify it: the Gemini API rejects standard keys",
    ]


@pytest.mark.parametrize(
    ("key_type", "restricted", "checked"),
    [
        ("auth", GEMINI_ONLY, True),
        ("auth", Restrictions(), True),
        ("auth", Restrictions(targets=(ApiTarget(GEMINI), TRANSLATE)), True),
        ("standard", GEMINI_ONLY, False),
        ("auth", Restrictions(targets=(TRANSLATE,)), False),
        ("auth", Restrictions(ips=("192.0.2.1",), targets=(ApiTarget(GEMINI),)), False),
        ("auth", Restrictions(targets=(ApiTarget(GEMINI, ("Generate*",)),)), False),
    ],
)
def test_what_is_worth_verifying(key_type, restricted, checked):
    assert (verify.why_not_checked(key_type, restricted) is None) is checked


def test_the_json_of_a_key():
    made = key(
        create_time=datetime(2026, 1, 1, tzinfo=UTC), key_string=KeyString("AIza" + "x" * 35), service_account_email="a@b"
    )
    out = as_json(made, sandbox=False, now=datetime(2026, 1, 31, tzinfo=UTC))
    assert out["project"] == "demo-project"
    assert (out["keyType"], out["restricted"], out["studioVisible"], out["ageDays"]) == ("auth", "gemini", True, 30)
    assert not {"keyString", "sandbox", "verification"} & set(out)
    shown = as_json(made, sandbox=True, now=datetime(2026, 1, 31, tzinfo=UTC), verification="ok", key_string=made.key_string)
    assert (shown["sandbox"], shown["verification"], shown["keyString"]) == (True, "ok", "AIza" + "x" * 35)


def test_restrictions_in_words():
    assert apis(Restrictions()) == "any API (unrestricted)"
    assert apis(Restrictions(targets=(ApiTarget("cloudapis.googleapis.com"),))) == "all APIs"
    assert apis(Restrictions(targets=(ApiTarget(GEMINI, ("Get*",)),))) == f"{GEMINI} (Get*)"
    assert clients(Restrictions()) == "anyone"
    assert clients(Restrictions(ips=("192.0.2.1", "2001:db8::1"))) == "IPs 192.0.2.1, 2001:db8::1"
    assert clients(Restrictions(android=())) == "Android none listed"


@pytest.mark.parametrize("text", [NAME, f"//apikeys.googleapis.com/{NAME}"])
def test_full_names(text):
    assert str(resolve.full_name(text)) == NAME


@pytest.mark.parametrize("text", ["projects/1/keys/a", "projects/1/locations/europe/keys/a", "//example.com/x", "", "  "])
def test_what_begins_like_a_full_name_and_is_none(text):
    with pytest.raises(Problem) as caught:
        resolve.full_name(text)
    assert caught.value.exit is Exit.USAGE


def test_an_ambiguous_name_lists_the_candidates():
    twins = [key(name=f"projects/1/locations/global/keys/{name}") for name in ("one", "two")]
    with pytest.raises(Problem) as caught:
        resolve.only("Web", "demo-project", twins)
    assert caught.value.exit is Exit.FAILED
    assert [line.split()[0] for line in caught.value.notes] == ["one", "two"]


class Counting(Observer):
    """Remembers the countdown."""

    def __init__(self):
        super().__init__()
        self.left = []

    def waiting(self, text, seconds):
        self.left.append(seconds)


class Clock:
    """Time that passes by sleeping alone: what is waited for does not depend on how busy the machine is."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(retry_until, "time", made)
    monkeypatch.setattr(retry_until, "asyncio", made)
    return made


async def test_patience_waits_with_a_countdown(clock):
    tries = []

    async def call():
        tries.append(clock.now - 1000)
        if len(tries) < 4:
            raise Problem(Cause.NOT_FOUND, "not yet")
        return "there"

    seen = Counting()
    result = await retry_until.retry_until(call, worth_it=lambda problem: True, limit_s=60, text="Waiting", observer=seen)
    assert result == "there"
    assert tries == [0, 1, 3, 7], "after 1, 2 and 4 seconds"
    assert seen.left == [60, 59, 58, 57, 56, 55, 54], "told each second"


async def test_patience_ends_at_its_limit_and_at_what_is_not_worth_it(clock):
    causes = []

    async def call():
        causes.append(1)
        raise Problem(Cause.NOT_FOUND, "never")

    with pytest.raises(Problem, match="never"):
        await retry_until.retry_until(call, worth_it=lambda problem: True, limit_s=50, text="", observer=Observer())
    assert clock.now == 1050
    assert len(causes) == 8, "at 0, 1, 3, 7, 15, 30 and 45 s, and at the end"
    causes.clear()
    with pytest.raises(Problem):
        await retry_until.retry_until(call, worth_it=lambda problem: False, limit_s=10, text="", observer=Observer())
    assert causes == [1]


async def test_patience_can_be_interrupted():
    called = asyncio.Event()

    async def call():
        called.set()
        raise Problem(Cause.NOT_FOUND, "never")

    waiting = asyncio.create_task(
        retry_until.retry_until(call, worth_it=lambda problem: True, limit_s=60, text="", observer=Observer())
    )
    await asyncio.wait_for(called.wait(), 60)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_ages_in_days_are_whole():
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert key(create_time=now - timedelta(hours=47)).age_days(now) == 1
