"""The sandbox's JSON printer prints what `json.dumps` would."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.sandbox.messages.pretty import pretty

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(derandomize=True, database=None)
@given(_VALUES)
def test_as_json_dumps(value: Any) -> None:
    assert pretty(value) == json.dumps(value, indent=2, ensure_ascii=False)


def test_deeper_in_a_document() -> None:
    value = {"a": [{"b": 1}]}
    whole = json.dumps({"x": value}, indent=2)
    assert whole == '{\n  "x": ' + pretty(value, "\n  ") + "\n}"
