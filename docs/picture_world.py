"""The made-up company whose audit and sandbox the pictures show: teams, projects and keys of every kind that audits find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

GEMINI, MAPS = "generativelanguage.googleapis.com", "maps-backend.googleapis.com"
ORGANIZATION: Final = "organizations/77"
ME: Final = "user:owner@example.com"
TEAMS: Final = {
    "ann@example.com": ("shop-web", "shop-checkout", "shop-search", "shop-mobile"),
    "bob@example.com": ("maps-locator", "maps-routes", "maps-kiosk"),
    "carla@example.com": ("support-chat", "support-summary", "support-triage", "support-voice"),
    "dai@example.com": ("data-batch", "data-notebooks", "data-reports"),
    "eva@example.com": ("labs-agents", "labs-vision", "labs-demo"),
}
ON_A_SITE: Final = {"browserKeyRestrictions": {"allowedReferrers": ["https://www.example.com/*"]}}
ANYWHERE_ON_COM: Final = {"browserKeyRestrictions": {"allowedReferrers": ["*.com/*"]}}
ON_SERVERS: Final = {"serverKeyRestrictions": {"allowedIps": ["203.0.113.7"]}}
# What a key of each kind is called, what it may call, from where, its age in days, and what was called with it.
KINDS: Final = (
    ("store map", (), {}, 720, (MAPS,)),
    ("prompt server", (GEMINI,), ON_SERVERS, 21, (GEMINI,)),
    ("website map", (MAPS,), ON_A_SITE, 410, (MAPS,)),
    ("old test", (), {}, 1200, ()),
    ("chat and map", (GEMINI, MAPS), ON_SERVERS, 160, (GEMINI, MAPS)),
    ("partner page", (MAPS,), ANYWHERE_ON_COM, 64, (MAPS,)),
    ("nightly batch", (GEMINI,), ON_SERVERS, 95, ()),
)


def seed(now: datetime) -> dict[str, Any]:
    """The company as a seed; `now` = the sandbox's time at its start."""
    roles = {role: [ME] for role in ("roles/browser", "roles/cloudasset.viewer", "roles/owner")}
    names = [(owner, project) for owner, projects in TEAMS.items() for project in projects]
    return {
        "organizations": [{"name": ORGANIZATION, "displayName": "example.com", "iam": roles}],
        "projects": [_project(owner, name, place, now) for place, (owner, name) in enumerate(names)],
    }


def _project(owner: str, name: str, place: int, now: datetime) -> dict[str, Any]:
    kinds = [KINDS[(place * 3 + step) % len(KINDS)] for step in range(3 + place % 3)]
    services = ["apikeys.googleapis.com", MAPS, *([GEMINI] if place % 4 != 1 else [])]
    return {
        "projectId": name,
        "displayName": name.replace("-", " ").capitalize(),
        "parent": ORGANIZATION,
        "services": services,
        "iam": {"roles/owner": [f"user:{owner}"]},
        "keys": [_key(name, number, kind, place, now) for number, kind in enumerate(kinds)],
    }


def _key(project: str, number: int, kind: tuple[Any, ...], place: int, now: datetime) -> dict[str, Any]:
    name, targets, clients, age, used = kind
    restrictions = dict(clients) | ({"apiTargets": [{"service": each} for each in targets]} if targets else {})
    auth = targets == (GEMINI,) and place % 2 == 0
    return {
        "keyId": f"{project}-{number}",
        "displayName": name,
        "createTime": _ago(now, days=age + place),
        "restrictions": restrictions,
        **({"serviceAccountEmail": f"robot@{project}.iam.gserviceaccount.com"} if auth else {}),
        "use": [{"service": each, "at": _ago(now, hours=7 + place), "calls": 900 + 7 * place} for each in used],
    }


def _ago(now: datetime, **span: float) -> str:
    return (now.astimezone(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")
