"""`fleet` in a seed: many projects with a fixed mix of keys, for audits and measurements.

The mix trips every audit rule but too-many-keys, for which `keysPerProject` must be over 240.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
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
_GEMINI: Json = {"apiTargets": [{"service": apikeys.GEMINI}]}
_MAPS: Json = {"service": "maps-backend.googleapis.com"}

# (display name, age in days, auth?, restrictions, annotations, last used days ago or None)
MIX: tuple[tuple[str, int, bool, Json, dict[str, str], int | None], ...] = (
    ("gemini server", 20, True, _GEMINI | {"serverKeyRestrictions": {"allowedIps": ["203.0.113.7"]}}, {}, 0),
    ("old public key", 900, False, {}, {}, 40),
    ("maps website", 400, False, {"browserKeyRestrictions": {"allowedReferrers": ["*"]}, "apiTargets": [_MAPS]}, {}, 1),
    ("one key for all", 60, False, {"apiTargets": [{"service": apikeys.GEMINI}, _MAPS]}, {}, None),
    ("gemini before auth keys", 120, False, _GEMINI | {"serverKeyRestrictions": {"allowedIps": ["0.0.0.0/0"]}}, {}, 2),
    ("rotation stuck", 95, True, _GEMINI, {"keyadmin-state": "stuck", "keyadmin-generation": "2"}, 3),
    ("rotation overdue", 200, True, _GEMINI, {"keyadmin-state": "grace", "keyadmin-generation": "3"}, 0),  # published then
    ("deleted lately", 50, True, _GEMINI, {}, None),
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
        on = [apikeys.api.host] + ([apikeys.GEMINI] if index % 3 else [])  # off in every third: unrestricted-key there
        world.store.db.executemany(
            "INSERT OR IGNORE INTO services VALUES (?, ?, ?)", [(name, service, created) for service in on]
        )
        iam.put_account(world, name, project_id, "keyadmin-gemini", created)
        for number in range(keys_per_project):
            yield _row(world, name, project_id, index * keys_per_project + number, now)


def _row(world: World, project: str, project_id: str, serial: int, now: int) -> KeyRow:
    display_name, age, auth, restrictions, annotations, used = MIX[serial % len(MIX)]
    uid = str(uuid.UUID(int=(0xF1EE7 << 108) | serial, version=4))
    key_id = uid
    if annotations:
        lineage = f"fleet{serial:05}"[-10:].translate(str.maketrans("0189", "abcd"))
        key_id = f"ka-{lineage}-{annotations['keyadmin-generation']}"
        published = {"keyadmin-published": rfc3339(now - age * DAY)} if annotations["keyadmin-state"] == "grace" else {}
        annotations = {"keyadmin-lineage": lineage} | annotations | published
    account = f"keyadmin-gemini@{project_id}.iam.gserviceaccount.com" if auth else None
    row = apikeys.new_row(
        project,
        key_id,
        uid,
        now - age * DAY - serial % 1000,
        display_name=display_name,
        restrictions=restrictions,
        annotations=annotations,
        account=account,
    )
    if display_name == "deleted lately":
        row.deleted = now - 5 * DAY
        row.doc["deleteTime"] = rfc3339(row.deleted)
    if used is not None:
        key_usage.record(world.store, uid, apikeys.GEMINI, now - used * DAY, calls=10)
    return row
