"""Policy files of strangers: whatever stands in one, it is read or refused in words (exit 2), and nothing else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.policy import parse_policy
from keyadmin.rotation.settings import SETTINGS

KEY = "AIzaSANDBOX" + "aB3" * 9 + "x"
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["90d", "-1d", "1e9d", "99999999999999999999d", "folders/1", "folders/x", "*", "a*", "\x1b[31m", "9" * 400]
    ),
    st.sampled_from(
        ["exec:", "exec:'", f"exec:echo {KEY}", "stdout", "env-file:/x/{name}", "env-file:/x:1", "nowhere:x", "{x}"]
    ),
    st.sampled_from(["secret-manager:projects/{project}/secrets/{lineage}", "kubernetes:a/b", "github-actions:a/b:{name}"]),
    st.sampled_from(["vault:a/b", "file:", "file:/x", "{x}", "9" * 400]),
)
VALUES: Any = st.recursive(
    st.one_of(TEXTS, st.integers(), st.floats(allow_nan=False), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
NAMES = st.one_of(st.sampled_from(list(SETTINGS)), st.text(max_size=12))
TABLES = st.dictionaries(NAMES, VALUES, max_size=6)


def toml(value: Any) -> str:
    """A value as TOML writes it, control characters escaped."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(name)} = {toml(each)}" for name, each in value.items()) + "}"
    return repr(value)


def read(text: str) -> None:
    """Reads it, or refuses it in words (exit 2)."""
    refused: Problem | None = None
    try:
        assert parse_policy(Path("keyadmin.toml"), text).rules
    except Problem as problem:
        refused = problem
    if refused is not None:
        assert refused.exit is Exit.USAGE
        assert refused.message.startswith("keyadmin.toml")


@settings(max_examples=300)
@given(st.lists(TABLES, min_size=1, max_size=3), TABLES)
def test_tables_of_any_values(rules: list[dict[str, Any]], defaults: dict[str, Any]) -> None:
    lines = ["[defaults]", *(f"{toml(name)} = {toml(value)}" for name, value in defaults.items())]
    for rule in rules:
        lines += ["[[rule]]", *(f"{toml(name)} = {toml(value)}" for name, value in rule.items())]
    read("\n".join(lines) + "\n")


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=200), st.text(alphabet='[]={}".,\n rule#-', max_size=120)))
def test_texts_of_any_kind(text: str) -> None:
    read(text)
