"""Which words can name a project that exists: only what no project can ever have been called is refused."""

from __future__ import annotations

import pytest

from keyadmin.model.problem import Exit, Problem
from keyadmin.model.project_ref import checked


@pytest.mark.parametrize(
    "text",
    [
        "Bad_Id",
        "Upper-case",
        "under_score",
        "a b",
        "a/b",
        "../x",
        "a\nb",
        "-x",
        "ends-",
        "a?b",
        "a.b",
        "x" * 64,
        "",
        ":x",
        "a:b:c",
        "é",
    ],
)
def test_what_no_project_can_be_called_is_wrong_usage_with_the_mend(text: str) -> None:
    with pytest.raises(Problem) as caught:
        checked(text, "--project")
    assert caught.value.exit is Exit.USAGE
    assert caught.value.message.startswith(f"--project: {text!r} is not a project id or number")
    assert caught.value.fix[-1].startswith("see the ids: keyadmin projects list --all")


@pytest.mark.parametrize("text", ["My Project", "Bad_Id", "My shop's"])
def test_a_display_name_is_sent_to_the_search(text: str) -> None:
    import shlex

    with pytest.raises(Problem) as caught:
        checked(text, "--project")
    assert shlex.split(caught.value.fix[0].partition("keyadmin projects search ")[2]) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "demo-project",
        "fleet-00000",
        "123456789012",
        "7",
        "short",
        "1begins-with-a-digit",  # some legacy ids do
        "example.com:my-project",
        "sub.example.com:7up",
        "a" * 63,
        "gen-lang-client-0123456789",
    ],
)
def test_what_a_project_may_be_called_is_let_through(text: str) -> None:
    assert checked(text, "--project") == text
    assert checked(f"projects/{text}", "--project") == text


def test_a_key_string_is_not_repeated() -> None:
    key = "AIza" + "x9" * 17 + "Q"
    with pytest.raises(Problem) as caught:
        checked(key, "KEYADMIN_PROJECT")
    assert "x9x9x9" not in repr(caught.value)
    assert "key string" in caught.value.message
