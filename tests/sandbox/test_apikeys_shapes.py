"""The API Keys messages written by hand say what Google's protobuf classes say, and are encoded as they would be."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from keyadmin.sandbox.messages.published import message_class
from keyadmin.sandbox.messages.shape import Shape, shape_of
from keyadmin.sandbox.services.apikeys.api import api
from keyadmin.sandbox.services.apikeys.shapes import encode_key


def _described(shape: Shape) -> Any:
    fields = {
        field.name: (field.kind, field.repeated, field.is_map, field.message and _described(field.message))
        for field in shape.own()
    }
    return shape.full_name, fields


@pytest.mark.parametrize("name", sorted(api.methods))
def test_requests(name: str) -> None:
    method = api.methods[name]
    assert method.written is not None
    assert isinstance(method.request, str)
    assert _described(method.written) == _described(shape_of(method.request))


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
_TIME = st.sampled_from(["2026-03-09T12:23:30.364834Z", "2019-10-08T13:40:25Z", "1970-01-01T00:00:00.000001Z"])
_LISTS = st.lists(_TEXT, max_size=3)
_ANDROID = st.fixed_dictionaries({"sha1Fingerprint": _TEXT, "packageName": _TEXT})
_TARGET = st.fixed_dictionaries({"service": _TEXT}, optional={"methods": _LISTS})
_CLIENTS = st.one_of(
    st.just({}),
    *(
        st.fixed_dictionaries({kind: st.just({}) | st.fixed_dictionaries({entries: values})})
        for kind, entries, values in (
            ("browserKeyRestrictions", "allowedReferrers", _LISTS),
            ("serverKeyRestrictions", "allowedIps", _LISTS),
            ("iosKeyRestrictions", "allowedBundleIds", _LISTS),
            ("androidKeyRestrictions", "allowedApplications", st.lists(_ANDROID, max_size=2)),
        )
    ),
)
_RESTRICTIONS = st.builds(
    lambda clients, targets: clients | targets,
    _CLIENTS,
    st.fixed_dictionaries({}, optional={"apiTargets": st.lists(_TARGET, min_size=1, max_size=3)}),
).filter(bool)
_KEYS = st.fixed_dictionaries(
    {"name": _TEXT, "createTime": _TIME, "uid": _TEXT, "updateTime": _TIME, "etag": _TEXT},
    optional={
        "displayName": _TEXT,
        "keyString": _TEXT,
        "deleteTime": _TIME,
        "annotations": st.dictionaries(_TEXT, st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=3),
        "restrictions": _RESTRICTIONS,
        "serviceAccountEmail": _TEXT,
    },
)


@settings(deadline=None, derandomize=True, database=None)
@given(_KEYS)
def test_keys_are_encoded_as_the_protobuf_library_would(doc: dict[str, Any]) -> None:
    kind = message_class("google.api.apikeys.v2.Key")
    assert kind.FromString(encode_key(doc)) == json_format.ParseDict(doc, kind(), ignore_unknown_fields=True)
