"""The filter language that several of the sandbox's services share."""

from __future__ import annotations

import pytest

from keyadmin.sandbox.messages.expressions import All, Any, Not, Term, Unreadable, matches, parse, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", All(())),
        ("  ", All(())),
        ("word", Term("", "", ("word",))),
        ('"two words"', Term("", "", ("two words",))),
        (r'"a \"b\""', Term("", "", ('a "b"',))),
        ("state:ENABLED", Term("state", ":", ("ENABLED",))),
        ("a = 'b c'", Term("a", "=", ("b c",))),
        ("a!=b", Term("a", "!=", ("b",))),
        ("createTime >= 2024-01-01T00:00:00Z", Term("createTime", ">=", ("2024-01-01T00:00:00Z",))),
        ("name://host/projects/p", Term("name", ":", ("//host/projects/p",))),
        ("NOT a:b", Not(Term("a", ":", ("b",)))),
        ("-a:b", Not(Term("a", ":", ("b",)))),
        ("-word", Not(Term("", "", ("word",)))),
        ("a:b c:d", All((Term("a", ":", ("b",)), Term("c", ":", ("d",))))),
        ("a:b AND c:d", All((Term("a", ":", ("b",)), Term("c", ":", ("d",))))),
        ("a:1 AND b:2 OR c:3", All((Term("a", ":", ("1",)), Any((Term("b", ":", ("2",)), Term("c", ":", ("3",))))))),
        ("(a:1 AND b:2) OR c", Any((All((Term("a", ":", ("1",)), Term("b", ":", ("2",)))), Term("", "", ("c",))))),
        ("l:(x OR y)", Any((Term("l", ":", ("x",)), Term("l", ":", ("y",))))),
        ("l:(x NOT y)", All((Term("l", ":", ("x",)), Not(Term("l", ":", ("y",)))))),
        ('a = starts_with("p:")', Term("a", "=", ("p:",), "starts_with")),
        ('a = one_of("x", "y", z)', Term("a", "=", ("x", "y", "z"), "one_of")),
        ('a = monitoring.regex.full_match("x.*")', Term("a", "=", ("x.*",), "monitoring.regex.full_match")),
    ],
)
def test_what_a_filter_means(text: str, expected: object) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text", ["(", ")", "a:", "a:b)", "(a", "AND", "a AND", "OR a", "NOT", "a = f(", 'a = f("x" "y")', '"open', "a = =", "," * 3]
)
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


@pytest.mark.parametrize("text", ["(" * 500 + "a" + ")" * 500, "NOT " * 500 + "a", " ".join(["a"] * 500)])
def test_a_filter_cannot_be_endless(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_a_filter_is_asked_of_each_term() -> None:
    found = parse("a:1 AND (b:2 OR NOT c:3)")
    assert [term.field for term in terms(found)] == ["a", "b", "c"]

    def holds(**values: str) -> bool:
        return matches(found, lambda term: values.get(term.field) == term.value)

    assert holds(a="1", b="2", c="3")
    assert holds(a="1", b="0", c="0")
    assert not holds(a="1", b="0", c="3")
    assert not holds(a="0", b="2", c="0")
