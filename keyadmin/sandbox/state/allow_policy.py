"""Allow policies as documents (google.iam.v1.Policy): what reading and replacing one does to version, etag and conditions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import Code, RpcError, invalid

Json = dict[str, Any]

NONE_ETAG = "ACAB"  # of a resource on which no policy was ever set (reported)
_VERSIONS = (0, 1, 3)
_ABOUT_VERSIONS = "For more information, please refer to https://cloud.google.com/iam/docs/policies#versions."


def new_etag(now: int, old: str = "") -> str:
    """Eight bytes, base64: 7, then the moment of the change in microseconds (read off etags in public error messages).

    Never the old one again, even within the same microsecond.
    """
    before = _bytes(old)
    if len(before) == 8:
        now = max(now, int.from_bytes(before[1:], "big") + 1)
    return base64.b64encode(b"\x07" + now.to_bytes(7, "big")).decode()


def visible(stored: Json, request: Json) -> Json:
    """GetIamPolicy's answer. Asked for a version below 3, conditional bindings come without their condition and under a role
    name that cannot be written back (https://cloud.google.com/iam/docs/troubleshooting-withcond). Raises INVALID_ARGUMENT."""
    version = request.get("options", {}).get("requestedPolicyVersion", 0)
    if version not in _VERSIONS:
        raise invalid(
            f"Invalid requested policy version ({version}): it must be 0, 1 or 3.", "options.requested_policy_version"
        )
    bindings = stored.get("bindings", [])
    if version < 3:
        bindings = [_disguised(binding) for binding in bindings]
    return _document(bindings, stored.get("auditConfigs", []), stored.get("etag", NONE_ETAG))


def replaced(stored: Json, request: Json, now: int) -> Json:
    """What SetIamPolicy makes of the stored policy; bindings merged, in the order of their roles.

    Raises ABORTED where the etag sent is an old one, INVALID_ARGUMENT where the version does not fit.
    """
    policy = request.get("policy", {})
    paths = {path.split(".")[0] for path in mask_paths(request.get("updateMask", ""))} or {"bindings", "etag"}
    if unknown := paths - {"bindings", "etag", "version", "auditConfigs", "*"}:
        raise invalid(f"Invalid update mask: field '{min(unknown)}' is unknown.", "update_mask")
    if "*" in paths:
        paths = {"bindings", "auditConfigs"}
    current = stored.get("etag", NONE_ETAG)
    if policy.get("etag"):
        _compare_etags(policy["etag"], current)
    bindings = merged(policy.get("bindings", [])) if "bindings" in paths else stored.get("bindings", [])
    audit = policy.get("auditConfigs", []) if "auditConfigs" in paths else stored.get("auditConfigs", [])
    _check_version(policy, bindings, stored)
    return _document(bindings, audit, new_etag(now, current))


def merged(bindings: list[Json]) -> list[Json]:
    """One binding for each role and condition, members named once, none without a member."""
    # unsourced: that the service sorts roles and members, as its answers suggest
    found: dict[tuple[str, str], Json] = {}
    for binding in bindings:
        key = (binding.get("role", ""), json.dumps(binding.get("condition"), sort_keys=True))
        kept = found.setdefault(key, {"role": key[0], "members": []})
        kept["members"] = sorted({*kept["members"], *binding.get("members", ())})
        if "condition" in binding:
            kept["condition"] = {
                name: binding["condition"][name]
                for name in ("expression", "title", "description", "location")
                if name in binding["condition"]
            }
    return [found[key] for key in sorted(found) if found[key]["members"]]


def _document(bindings: list[Json], audit: list[Json], etag: str) -> Json:
    """In the order of the answers: a policy of no binding is its etag alone (recorded)."""
    out: Json = {}
    if bindings:
        out["version"] = 3 if any("condition" in binding for binding in bindings) else 1
    out["etag"] = etag
    if bindings:
        out["bindings"] = bindings
    if audit:
        out["auditConfigs"] = audit
    return out


def _disguised(binding: Json) -> Json:
    if "condition" not in binding:
        return binding
    digest = hashlib.sha256(json.dumps(binding["condition"], sort_keys=True).encode()).hexdigest()[:20]
    return {"role": f"{binding['role']}_withcond_{digest}", "members": binding["members"]}


def _check_version(policy: Json, bindings: list[Json], stored: Json) -> None:
    version = policy.get("version", 0)
    if version not in _VERSIONS:
        raise invalid(f"Invalid policy version ({version}): it must be 0, 1 or 3.", "policy.version")
    if version >= 3:
        return
    if policy.get("etag") and stored.get("version", 1) >= 3:
        raise invalid(
            f"Specified policy version ({version}) cannot be less than the existing policy version (3). {_ABOUT_VERSIONS}"
        )
    if any("condition" in binding for binding in bindings):
        # unsourced: the wording
        raise invalid(f"Policy version ({version}) does not allow conditional role bindings: set it to 3. {_ABOUT_VERSIONS}")


def _compare_etags(sent: str, current: str) -> None:
    if _bytes(sent) != _bytes(current):
        raise RpcError(
            Code.ABORTED,
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The "
            f"request's ETag '{_escaped(sent)}' did not match the current policy's ETag '{_escaped(current)}'.",
        )


def _bytes(etag: str) -> bytes:
    """An etag's bytes; JSON may write base64 with `-` and `_`, and without padding."""
    text = etag.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def _escaped(etag: str) -> str:
    """As the error writes the bytes: octal, but for what can be printed."""
    return "".join(
        f"\\{chr(byte)}" if chr(byte) in "'\"\\" else chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
        for byte in _bytes(etag)
    )
