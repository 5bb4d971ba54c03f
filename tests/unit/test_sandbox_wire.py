"""Protobuf bytes made without the protobuf library's JSON parser are what it would have made."""

from __future__ import annotations

from typing import Any

import pytest

from keyadmin.sandbox.messages import wire
from keyadmin.sandbox.messages.published import message_class
from keyadmin.sandbox.messages.shape import to_message

RESPONSE = "google.cloud.asset.v1.SearchAllResourcesResponse"
RESULT: dict[str, Any] = {
    "name": "//apikeys.googleapis.com/projects/1/locations/global/keys/k",
    "project": "projects/1",
    "folders": ["folders/2", "folders/3"],
    "displayName": "Schlüssel \N{KEY}",
    "createTime": "2024-02-03T04:05:06Z",
    "updateTime": "1969-12-31T23:59:58.5Z",
    "labels": {"a": "b", "empty": ""},
    "additionalAttributes": {
        "n": 1.5,
        "i": -3,
        "yes": True,
        "no": False,
        "none": None,
        "list": [1, "x", {}, []],
        "deep": {"a": {"b": "c"}},
    },
    "versionedResources": [{"version": "v2", "resource": {"x": "y"}}, {"version": "v1"}],
}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"nextPageToken": "t"},
        {"results": [RESULT, {}, RESULT], "nextPageToken": "x" * 300},
    ],
)
def test_bytes_mean_the_same(answer: dict[str, Any]) -> None:
    assert message_class(RESPONSE).FromString(wire.encode(RESPONSE, answer)) == to_message(RESPONSE, answer)


@pytest.mark.parametrize("name", RESULT)
def test_each_field(name: str) -> None:
    answer = {"results": [{name: RESULT[name]}]}
    assert message_class(RESPONSE).FromString(wire.encode(RESPONSE, answer)) == to_message(RESPONSE, answer)


def test_unknown_fields_are_left_out() -> None:
    assert wire.encode(RESPONSE, {"nonsense": 1, "results": [{"nonsense": "x"}]}) == wire.encode(RESPONSE, {"results": [{}]})
