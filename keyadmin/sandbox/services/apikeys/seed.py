"""Keys and fleets in seeds."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from keyadmin.sandbox.messages import json_form
from keyadmin.sandbox.messages.shape import hand_written
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.seed_part import BadSeed, Part, moment
from keyadmin.sandbox.services.apikeys import api, checks, fleet, rows, shapes, usage
from keyadmin.sandbox.services.apikeys.rows import KeyRow
from keyadmin.sandbox.services.iam.seed import put_account
from keyadmin.sandbox.state.hierarchy import Node, account_email
from keyadmin.sandbox.world import World

_KEY = hand_written(shapes.KEY)


def project(world: World, part: Part, node: Node) -> None:
    """The keys of a project."""
    rows.put(world.store, [_key(world, key, node.name, node.project_id or "") for key in part.parts("keys")])


def last(world: World, seed: Part) -> None:
    """`fleet`: many projects with keys."""
    if found := seed.take("fleet", dict):
        part = Part(found, "fleet")
        projects, keys = part.number("projects", 100, most=100_000), part.number("keysPerProject", 5, most=1_000)
        parent = part.take("parent", str)
        part.end()
        if parent and world.hierarchy.get(parent) is None:
            raise BadSeed(f"fleet.parent: there is no {parent}")
        fleet.make(world, projects, keys, parent)


def _key(world: World, part: Part, project: str, project_id: str) -> KeyRow:
    uid = str(uuid.uuid4())
    key_id = part.take("keyId", str, uid)
    if key_id != uid and not _uuid_like(key_id):
        part.data["keyId"] = key_id
        part.checked("keyId", checks.key_id, None)
    elif key_id != uid:
        uid = key_id  # keys made without an id carry their uid as id
    old = rows.get(world.store, project, key_id)
    created = part.time("createTime", old.created if old else world.clock.now())
    account = part.take("serviceAccountEmail", str)
    if account:
        expected = account_email("NAME", project_id)
        if not account.endswith(expected.removeprefix("NAME")):
            raise BadSeed(f"{part.at('serviceAccountEmail')}: expected {expected}")
        put_account(world, project, project_id, account.partition("@")[0], created)
    row = api.new_row(
        project,
        key_id,
        old.uid if old else uid,
        created,
        display_name=part.checked("displayName", _of_key("displayName", "", checks.display_name), ""),
        restrictions=part.checked("restrictions", _of_key("restrictions", {}, checks.restrictions), {}),
        annotations=part.checked("annotations", _of_key("annotations", {}, checks.checked_annotations), {}),
        account=account,
    )
    if old is not None:
        row.key_string = old.key_string
    deleted = part.checked("deleteTime", moment, None)
    if deleted is not None:
        row.deleted = deleted
        row.doc["deleteTime"] = rfc3339(deleted)
    row.condition = part.take("condition", str)
    if row.condition not in (None, "leaked", "expired"):
        raise BadSeed(f"{part.at('condition')}: expected leaked or expired, found {row.condition!r}")
    used = part.checked("lastUsed", moment, None)
    if used is not None:
        usage.record(world.store, row.uid, api.GEMINI, used)
    for use in part.parts("use"):
        _use(world, use, row.uid)
    part.end()
    return row


def _use(world: World, part: Part, uid: str) -> None:
    """Calls that were made with a key: answered ones, and others by the HTTP status of their answer."""
    service = part.matching("service", part.take("service", str, needed=True), r"[A-Za-z0-9.-]{1,253}", "a service name")
    at = part.checked("at", moment, None)
    if at is None:
        raise BadSeed(f"{part.at('at')}: is missing")
    method = part.take("method", str, "")
    calls = part.number("calls", 1, most=1_000_000_000)
    errors = part.take("errors", dict, {})
    part.end()
    if calls:
        usage.record(world.store, uid, service, at, calls, method=method)
    for code, count in errors.items():
        if not re.fullmatch(r"[1-5][0-9][0-9]", code) or code == "200":
            raise BadSeed(f"{part.at('errors')}: expected HTTP statuses of refused calls, such as 403, found {code[:40]!r}")
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 1_000_000_000:
            raise BadSeed(f"{part.at('errors')}.{code}: expected a number of calls, found {str(count)[:20]}")
        if count:
            usage.record(world.store, uid, service, at, count, method=method, code=int(code), work=False)


def _of_key(name: str, default: Any, check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Checks a member as CreateKey would, in Google's words."""
    return lambda value: check(json_form.parse(_KEY, {name: value}).get(name, default))


def _uuid_like(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return len(text) == 36
