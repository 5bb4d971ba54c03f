"""Whether restrictions are wider than others: a repair never opens a key. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from keyadmin.audit.rules.open_client_restriction import lets_everybody_in
from keyadmin.model.key import ApiTarget, Restrictions

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ALL: Final = "*"


def wider(before: Restrictions, after: Restrictions) -> str:
    """In words how `after` lets more through than `before`; empty where it does not."""
    return _wider_targets(before, after) or _wider_clients(before, after)


def _wider_targets(before: Restrictions, after: Restrictions) -> str:
    if not before.services:
        return ""
    if not after.services:
        return "it could call every API"
    for target in after.targets:
        if not any(_covers(there, target) for there in before.targets):
            return f"it could call {target.service}" + (f" ({', '.join(target.methods)})" if target.methods else "")
    return ""


def _covers(there: ApiTarget, wanted: ApiTarget) -> bool:
    """Whether a target allows all that another allows. A method ends in `*` at most (API Keys documentation)."""
    if there.service != wanted.service:
        return False
    if not there.methods:
        return True
    return bool(wanted.methods) and all(any(_method_in(each, old) for old in there.methods) for each in wanted.methods)


def _method_in(method: str, pattern: str) -> bool:
    if pattern.endswith(_ALL):
        return method.rstrip(_ALL).startswith(pattern[:-1])
    return method == pattern


def _wider_clients(before: Restrictions, after: Restrictions) -> str:
    kind = before.client_kind
    if kind is None or before == after:
        return ""
    if after.client_kind is None:
        return "anyone could use it"
    if lets_everybody_in(before):
        return ""
    if after.client_kind != kind:
        return f"it would be restricted to {after.client_kind} in place of {kind}"
    old, new = getattr(before, kind), getattr(after, kind)
    if not new and old:
        return f"its {kind} would be an empty list, whose meaning is not documented"
    outside = [each for each in new if each not in old]
    if kind == "ips":
        outside = [each for each in outside if not _inside(each, old)]
    return f"{outside[0]} could use it" if outside else ""


def _inside(entry: str, networks: Sequence[str]) -> bool:
    wanted = _network(entry)
    known = [network for text in networks if (network := _network(text)) is not None]
    return wanted is not None and any(_holds(each, wanted) for each in known)


def _holds(network: Network, wanted: Network) -> bool:
    same = wanted.version == network.version
    return same and wanted.network_address in network and wanted.prefixlen >= network.prefixlen


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
