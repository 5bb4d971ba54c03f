"""`fleet` in a seed: many projects with a fixed mix of keys, for audits and measurements.

The mix trips every audit rule but too-many-keys, for which `keysPerProject` must be over 240.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.apikeys import api as apikeys
from keyadmin.sandbox.services.apikeys import rows as key_rows
from keyadmin.sandbox.services.apikeys import usage as key_usage
from keyadmin.sandbox.services.apikeys.rows import DAY, KeyRow
from keyadmin.sandbox.services.iam import seed as iam
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World

Json = dict[str, Any]

OWNER = "user:owner@example.com"
NAMED_BY_STRING = "(key string)"  # stands for a key whose display name is its own key string
_GEMINI: Json = {"apiTargets": [{"service": apikeys.GEMINI}]}
MAPS, TRANSLATE = "maps-backend.googleapis.com", "translate.googleapis.com"
_MAPS: Json = {"service": MAPS}


@dataclass(frozen=True)
class Kind:
    """One kind of key in the mix. `used`: services and how many days ago they were last called."""

    display_name: str
    age: int  # days
    auth: bool
    restrictions: Json
    used: dict[str, int] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    denied: int = 0  # calls that were answered 403, of each service used


MIX: tuple[Kind, ...] = (
    Kind("gemini server", 20, True, _GEMINI | {"serverKeyRestrictions": {"allowedIps": ["203.0.113.7"]}}, {apikeys.GEMINI: 0}),
    Kind("old public key", 900, False, {}, {MAPS: 40}),
    Kind("maps website", 400, False, {"browserKeyRestrictions": {"allowedReferrers": ["*"]}, "apiTargets": [_MAPS]}, {MAPS: 1}),
    Kind("one key for all", 60, False, {"apiTargets": [{"service": apikeys.GEMINI}, _MAPS]}, {MAPS: 4}),
    Kind(
        "gemini before auth keys",
        120,
        False,
        _GEMINI | {"serverKeyRestrictions": {"allowedIps": ["0.0.0.0/0"]}},
        {apikeys.GEMINI: 2},
        denied=7,
    ),
    Kind("rotation stuck", 95, True, _GEMINI, {apikeys.GEMINI: 3}, {"keyadmin-state": "stuck", "keyadmin-generation": "2"}),
    # published when it was made
    Kind("rotation overdue", 200, True, _GEMINI, {apikeys.GEMINI: 0}, {"keyadmin-state": "grace", "keyadmin-generation": "3"}),
    Kind("deleted lately", 50, True, _GEMINI),
    Kind("translator", 70, False, {"apiTargets": [{"service": TRANSLATE}]}, {TRANSLATE: 6}, denied=3),
    Kind(NAMED_BY_STRING, 30, False, {"apiTargets": [_MAPS]}, {MAPS: 2}),
)


def make(world: World, projects: int, keys_per_project: int, parent: str | None) -> None:
    """`fleet-00000` ... with the mix going round over all keys; within the caller's transaction."""
    now = world.clock.now()
    key_rows.put(world.store, _rows(world, projects, keys_per_project, parent, now))


def _rows(world: World, projects: int, keys_per_project: int, parent: str | None, now: int) -> Iterator[KeyRow]:
    for index in range(projects):
        project_id = f"fleet-{index:05}"
        name = f"projects/{700_000_000_000 + index}"
        created = now - (1000 + index % 500) * DAY
        world.hierarchy.put(Node(name, project_id, parent, f"Fleet {index:05}", "ACTIVE", created, {}))
        world.policies.put(
            name, {"version": 1, "etag": "BwXh8oBmGJI=", "bindings": [{"role": "roles/owner", "members": [OWNER]}]}
        )
        on = [apikeys.api.host] + (
            [apikeys.GEMINI, MAPS, TRANSLATE] if index % 3 else []
        )  # off in every third: see unrestricted-key
        world.store.db.executemany(
            "INSERT OR IGNORE INTO services VALUES (?, ?, ?)", [(name, service, created) for service in on]
        )
        iam.put_account(world, name, project_id, "keyadmin-gemini", created)
        for number in range(keys_per_project):
            yield _row(world, name, project_id, index * keys_per_project + number, now)


def _row(world: World, project: str, project_id: str, serial: int, now: int) -> KeyRow:
    kind = MIX[serial % len(MIX)]
    uid = str(uuid.UUID(int=(0xF1EE7 << 108) | serial, version=4))
    key_id, annotations = uid, kind.annotations
    if annotations:
        lineage = f"fleet{serial:05}"[-10:].translate(str.maketrans("0189", "abcd"))
        key_id = f"ka-{lineage}-{annotations['keyadmin-generation']}"
        published = {"keyadmin-published": rfc3339(now - kind.age * DAY)} if annotations["keyadmin-state"] == "grace" else {}
        annotations = {"keyadmin-lineage": lineage} | annotations | published
    row = apikeys.new_row(
        project,
        key_id,
        uid,
        now - kind.age * DAY - serial % 1000,
        display_name=kind.display_name,
        restrictions=kind.restrictions,
        annotations=annotations,
        account=f"keyadmin-gemini@{project_id}.iam.gserviceaccount.com" if kind.auth else None,
    )
    if kind.display_name == NAMED_BY_STRING:
        row.doc["displayName"] = row.key_string
    if kind.display_name == "deleted lately":
        row.deleted = now - 5 * DAY
        row.doc["deleteTime"] = rfc3339(row.deleted)
    for service, days in kind.used.items():
        key_usage.record(world.store, uid, service, now - days * DAY, calls=10)
        if kind.denied:
            key_usage.record(world.store, uid, service, now - days * DAY, kind.denied, code=403, work=False)
    return row
