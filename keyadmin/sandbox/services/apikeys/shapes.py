"""The messages of the API Keys API written by hand: what its protobuf classes say, without the half second that importing
them takes. A test compares both.
"""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.messages.varint import timestamp, varint

Json = dict[str, Any]

_PACKAGE = "google.api.apikeys.v2"

RESTRICTIONS: Json = {
    "@type": f"{_PACKAGE}.Restrictions",
    "browserKeyRestrictions": {"@type": f"{_PACKAGE}.BrowserKeyRestrictions", "allowedReferrers": ["string"]},
    "serverKeyRestrictions": {"@type": f"{_PACKAGE}.ServerKeyRestrictions", "allowedIps": ["string"]},
    "androidKeyRestrictions": {
        "@type": f"{_PACKAGE}.AndroidKeyRestrictions",
        "allowedApplications": [
            {"@type": f"{_PACKAGE}.AndroidApplication", "sha1Fingerprint": "string", "packageName": "string"}
        ],
    },
    "iosKeyRestrictions": {"@type": f"{_PACKAGE}.IosKeyRestrictions", "allowedBundleIds": ["string"]},
    "apiTargets": [{"@type": f"{_PACKAGE}.ApiTarget", "service": "string", "methods": ["string"]}],
}
KEY: Json = {
    "@type": f"{_PACKAGE}.Key",
    "name": "string",
    "uid": "string",
    "displayName": "string",
    "keyString": "string",
    "createTime": "timestamp",
    "updateTime": "timestamp",
    "deleteTime": "timestamp",
    "annotations": {"*": "string"},
    "restrictions": RESTRICTIONS,
    "etag": "string",
}
CREATE: Json = {"@type": f"{_PACKAGE}.CreateKeyRequest", "parent": "string", "key": KEY, "keyId": "string"}
LIST: Json = {
    "@type": f"{_PACKAGE}.ListKeysRequest",
    "parent": "string",
    "pageSize": "int32",
    "pageToken": "string",
    "showDeleted": "bool",
}
GET: Json = {"@type": f"{_PACKAGE}.GetKeyRequest", "name": "string"}
GET_STRING: Json = {"@type": f"{_PACKAGE}.GetKeyStringRequest", "name": "string"}
UPDATE: Json = {"@type": f"{_PACKAGE}.UpdateKeyRequest", "key": KEY, "updateMask": "mask"}
DELETE: Json = {"@type": f"{_PACKAGE}.DeleteKeyRequest", "name": "string", "etag": "string"}
UNDELETE: Json = {"@type": f"{_PACKAGE}.UndeleteKeyRequest", "name": "string"}
LOOKUP: Json = {"@type": f"{_PACKAGE}.LookupKeyRequest", "keyString": "string"}


def encode_key(doc: Json) -> bytes:
    """The protobuf bytes of a key given as REST JSON, fields in the order of their numbers; REST-only ones left out."""
    out = bytearray()
    for tag, name in _KEY_FIELDS:
        if value := doc.get(name):
            if name.endswith("Time"):
                _put(out, tag, timestamp(value))
            elif name == "annotations":
                for key, text in value.items():
                    entry = bytearray()
                    _put(entry, 1, key.encode())
                    _put(entry, 2, text.encode())
                    _put(out, tag, entry)
            elif name == "restrictions":
                _put(out, tag, _restrictions(value))
            else:
                _put(out, tag, value.encode())
    return bytes(out)


_KEY_FIELDS = (
    *((1, "name"), (2, "displayName"), (3, "keyString"), (4, "createTime"), (5, "uid"), (6, "updateTime")),
    *((7, "deleteTime"), (8, "annotations"), (9, "restrictions"), (11, "etag")),
)
_CLIENTS = (
    *((1, "browserKeyRestrictions", "allowedReferrers"), (2, "serverKeyRestrictions", "allowedIps")),
    *((3, "androidKeyRestrictions", "allowedApplications"), (4, "iosKeyRestrictions", "allowedBundleIds")),
)


def _restrictions(doc: Json) -> bytearray:
    out = bytearray()
    for tag, kind, entries in _CLIENTS:
        if kind in doc:
            inner = bytearray()
            for entry in doc[kind].get(entries, ()):
                _put(inner, 1, entry.encode() if isinstance(entry, str) else _android(entry))
            _put(out, tag, inner)
    for target in doc.get("apiTargets", ()):
        inner = bytearray()
        _put(inner, 1, target["service"].encode())
        for method in target.get("methods", ()):
            _put(inner, 2, method.encode())
        _put(out, 5, inner)
    return out


def _android(entry: Json) -> bytearray:
    out = bytearray()
    _put(out, 1, entry["sha1Fingerprint"].encode())
    _put(out, 2, entry["packageName"].encode())
    return out


def _put(out: bytearray, tag: int, content: bytes | bytearray) -> None:
    """A length-delimited field."""
    out.append(tag << 3 | 2)
    out += varint(len(content))
    out += content
