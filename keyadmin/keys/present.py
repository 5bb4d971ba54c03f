"""A key as commands print it: the REST Key plus what keyadmin knows of it (the fixed JSON form)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from keyadmin.model.key import ALL_APIS, Key, Restrictions
from keyadmin.model.key_codec import key_to_json
from keyadmin.model.secret import KeyString

Verification = Literal["ok", "skipped", "failed", "unknown"]


def as_json(
    key: Key,
    *,
    sandbox: bool,
    now: datetime,
    verification: Verification | None = None,
    key_string: KeyString | None = None,
) -> dict[str, Any]:
    """The REST Key plus `project`, `keyType`, `restricted`, `studioVisible`, `ageDays` (at `now`, the server's time).

    `keyString` is there only if it is passed here, which only commands that were asked to show it do.
    """
    out = key_to_json(key)
    if key_string is not None:
        out["keyString"] = key_string.reveal()
    out |= {
        "project": key.project,
        "keyType": key.key_type,
        "restricted": key.restricted,
        "studioVisible": key.studio_visible,
        "ageDays": key.age_days(now),
    }
    if verification is not None:
        out["verification"] = verification
    if sandbox:
        out["sandbox"] = True
    return out


def apis(restrictions: Restrictions) -> str:
    """The APIs a key may call, in a few words."""
    if not restrictions.services:
        return "all APIs" if any(target.service == ALL_APIS for target in restrictions.targets) else "any API (unrestricted)"
    return ", ".join(
        target.service + (f" ({', '.join(target.methods)})" if target.methods else "") for target in restrictions.targets
    )


def clients(restrictions: Restrictions) -> str:
    """Who may use a key, in a few words."""
    match restrictions.client_kind:
        case "ips":
            return f"IPs {', '.join(restrictions.ips or ('none listed',))}"
        case "referrers":
            return f"referrers {', '.join(restrictions.referrers or ('none listed',))}"
        case "android":
            return f"Android {', '.join(app.package for app in restrictions.android or ()) or 'none listed'}"
        case "ios":
            return f"iOS {', '.join(restrictions.ios or ('none listed',))}"
    return "anyone"
