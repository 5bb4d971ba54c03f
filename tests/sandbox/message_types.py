"""Writes `keyadmin/data/messages.binpb.gz`: the descriptors of Google's messages, taken from the packages of its clients.

python -m tests.sandbox.message_types
"""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

import keyadmin.data
from keyadmin.sandbox.messages.published import FILE

CLIENTS = (  # packages whose messages are proto-plus classes
    "google.cloud.api_keys_v2",
    "google.cloud.asset_v1",
    "google.cloud.iam_admin_v1",
    "google.cloud.iam_credentials_v1",
    "google.cloud.iam_v2",
    "google.cloud.monitoring_v3",
    "google.cloud.orgpolicy_v2",
    "google.cloud.resourcemanager_v3",
    "google.cloud.secretmanager_v1",
    "google.cloud.service_usage_v1",
)
PLAIN = (
    "google.iam.v1.iam_policy_pb2",
    "google.iam.v1.policy_pb2",
    "google.longrunning.operations_pb2",
    "google.protobuf.empty_pb2",
    "google.rpc.error_details_pb2",
    "google.rpc.status_pb2",
)


def published() -> descriptor_pb2.FileDescriptorSet:
    """The descriptors of the installed packages, each file behind those that it imports."""
    found: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for module in CLIENTS:
        types = importlib.import_module(f"{module}.types")
        for name in types.__all__:
            kind = getattr(types, name)
            if hasattr(kind, "pb"):
                _add(found, kind.pb().DESCRIPTOR.file)
    for module in PLAIN:
        _add(found, importlib.import_module(module).DESCRIPTOR)
    return descriptor_pb2.FileDescriptorSet(file=found.values())


def _add(found: dict[str, descriptor_pb2.FileDescriptorProto], file: Any) -> None:
    if file.name in found:
        return
    for needed in file.dependencies:
        _add(found, needed)
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    found[file.name] = proto


if __name__ == "__main__":
    data = published().SerializeToString(deterministic=True)
    (Path(keyadmin.data.__path__[0]) / FILE).write_bytes(gzip.compress(data, 9, mtime=0))
