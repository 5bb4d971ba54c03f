"""The rule `open-client-restriction`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from keyadmin.audit.commands import command
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.public_suffix import is_public_suffix
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of
from keyadmin.model.key import Key, Restrictions

_ANYWHERE: Final = re.compile(r"(?:(?:https?|\*)://)?[*.]*\*[*.]*(?::\*)?(?:/\**)?")
_BELOW: Final = re.compile(r"(?:(?:https?|\*)://)?\*\.?(?P<domain>[^*/:]+?)\.?(?::[\d*]+)?(?:/.*)?", re.IGNORECASE)


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys whose list of clients lets everybody in."""
    for key in facts.live:
        if found := lets_everybody_in(key.restrictions):
            yield finding_of(RULE, facts, key, f"the client restriction lets everybody in: {found}")


def way(key: Key) -> str:
    """The entries that let everybody in are taken away where others stay; else what is right takes their place."""
    kind = "ips" if key.restrictions.ips is not None else "referrers"
    there: tuple[str, ...] = getattr(key.restrictions, kind) or ()
    wide = [each for each in there if lets_everybody_in(_only(kind, (each,)))]
    left = tuple(each for each in there if each not in wide)
    if wide and left and not lets_everybody_in(_only(kind, left)):
        return command("keys restrict", key, **{f"remove_{kind}": wide})
    return command("keys restrict", key, **{f"allowed_{kind}": "ADDRESS" if kind == "ips" else "SITE"})


def _only(kind: str, entries: tuple[str, ...]) -> Restrictions:
    return Restrictions(ips=entries) if kind == "ips" else Restrictions(referrers=entries)


@lru_cache(maxsize=4096)
def lets_everybody_in(restrictions: Restrictions) -> str:
    """The entry of a client restriction that makes it one in name only; empty where there is none."""
    for referrer in restrictions.referrers or ():
        if _ANYWHERE.fullmatch(referrer.strip()) or _whole_suffix(referrer.strip()):
            return referrer
    networks = [network for text in restrictions.ips or () if (network := _network(text)) is not None]
    for network in networks:
        if network.prefixlen == 0:
            return str(network)
    if len(networks) < 2:
        return ""
    sums: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = [
        *ipaddress.collapse_addresses([each for each in networks if isinstance(each, ipaddress.IPv4Network)]),
        *ipaddress.collapse_addresses([each for each in networks if isinstance(each, ipaddress.IPv6Network)]),
    ]
    return next((f"its networks add up to {each}" for each in sums if each.prefixlen == 0), "")


def _whole_suffix(referrer: str) -> bool:
    """Whether it lets in every site below a suffix that anybody can register a name in: `*.com/*`, `*.co.uk`."""
    below = _BELOW.fullmatch(referrer)
    return below is not None and is_public_suffix(below["domain"].lower())


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An address is a network of one; the unspecified one (`0.0.0.0`, `::`) counts as all (CIS 1.13)."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return network.supernet(new_prefix=0) if network.num_addresses == 1 and network[0].is_unspecified else network


RULE: Final = AuditRule(
    id="open-client-restriction",
    severity=Severity.MEDIUM,
    title="A client restriction that restricts nobody",
    help=(
        "The key is restricted to addresses or web sites, but the list lets everybody in: 0.0.0.0, 0.0.0.0/0, ::/0, networks "
        "that add up to all addresses, the referrer *, or all sites below a public suffix (*.com/*, *.co.uk, *.github.io), "
        "where anybody can have one. It looks restricted in every list. CIS Google Cloud Foundation Benchmark 1.13."
    ),
    fix="Name the addresses, sites or apps that use the key.",
    source=BEST_PRACTICES_PAGE,
    check=check,
)
