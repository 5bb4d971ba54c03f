"""Messages of Resource Manager v1 and v2 that no Python package publishes, so that gRPC can carry them inside `Any`.

An operation started through v1 or v2 may be polled over gRPC, and errors carry ProjectIamPolicyError.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, timestamp_pb2

from keyadmin.sandbox.messages import published

_Field = tuple[str, int, Any]  # name, number, and a scalar type, the values of an enum, or the name of a message

# unsourced: the numbers of v1's fields; those of v2 are those of its published .proto
_STATES = ("LIFECYCLE_STATE_UNSPECIFIED", "ACTIVE", "DELETE_REQUESTED", "DELETE_IN_PROGRESS")
_OPERATIONS = ("OPERATION_TYPE_UNSPECIFIED", "CREATE", "MOVE")
_TIME = ".google.protobuf.Timestamp"
_V1 = "google.cloudresourcemanager.v1"
_V2 = "google.cloud.resourcemanager.v2"
_MESSAGES: dict[str, dict[str, tuple[_Field, ...]]] = {
    _V1: {
        "ResourceId": (("type", 1, "string"), ("id", 2, "string")),
        "Project": (
            ("project_number", 1, "int64"),
            ("project_id", 2, "string"),
            ("lifecycle_state", 3, _STATES),
            ("name", 4, "string"),
            ("create_time", 5, _TIME),
            ("labels", 6, "map"),
            ("parent", 7, f".{_V1}.ResourceId"),
        ),
        "ProjectCreationStatus": (("create_time", 1, _TIME), ("gettable", 2, "bool"), ("ready", 3, "bool")),
        "ProjectIamPolicyError": (("type", 1, "string"), ("member", 2, "string"), ("role", 3, "string")),
    },
    _V2: {
        "Folder": (
            ("name", 1, "string"),
            ("parent", 2, "string"),
            ("display_name", 3, "string"),
            ("lifecycle_state", 4, _STATES[:3]),
            ("create_time", 5, _TIME),
        ),
        "FolderOperation": (
            ("display_name", 1, "string"),
            ("operation_type", 2, _OPERATIONS),
            ("source_parent", 3, "string"),
            ("destination_parent", 4, "string"),
        ),
    },
}


def register() -> None:
    """Make the messages known beside the published ones."""
    pool = published.pool()
    for package, messages in _MESSAGES.items():
        file = descriptor_pb2.FileDescriptorProto(
            name=f"keyadmin/{package}.proto", package=package, syntax="proto3", dependency=[timestamp_pb2.DESCRIPTOR.name]
        )
        for name, fields in messages.items():
            _add(file, package, name, fields)
        pool.Add(file)


def _add(file: Any, package: str, name: str, fields: tuple[_Field, ...]) -> None:
    message = file.message_type.add(name=name)
    kinds = descriptor_pb2.FieldDescriptorProto
    scalars = {"string": kinds.TYPE_STRING, "int64": kinds.TYPE_INT64, "bool": kinds.TYPE_BOOL}
    for field_name, number, kind in fields:
        field = message.field.add(name=field_name, number=number, label=kinds.LABEL_OPTIONAL)
        if isinstance(kind, tuple):
            enum = message.enum_type.add(name=field_name.title().replace("_", ""))
            for value, text in enumerate(kind):
                enum.value.add(name=text, number=value)
            field.type, field.type_name = kinds.TYPE_ENUM, f".{package}.{name}.{enum.name}"
        elif kind == "map":
            entry = message.nested_type.add(name="LabelsEntry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=kinds.LABEL_OPTIONAL, type=kinds.TYPE_STRING)
            entry.field.add(name="value", number=2, label=kinds.LABEL_OPTIONAL, type=kinds.TYPE_STRING)
            field.label, field.type = kinds.LABEL_REPEATED, kinds.TYPE_MESSAGE
            field.type_name = f".{package}.{name}.LabelsEntry"
        elif kind in scalars:
            field.type = scalars[kind]
        else:
            field.type, field.type_name = kinds.TYPE_MESSAGE, kind
