"""The descriptors that the sandbox brings agree with Google's own packages, whichever versions of them are installed."""

from __future__ import annotations

import gzip
from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pb2

from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.messages.published import FILE, message_class
from tests.sandbox import message_types

Fields = dict[str, dict[str, Any]]


def fields_of(found: descriptor_pb2.FileDescriptorSet) -> Fields:
    """Full name of a message -> name of a field -> what decides its form on the wire."""
    out: Fields = {}
    for file in found.file:
        for message in file.message_type:
            add(out, f"{file.package}.{message.name}", message)
    return out


def add(out: Fields, name: str, message: descriptor_pb2.DescriptorProto) -> None:
    out[name] = {each.name: (each.number, each.type, each.label, each.type_name) for each in message.field}
    for inner in message.nested_type:
        add(out, f"{name}.{inner.name}", inner)


def test_what_both_know_has_one_form() -> None:
    packed = gzip.decompress(files("keyadmin.data").joinpath(FILE).read_bytes())
    brought = fields_of(descriptor_pb2.FileDescriptorSet.FromString(packed))
    installed = fields_of(message_types.published())
    shared = [
        (name, field) for name in brought.keys() & installed.keys() for field in brought[name].keys() & installed[name].keys()
    ]
    assert [each for each in shared if brought[each[0]][each[1]] != installed[each[0]][each[1]]] == []
    assert len(shared) > 2000


def test_every_method_finds_its_messages() -> None:
    names = [
        name
        for api in LocalCloud().apis.values()
        for method in api.methods.values()
        for name in (method.request, method.response)
        if isinstance(name, str)
    ]
    assert [name for name in names if message_class(name).DESCRIPTOR.full_name != name] == []
    assert len(names) > 100
