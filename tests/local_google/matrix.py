"""What is tried: every kind of credentials, over every network, with every command; and every fault in every place.

`chosen()` takes so few rows that every pair of values stands in one at least; `all_rows()` is the full product.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.local_google.client import GEMINI, KINDS, PAYING, TARGET

PROXIED: Final = ("proxy", "proxy with password", "own CA")
OWN_NAMES: Final = ("direct", "NO_PROXY", "IPv6 only")  # need a network namespace and names of their own
NETWORKS: Final = (*PROXIED, *OWN_NAMES)
COMMANDS: Final = ("create", "list", "verify", "rotate", "audit")
CHARGED: Final = {
    "user with quota project": PAYING,
    "gcloud's own": PAYING,
    "GOOGLE_OAUTH_ACCESS_TOKEN": PAYING,
    "CLOUDSDK_AUTH_ACCESS_TOKEN": PAYING,
}
REFUSED: Final = "user"  # user credentials without a quota project: Google refuses, keyadmin says which option to add


@dataclass(frozen=True)
class Row:
    """One command line. `code`, `cause` = how it has to end; `said` = words that have to stand in its error."""

    id: int
    kind: str
    network: str
    command: str
    faults: tuple[dict[str, Any], ...] = ()
    code: int = 0
    cause: str | None = None
    said: str = ""
    label: str = ""
    timeout: str = "20s"
    more: dict[str, Any] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        """The words typed."""
        words = {
            "create": ["keys", "create", "--name", f"Row {self.id}"],
            "list": ["keys", "list", "--all"],
            "verify": ["keys", "verify", "old-key"],
            "rotate": ["keys", "rotate", f"turn-{self.id}", "--yes", "--grace", "0s"],
            "audit": ["audit", "--projects", f"{TARGET},{PAYING}"],
            "describe": ["projects", "describe", TARGET],
            "inventory": ["audit", "--projects", TARGET, "--inventory", "asset"],
            "usage": ["keys", "usage", "old-key"],
            "hand over": ["keys", "hand-over", "old-key", "--to", f"secret-manager:projects/{PAYING}/secrets/row-{self.id}"],
        }[self.command]
        project = [] if self.command in ("audit", "describe", "inventory") else ["-p", TARGET]
        return [*words, *project, "--format", "json", "--timeout", self.timeout]


def _row(number: int, kind: str, network: str, command: str) -> Row:
    if kind == REFUSED:
        return Row(number, kind, network, command, code=1, cause="quota-project-not-set", said="")
    return Row(number, kind, network, command)


def all_rows() -> list[Row]:
    """Kinds x networks x commands."""
    product = itertools.product(KINDS, NETWORKS, COMMANDS)
    return [_row(number, *values) for number, values in enumerate(product)]


def chosen() -> list[Row]:
    """Every kind over every network, the commands taken in turn, so that each meets every kind and every network."""
    rows: list[Row] = []
    for at, kind in enumerate(KINDS):
        for beside, network in enumerate(NETWORKS):
            rows.append(_row(len(rows), kind, network, COMMANDS[(at + beside) % len(COMMANDS)]))
    return rows


def pairs(rows: list[Row]) -> set[tuple[str, str]]:
    """The pairs of values that stand in some row."""
    found: set[tuple[str, str]] = set()
    for row in rows:
        found |= set(itertools.combinations((row.kind, row.network, row.command), 2))
    return found


# --- faults --------------------------------------------------------------------------------------------------------------

USER: Final = "user with quota project"
WHERE: Final[dict[str, tuple[str, str, str]]] = {  # place -> kind of credentials, host, command that calls it
    "token": (USER, "oauth2.googleapis.com", "list"),
    "STS": ("workload identity (file)", "sts.googleapis.com", "list"),
    "impersonation": ("impersonated (file)", "iamcredentials.googleapis.com", "list"),
    "API Keys": (USER, "apikeys.googleapis.com", "list"),
    "Resource Manager": (USER, "cloudresourcemanager.googleapis.com", "describe"),
    "Service Usage": (USER, "serviceusage.googleapis.com", "create"),
    "IAM": (USER, "iam.googleapis.com", "create"),
    "Gemini": (USER, GEMINI, "verify"),
    "Monitoring": (USER, "monitoring.googleapis.com", "usage"),
    "Cloud Asset": (USER, "cloudasset.googleapis.com", "inventory"),
    "Secret Manager": (USER, "secretmanager.googleapis.com", "hand over"),
}
IDENTITY: Final = ("token", "STS", "impersonation")
_GONE: Final[dict[str, Any]] = {"code": 1, "cause": "network-unreachable"}
FAULTS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {  # name -> fault, how the command has to end
    "slow": ({"kind": "slow", "seconds": 0.3}, {}),
    "hang": ({"kind": "hang"}, {**_GONE, "said": "not answer"}),
    "reset": ({"kind": "reset"}, _GONE),
    "half an answer": ({"kind": "half", "times": 1}, {}),
    "502 HTML": ({"kind": "html", "status": 502, "title": "Bad gateway"}, {**_GONE, "said": "HTTP 502"}),
    "captive portal": ({"kind": "redirect"}, {**_GONE, "said": "HTTP 302"}),
    "429": ({"kind": "status", "status": 429, "reason": "RESOURCE_EXHAUSTED", "times": 1}, {}),
    "429 with Retry-After": (
        {"kind": "status", "status": 429, "reason": "RESOURCE_EXHAUSTED", "times": 1, "headers": {"Retry-After": "1"}},
        {},
    ),
    "GOAWAY": ({"kind": "goaway", "times": 1}, {}),
    "wrong certificate": ({"kind": "untrusted"}, {**_GONE, "said": "certificate"}),
    "wrong clock": ({"kind": "not-yet-valid"}, {**_GONE, "said": "clock"}),
    "DNS failure at the proxy": ({"kind": "refuse", "status": 502, "title": "DNS failure"}, {**_GONE, "said": "CONNECT"}),
    "token revoked in the midst": ({"kind": "revoke", "times": 1}, {}),
}


def _faulty(number: int, fault: str, place: str) -> Row:
    kind, host, command = WHERE[place]
    what, end = FAULTS[fault]
    end = dict(end)
    if place == "Gemini" and fault.startswith("429"):  # the check of a key does not wait out a limit
        end = {"code": 1, "cause": "rate-limited"}
    label = f"{fault} | {place}"
    return Row(number, kind, "proxy", command, ({**what, "host": host},), label=label, timeout="2s" if end else "20s", **end)


def fault_rows() -> list[Row]:
    """Every fault in every place, as far as it can be there."""
    asked: Iterator[tuple[str, str]] = itertools.product(FAULTS, WHERE)
    possible = [(fault, place) for fault, place in asked if fault != "token revoked in the midst" or place not in _UNSIGNED]
    return [_faulty(1000 + number, fault, place) for number, (fault, place) in enumerate(possible)]


_UNSIGNED: Final = (*IDENTITY, "Gemini")  # calls that carry no token of the caller's


def nameless_rows() -> list[Row]:
    """Names that cannot be resolved, where names are this process's own."""
    rows = []
    for number, (place, (kind, host, command)) in enumerate(WHERE.items()):
        network = f"no name for {host}"
        rows.append(Row(2000 + number, kind, network, command, label=f"DNS failure | {place}", timeout="2s", **_GONE))
    return rows
