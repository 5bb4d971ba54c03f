"""What the API Keys service accepts: display names, ids, restrictions, annotations."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from keyadmin.sandbox.messages.status import invalid

Json = dict[str, Any]

CLIENT_KINDS = ("browserKeyRestrictions", "serverKeyRestrictions", "androidKeyRestrictions", "iosKeyRestrictions")
LISTS = {
    "browserKeyRestrictions": "allowedReferrers",
    "serverKeyRestrictions": "allowedIps",
    "androidKeyRestrictions": "allowedApplications",
    "iosKeyRestrictions": "allowedBundleIds",
}
MOST_CLIENTS = 1_200  # facts 3 (reported)
_KEY_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def key_id(value: str) -> str:
    """RFC 1034, at most 63 characters, not like a UUID (API Keys documentation). Raises INVALID_ARGUMENT."""
    if not _KEY_ID.fullmatch(value) or _UUID.fullmatch(value):
        raise invalid(
            f"Invalid key id '{value[:80]}': it must match [a-z]([a-z0-9-]{{0,61}}[a-z0-9])? and not look like a UUID.",
            "key_id",
        )
    return value


def display_name(value: str) -> str:
    """At most 63 characters. Raises INVALID_ARGUMENT."""
    if len(value) > 63:
        raise invalid("Display name is too long: at most 63 characters are allowed.", "key.display_name")
    return value


def checked_annotations(value: dict[str, str]) -> dict[str, str]:
    """Total size of keys and values at most 256 KiB (https://google.aip.dev/128). Raises INVALID_ARGUMENT."""
    if sum(len(name) + len(text) for name, text in value.items()) > 256 * 1024:
        raise invalid("Annotations are too large: at most 262144 bytes in all are allowed.", "key.annotations")
    return value


def restrictions(value: Json) -> Json:
    """The restrictions as stored: one client kind at most, addresses checked, fingerprints without colons."""
    kinds = [kind for kind in CLIENT_KINDS if kind in value]
    if len(kinds) > 1:
        raise invalid("Only one kind of client restriction can be set on a key.", "key.restrictions")
    out = {name: value[name] for name in (*CLIENT_KINDS, "apiTargets") if name in value}  # in the recorded order
    for kind in kinds:
        entries = value[kind].get(LISTS[kind], [])
        if len(entries) > MOST_CLIENTS:
            raise invalid(f"Too many client restrictions: at most {MOST_CLIENTS} are allowed.", "key.restrictions")
        if kind == "androidKeyRestrictions" and entries:
            out[kind] = {LISTS[kind]: [_android(entry) for entry in entries]}
        elif kind == "serverKeyRestrictions":
            for entry in entries:
                _ip(entry)
    for target in value.get("apiTargets", ()):
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", target.get("service", "")):
            raise invalid(f"Invalid service name '{target.get('service', '')[:80]}'.", "key.restrictions.api_targets")
    if "apiTargets" in out:
        out["apiTargets"] = [
            {name: target[name] for name in ("service", "methods") if name in target} for target in out["apiTargets"]
        ]
    return out


def _ip(entry: str) -> None:
    try:
        ipaddress.ip_network(entry, strict=False)
    except ValueError:
        raise invalid(f"Invalid IP address '{entry[:80]}'.", "key.restrictions.server_key_restrictions.allowed_ips") from None


def _android(entry: Json) -> Json:
    sha1 = entry.get("sha1Fingerprint", "").replace(":", "")
    if not re.fullmatch(r"[0-9A-Fa-f]{40}", sha1):
        raise invalid("Invalid SHA-1 fingerprint: 40 hexadecimal digits are expected.", "key.restrictions")
    if not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", entry.get("packageName", "")):
        raise invalid(f"Invalid package name '{entry.get('packageName', '')[:80]}'.", "key.restrictions")
    return {"sha1Fingerprint": sha1.upper(), "packageName": entry["packageName"]}
