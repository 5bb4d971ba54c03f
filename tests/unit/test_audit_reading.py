"""Reports read back piece by piece, and what is said of files that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.audit.reading import members
from keyadmin.model.problem import Problem

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def collected(path: Path) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in members(path):
        if name in ("findings", "errors"):
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    return out


names = st.text().filter(lambda name: name not in ("findings", "errors"))


@settings(max_examples=40)
@given(st.dictionaries(names, values), st.lists(values, min_size=1))
def test_whatever_json_says_is_read(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, Any], findings: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("reports") / "report.json"
    document = parts | {"findings": findings}
    path.write_text(json.dumps(document, indent=len(findings) % 3), "utf-8")
    assert collected(path) == document


@pytest.mark.parametrize("size", [65_530, 65_536, 65_537, 200_000])
def test_pieces_end_anywhere(tmp_path: Path, size: int) -> None:
    path = tmp_path / "report.json.gz"
    document = {"a": "é" * size, "n": 12345, "findings": [{"x": size}, {"x": "y" * size}], "z": 1}
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(document, ensure_ascii=False).encode()))
    assert collected(path) == document


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("[]", "line 1"),
        ('{"a": 1,\n"b" 2}', "line 2"),
        ('{"findings": [\n{"a": 1},\n{"a": }]}', "line 3"),
        ('{"findings": [1, 2', "line 1"),
        ('{"a": 1', "line 1"),
        ("{1: 2}", "the name of a member is missing"),
        ('{"a": ' + "[" * 100_000 + "}", "nested too deeply"),
    ],
)
def test_the_place_of_a_mistake_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(Problem, match=r"report\.json cannot be used") as caught:
        list(members(path))
    assert said in caught.value.message
    assert caught.value.exit == 2


def test_what_is_cut_short_or_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report"
    for data in (gzip.compress(b'{"a": 1}')[:-9], b"\x1f\x8bnonsense", b'{"a": "\xff"}'):
        path.write_bytes(data)
        with pytest.raises(Problem, match="cannot be used"):
            list(members(path))
    with pytest.raises(Problem, match="No such file"):
        list(members(tmp_path / "absent"))
    with pytest.raises(Problem, match="Is a directory"):
        list(members(tmp_path))
