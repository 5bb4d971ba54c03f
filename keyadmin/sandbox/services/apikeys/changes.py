"""UpdateKey: what a mask names and what becomes of the key."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.services.apikeys import checks as key_checks

Json = dict[str, Any]

_MUTABLE = ("displayName", "restrictions", "annotations")


def paths(mask: str, data: Json) -> list[str]:
    """The paths to change: `*` = all that can be, no mask = those that are set. Raises INVALID_ARGUMENT."""
    named = mask_paths(mask)
    if "*" in named:
        return list(_MUTABLE)
    if not named:
        return [name for name in _MUTABLE if name in data]
    for path in named:
        parts = path.split(".")
        if parts[0] not in _MUTABLE or "" in parts:
            raise invalid(f"Invalid update mask: field '{path}' cannot be updated.", "update_mask")
    return named


def changed(doc: Json, data: Json, paths: list[str]) -> Json:
    """The key with the masked fields taken from the request; a masked field that is absent there is cleared."""
    out = dict(doc)
    for path in paths:
        head, _, rest = path.partition(".")
        if head == "restrictions" and rest:
            out["restrictions"] = _changed_restrictions(out.get("restrictions", {}), data.get("restrictions", {}), rest)
        elif rest:
            raise invalid(f"Invalid update mask: field '{path}' cannot be updated.", "update_mask")
        elif head in data:
            out[head] = data[head]
        else:
            out.pop(head, None)
    if out.get("restrictions"):
        out["restrictions"] = key_checks.restrictions(out["restrictions"])
    else:
        out.pop("restrictions", None)
    key_checks.display_name(out.get("displayName", ""))
    key_checks.checked_annotations(out.get("annotations", {}))
    return out


def _changed_restrictions(old: Json, new: Json, path: str) -> Json:
    """One part of the restrictions replaced. Setting a client kind takes the others away: they are a oneof."""
    part, _, below = path.partition(".")
    if (part != "apiTargets" and part not in key_checks.LISTS) or (below and below != key_checks.LISTS.get(part)):
        raise invalid(f"Invalid update mask: field 'restrictions.{path}' is unknown.", "update_mask")
    out = dict(old)
    if part not in new:
        out.pop(part, None)
        return out
    if part in key_checks.CLIENT_KINDS:
        for kind in key_checks.CLIENT_KINDS:
            out.pop(kind, None)
    out[part] = new[part]
    return out
