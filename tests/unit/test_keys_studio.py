"""AI Studio's view of a project's keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keyadmin.keys import ai_studio
from keyadmin.model.key import GEMINI, ApiTarget, Key, Restrictions

VISIBLE = [
    Restrictions(),
    Restrictions(targets=(ApiTarget(GEMINI),)),
    Restrictions(targets=(ApiTarget(GEMINI, ("Get*",)),)),
    Restrictions(targets=(ApiTarget("cloudapis.googleapis.com"),)),
    Restrictions(ips=("192.0.2.1",)),
]
HIDDEN = [
    Restrictions(targets=(ApiTarget("translate.googleapis.com"),)),
    Restrictions(targets=(ApiTarget(GEMINI), ApiTarget("translate.googleapis.com"))),
]


def keys(restrictions):
    return [Key(f"projects/1/locations/global/keys/k{number}", restrictions=each) for number, each in enumerate(restrictions)]


@given(st.lists(st.sampled_from(VISIBLE + HIDDEN), max_size=250))
def test_nothing_is_lost(restrictions):
    made = keys(restrictions)
    result = ai_studio.shown(made)
    assert len(result.keys) <= 100
    assert all(key.restrictions in VISIBLE for key in result.keys)
    assert len(result.keys) + result.other_apis + result.over_limit == len(made)
    assert (result.note is None) == (len(result.keys) == len(made))


def test_the_note_counts_each_reason():
    result = ai_studio.shown(keys([Restrictions()] * 103 + HIDDEN))
    assert (result.other_apis, result.over_limit) == (2, 3)
    assert result.note is not None
    assert "5 keys are hidden" in result.note
    assert "--all" in result.note
    assert "2 restricted" in result.note
    assert "3 past the first 100" in result.note


def test_one_hidden_key_reads_as_one():
    note = ai_studio.shown(keys(HIDDEN[:1])).note
    assert note is not None
    assert note.startswith("1 key is hidden")
