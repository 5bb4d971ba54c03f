"""Google's published messages, by full name, from one file of descriptors (`data/messages.binpb.gz`).

The packages of Google's clients define the same messages, and more than half of what an installation weighs would be such
packages, imported for nothing but this. The descriptors are taken from them by tests/sandbox/message_types.py, and a test
compares. They live in a pool of their own: the same messages of a client in this process are other classes.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any, Final

FILE: Final = "messages.binpb.gz"
"""A gzipped google.protobuf.FileDescriptorSet; a file stands behind those that it imports."""


@cache
def pool() -> Any:
    """The google.protobuf.descriptor_pool.DescriptorPool that knows them."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    packed = files("keyadmin.data").joinpath(FILE).read_bytes()
    known = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(gzip.decompress(packed)).file:
        known.Add(file)
    return known


@cache
def message_class(name: str) -> Any:
    """The class of a message by its full name, `google.api.apikeys.v2.Key`. Raises KeyError for one that is not there."""
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(pool().FindMessageTypeByName(name))
