"""The schema of the policy file agrees with what is read."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from keyadmin.model.problem import Problem
from keyadmin.rotation.policy import _Reader, template
from keyadmin.rotation.settings import SETTINGS, schema

VALIDATOR = Draft7Validator(schema())
GOOD = {"projects": ["shop-1"], "sinks": ["stdout"]}


def taken(policy: dict[str, Any]) -> bool:
    """Whether keyadmin reads it."""
    try:
        _Reader(Path("keyadmin.toml"), "").policy(policy)
    except Problem:
        return False
    return True


def test_it_is_a_schema_and_the_template_fits() -> None:
    Draft7Validator.check_schema(schema())
    VALIDATOR.validate(tomllib.loads(template("my-shop", "vm")))


def test_every_setting_is_in_it_with_its_help() -> None:
    properties = schema()["properties"]["rule"]["items"]["properties"]
    assert {name: each["description"] for name, each in properties.items()} == {name: s.help for name, s in SETTINGS.items()}


texts = st.lists(
    st.sampled_from(["shop-1", "web-*", "123", "folders/12", "organizations/1", "", "stdout", "mail:x"]), max_size=2
)
sinks = st.lists(
    st.sampled_from(["stdout", "env-file:/a:B", "exec:true", "secret-manager:projects/p-1/secrets/s", "ftp:x", ""])
)
durations = st.sampled_from(["90d", "1d12h", "0s", "1.5H", "", "soon", "90"])
odd = st.one_of(
    st.integers(), st.booleans(), st.none(), st.lists(st.integers(), max_size=1), st.dictionaries(st.text(), st.text())
)
values = {
    "texts": texts,
    "duration": durations,
    "choice": st.sampled_from(["any", "auth", "standard", "keep", "none"]),
    "text": st.sampled_from(["vm", ""]),
    "flag": st.booleans(),
    "table": st.dictionaries(st.sampled_from(["team", "x"]), st.sampled_from(["web", ""])),
}
setting = {name: st.one_of(sinks if name == "sinks" else values[each.kind], odd) for name, each in SETTINGS.items()}
tables = st.fixed_dictionaries({}, optional=setting | {"colour": st.just("red")})
policies = st.fixed_dictionaries({}, optional={"defaults": tables, "rule": st.lists(tables, max_size=2), "rules": st.just([])})


@given(policies)
def test_what_is_read_fits_the_schema(policy: dict[str, Any]) -> None:
    if taken(policy):
        VALIDATOR.validate(policy)


@pytest.mark.parametrize("place", ["rule", "defaults"])
@given(data=st.data())
def test_one_setting_is_judged_alike(place: str, data: st.DataObject) -> None:
    """In a policy that is right but for it. What a schema cannot say is not tried: what sinks hold, a machine for them."""
    name = data.draw(st.sampled_from([*SETTINGS, "colour"]))
    value = data.draw(setting.get(name, st.just("red")))
    rule = GOOD | {"machine": "vm"}
    policy = {"rule": [rule | {name: value}]} if place == "rule" else {"defaults": {name: value}, "rule": [rule]}
    if name == "projects" and isinstance(value, list) and any("/" in str(each) or ":" in str(each) for each in value):
        return
    assert taken(policy) == VALIDATOR.is_valid(policy)


@pytest.mark.parametrize("policy", [{}, {"rule": []}, {"rule": [{}]}, {"rule": [GOOD | {"projects": []}]}, {"rules": [GOOD]}])
def test_what_is_missing_is_missing_for_both(policy: dict[str, Any]) -> None:
    assert not taken(policy)
    assert not VALIDATOR.is_valid(policy)


def test_the_page_is_the_schema() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "keyadmin.schema.json"
    assert json.loads(page.read_text("utf-8")) == schema()
