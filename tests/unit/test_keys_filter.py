"""The language of `keys list --filter` and `--sort`."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.keys import filter as language
from keyadmin.keys.filter import Comparison, FilterGroup, Negation
from keyadmin.model.key_codec import format_time
from keyadmin.model.problem import Exit, Problem


@contextmanager
def wrong_usage_at_most():
    """Whatever is inside succeeds or is refused with exit code 2; any other failure comes through."""
    try:
        yield
    except Problem as problem:
        if problem.exit is not Exit.USAGE:
            raise


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def record(**changes):
    made = {
        "name": "projects/1/locations/global/keys/web",
        "displayName": "Web Frontend",
        "project": "demo-project",
        "keyType": "auth",
        "restricted": "gemini",
        "studioVisible": True,
        "ageDays": 100,
        "createTime": format_time(NOW - timedelta(days=100)),
        "annotations": {"team": "search"},
        "restrictions": {"apiTargets": [{"service": "generativelanguage.googleapis.com"}], "serverKeyRestrictions": {}},
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def holds(text, **changes):
    return language.predicate(text)(record(**changes), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "keyId=web",
        'displayName="Web Frontend"',
        "displayName:front",
        "displayName~^Web",
        "ageDays>=100",
        "ageDays < 101",
        "age>90d",
        "age<=2400h",
        "createTime<2026-09-01",
        "createTime>2026-08-15T11:59:59Z",
        "createTime<2026-08-15T14:00:01+02:00",
        "studioVisible=true",
        "deleted=false",
        "annotations.team=search",
        "NOT annotations.owner:*",
        "-annotations.owner:*",
        "apiTarget:generative",
        "client=ips",
        "keyType=(auth standard)",
        "keyType=auth restricted=gemini",
        "keyType=auth AND (ageDays>200 OR age>1d)",
        "keyType!=standard",
        "serviceAccountEmail!=a",
        "displayName=(x 'Web Frontend')",
        "deleteTime!=2026-01-01",
        "displayName='Web Frontend'",
    ],
)
def test_holds(text):
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "keyId=we",
        "displayName=web",
        "age>101d",
        "annotations.owner:*",
        "keyType!=auth",
        "keyType!=(auth standard)",
        "NOT keyType=auth",
        "deleteTime<2027-01-01",
        "keyType=auth keyType=standard",
        "client=none",
        "NOT (keyType=auth OR ageDays>1)",
    ],
)
def test_does_not_hold(text):
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour=red", "unknown field 'colour'"),
        ("keyType", "expected one of"),
        ("=x", "a field's name"),
        ("keyType=", "a value"),
        ("", "a field's name"),
        ("(keyType=auth", "closing parenthesis"),
        ("keyType=auth)", "no closing parenthesis"),
        ("keyType=(auth", "closing parenthesis"),
        ("keyType='auth", "closing quotation"),
        ("keyType=a AND keyType=b OR keyType=c", "mixes AND and OR"),
        ("keyType=a keyType=b OR keyType=c", "mixes"),
        ("keyType<b", "not compared with <"),
        ("ageDays>old", "a number"),
        ("createTime>soon", "a time"),
        ("age>90", "is not a duration"),
        ("studioVisible=yes", "true or false"),
        ("displayName~(", "a value"),
        ("displayName~'('", "is not a regular expression"),
        ("keyType=a AND", "a field's name"),
        ("annotations.=x", "unknown field"),
        ("(" * 5000, "inside each other"),
    ],
)
def test_what_cannot_be_read_is_named(text, said):
    with pytest.raises(Problem) as caught:
        language.predicate(text)
    assert said in caught.value.message
    assert caught.value.exit is Exit.USAGE


names = st.sampled_from(["displayName", "keyType", "project", "annotations.team"])
values = st.text(min_size=1, max_size=8)
terms = st.builds(
    lambda name, op, many: Comparison(name, op, tuple(many)),
    names,
    st.sampled_from(["=", "!=", ":"]),
    st.lists(values, min_size=1, max_size=3),
)
trees = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds(Negation, inner),
        st.builds(
            lambda word, parts: FilterGroup(word, tuple(parts)),
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
    ),
    max_leaves=8,
)


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(tree):
    match tree:
        case Comparison(name, op, (one,)):
            return f"{name}{op}{quoted(one)}"
        case Comparison(name, op, many):
            return f"{name} {op} ({' '.join(map(quoted, many))})"
        case Negation(inner):
            return f"NOT ({written(inner)})"
        case FilterGroup(word, parts):
            return f" {word} ".join(f"({written(part)})" for part in parts)
    raise AssertionError(tree)


@given(trees)
def test_what_is_written_is_what_is_read(tree):
    assert language.parse(written(tree)) == tree


def oracle(tree, value):
    match tree:
        case Comparison(_, ":", many):
            return any((value != "") if each == "*" else each.lower() in value.lower() for each in many)
        case Comparison(_, op, many):
            return (value in many) == (op == "=")
        case Negation(inner):
            return not oracle(inner, value)
        case FilterGroup("AND", parts):
            return all(oracle(part, value) for part in parts)
        case FilterGroup(_, parts):
            return any(oracle(part, value) for part in parts)
    raise AssertionError(tree)


@given(trees, values)
def test_the_truth_of_a_tree(tree, value):
    found = {"displayName": value, "keyType": value, "project": value, "annotations": {"team": value}}
    assert language.predicate(written(tree))(found, NOW) == oracle(tree, value)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    with wrong_usage_at_most():
        language.predicate(text)(record(), NOW)


def test_sort_by_several_fields_with_absent_ones_last():
    rows = [
        record(displayName="b", ageDays=1),
        record(displayName="a", ageDays=None),
        record(displayName="C", ageDays=2),
        record(displayName="a", ageDays=2),
    ]
    order = [(row["displayName"], row.get("ageDays")) for row in language.ordered(rows, "~ageDays,displayName", NOW, dict)]
    assert order == [("a", 2), ("C", 2), ("b", 1), ("a", None)]
    assert [row.get("ageDays") for row in language.ordered(rows, "ageDays", NOW, dict)] == [1, 2, 2, None]


@given(st.lists(st.integers(0, 5)))
def test_sort_keeps_everything_and_is_stable(ages):
    rows = [record(ageDays=age, uid=str(number)) for number, age in enumerate(ages)]
    result = language.ordered(rows, "-ageDays", NOW, dict)
    assert [(row["ageDays"], int(row["uid"])) for row in result] == sorted(
        ((age, number) for number, age in enumerate(ages)), key=lambda pair: (-pair[0], pair[1])
    )


def test_sort_by_an_unknown_field():
    with pytest.raises(Problem, match="unknown field"):
        language.ordered([], "colour", NOW, dict)
