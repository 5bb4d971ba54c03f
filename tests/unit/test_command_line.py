"""Commands that are printed: complete, quoted, and names of others only in the form of what they name."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import keyadmin
from keyadmin.handover.registry import built_in
from keyadmin.model.command_line import INSIDE, Invocation, calling_as, complete, gcloud, typed
from keyadmin.model.name_forms import FORMS


def test_a_command_as_it_is_typed() -> None:
    assert typed("keys usage", "web", project="shop") == "keyadmin keys usage web -p shop"
    assert typed("keys restrict", "web", project="shop", api_target=["a.googleapis.com", "b.googleapis.com"], yes=True) == (
        "keyadmin keys restrict web -p shop --api-target a.googleapis.com --api-target b.googleapis.com --yes"
    )
    assert typed("keys list", all=True, project=None, filter="") == "keyadmin keys list --all --filter ''"
    assert typed("scan", ".", history=True) == "keyadmin scan . --history"
    assert gcloud("projects add-iam-policy-binding", "shop", member="user:a@example.com", condition="None") == (
        "gcloud projects add-iam-policy-binding shop --member=user:a@example.com --condition=None"
    )


def test_it_carries_the_program_and_the_options_of_this_run() -> None:
    with calling_as(Invocation("./venv/bin/keyadmin", ("--sandbox", "--quota-project", "mine"))):
        assert typed("keys list", project="shop") == "./venv/bin/keyadmin keys list -p shop --sandbox --quota-project mine"
        assert complete("see: `keyadmin keys list -p PROJECT`    # all", project="shop") == (
            "see: ./venv/bin/keyadmin keys list -p shop --sandbox --quota-project mine    # all"
        )
        assert complete("an admin runs `gcloud services list`") == "an admin runs gcloud services list"
    assert typed("keys list") == "keyadmin keys list"


def test_what_writes_outside_a_sandbox_that_a_variable_chose_carries_what_it_needs() -> None:
    with calling_as(Invocation(outside=("--sandbox",))):
        handed = "keyadmin keys hand-over web"
        assert typed("keys hand-over", "web", to=["env-file:.env"]) == f"{handed} --to env-file:.env --sandbox"
        assert typed("keys hand-over", "web", to="exec:cat") == f"{handed} --to exec:cat --sandbox"
        assert typed("keys hand-over", "web", to=("stdout", "exec:cat")).endswith(" --sandbox")
        assert typed("env set", "web") == "keyadmin env set web --sandbox"
        assert complete("so: `keyadmin env set KEY`", key="web") == "so: keyadmin env set web --sandbox"
        inside = "secret-manager:projects/shop/secrets/web"
        assert typed("keys hand-over", "web", to=[inside, "stdout"]) == f"{handed} --to {inside} --to stdout"
        assert typed("keys rotate", "web", to="SINK") == "keyadmin keys rotate web --to SINK"
        assert complete("so: `keyadmin env show`") == "so: keyadmin env show"
    assert {sink.kind for sink in built_in() if not sink.outside} == set(INSIDE)


@pytest.mark.parametrize("bad", ["x; rm -rf ~", "$(id)", "`id`", "a b", "--yes", "", "-p", "key\nid", "KEY; id", "../x"])
def test_names_of_others_stand_there_only_in_their_form(bad: str) -> None:
    assert typed("keys describe", bad, project=bad) == "keyadmin keys describe KEY -p PROJECT"
    assert typed("doctor", bad) == "keyadmin doctor PROJECT"
    assert typed("rotation run", only=bad, emergency=True) == "keyadmin rotation run --only KEY --emergency"
    assert complete("`keyadmin keys describe KEY -p PROJECT`", key=bad, project=bad) == "keyadmin keys describe KEY -p PROJECT"


OWN = {"policy", "for_", "remove", "help"}  # the person's own path, and words that keyadmin chose


def calls_of_typed(*folders: str) -> list[tuple[str, ast.Call]]:
    """Every `typed(...)` in these folders of the package, with its place."""
    root = Path(keyadmin.__file__).parent
    files = [file for folder in folders for file in sorted((root / folder).rglob("*.py"))]
    return [
        (f"{file.relative_to(root)}:{node.lineno}", node)
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "typed"
    ]


def test_no_name_gets_into_what_rotation_prints_but_in_its_form() -> None:
    """Lineages are read from a server: in each option that is not written out here a name would stand as it came."""
    calls = calls_of_typed("rotation", "cli/rotation")
    assert len(calls) > 20
    for place, call in calls:
        loose = {each.arg for each in call.keywords if not isinstance(each.value, ast.Constant)} - OWN
        for option in loose:
            printed = typed("rotation run", **{str(option): "x; rm -rf ~"})
            assert "rm" not in printed, f"{place}: {option} has no form"
        assert all(isinstance(each, ast.Constant) for each in call.args[2:]), place
        if len(call.args) > 1 and not isinstance(call.args[1], ast.Constant):
            path = call.args[0].value if isinstance(call.args[0], ast.Constant) else "keys rotate"
            assert "rm" not in typed(str(path), "x; rm -rf ~"), place


def test_placeholders_and_the_minus_stay() -> None:
    assert typed("keys verify", "-") == "keyadmin keys verify -"
    assert typed("keys restrict", "web", add_android="PACKAGE=SHA1") == "keyadmin keys restrict web --add-android PACKAGE=SHA1"
    assert complete("`keyadmin keys create --name NAME`", key="web") == "keyadmin keys create --name NAME"


@given(st.text(max_size=40))
def test_whatever_a_value_is_a_shell_reads_it_back(text: str) -> None:
    if "\x00" in text:
        return
    words = shlex.split(typed("keys rename", "web", text, to=f"exec:{text}"))
    assert words[:4] == ["keyadmin", "keys", "rename", "web"]
    assert words[4] == text
    assert words[-1].removeprefix("--to=") == f"exec:{text}"


@given(st.sampled_from(sorted(FORMS)), st.text(alphabet=st.characters(codec="ascii"), max_size=30))
def test_no_form_lets_a_shell_do_anything(kind: str, text: str) -> None:
    if FORMS[kind].fullmatch(text):
        assert shlex.quote(text) == text
        assert not text.startswith("-")
