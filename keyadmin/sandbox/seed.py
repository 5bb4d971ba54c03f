"""Seeds: JSON that fills the sandbox, merged by id. The format is fixed (contract 2).

Organisations, folders and projects with their policies are read here; everything else by the service that it is of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from keyadmin.sandbox.registry import services
from keyadmin.sandbox.seed_part import BadSeed, NoSeed, Part
from keyadmin.sandbox.state import allow_policy
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World

__all__ = ["BadSeed", "NoSeed", "apply", "read"]

Json = dict[str, Any]
MOST_BYTES: Final = 256 * 2**20  # of a seed file


def read(path: Path) -> Json:
    """A seed file. Raises BadSeed naming file and place; the file is only read."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:  # /dev/zero does not end
            raise BadSeed(f"{path}: is larger than {MOST_BYTES // 2**20} MiB")
        data = json.loads(text.decode("utf-8"))
    except OSError as error:
        raise NoSeed(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadSeed(f"{path}: is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise BadSeed(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(data, dict):
        raise BadSeed(f"{path}: expected an object at the top, found {type(data).__name__}")
    return data


def apply(world: World, data: Json) -> None:
    """Merge a seed into the world, in one transaction. Raises BadSeed; nothing is changed then."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadSeed("the seed: a text in it is not valid Unicode (a lone surrogate)") from None
    seedings = [service.seeding for service in services().values()]
    with world.store.change():
        seed = Part(data, "")
        for part in seed.parts("organizations"):
            _node(world, part, "organizations")
        for part in seed.parts("folders"):
            _node(world, part, "folders")
        for seeding in seedings:
            if seeding.first is not None:
                seeding.first(world, seed)
        for part in seed.parts("projects"):
            node = _project(world, part)
            for seeding in seedings:
                if seeding.project is not None:
                    seeding.project(world, part, node)
            part.end()
        for seeding in seedings:
            if seeding.last is not None:
                seeding.last(world, seed)
        seed.end()
    world.store.generation += 1


def _node(world: World, part: Part, kind: str) -> None:
    name = part.take("name", str, needed=True)
    part.matching("name", name, rf"{kind}/[0-9]{{1,20}}", f"{kind}/NUMBER")
    parent = part.take("parent", str, needed=kind == "folders") if kind == "folders" else None
    if parent is not None and world.hierarchy.get(parent) is None:
        raise BadSeed(f"{part.at('parent')}: there is no {parent}")
    old = world.hierarchy.get(name)
    created = old.created if old else world.clock.now()
    display_name = part.take("displayName", str, old.display_name if old else name)
    world.hierarchy.put(Node(name, None, parent, display_name, "ACTIVE", created, old.doc if old else {}))
    _iam(world, part, name)
    part.end()


def _iam(world: World, part: Part, resource: str) -> None:
    """Members by role: each role given replaces the unconditional bindings of that role."""
    given = part.take("iam", dict, {})
    for role, members in given.items():
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise BadSeed(f"{part.at('iam')}.{role}: expected a list of members")
    if given:
        policy = dict(world.policies.get(resource))
        kept = [b for b in policy.get("bindings", ()) if b["role"] not in given or "condition" in b]
        policy["bindings"] = kept + [{"role": role, "members": list(members)} for role, members in given.items()]
        policy["etag"] = allow_policy.new_etag(world.clock.now(), policy.get("etag", ""))
        policy.setdefault("version", 1)
        world.policies.put(resource, policy)


def _project(world: World, part: Part) -> Node:
    project_id = part.take("projectId", str, needed=True)
    part.matching("projectId", project_id, r"[a-z][a-z0-9.:-]{0,60}", "a project id")
    old = world.hierarchy.project(project_id)
    number = part.take("projectNumber", (str, int), old.number if old else None)
    if number is not None:
        part.matching("projectNumber", str(number), r"[1-9][0-9]{0,19}", "a project number")
    name = f"projects/{number or world.hierarchy.new_number()}"
    if (holder := world.hierarchy.get(name)) is not None and holder.project_id != project_id:
        raise BadSeed(f"{part.at('projectNumber')}: {number} belongs to {holder.project_id or holder.name}")
    if old is not None and old.name != name:
        raise BadSeed(f"{part.at('projectNumber')}: {project_id} has the number {old.number}")
    parent = part.take("parent", str, old.parent if old else None)
    if parent is not None and world.hierarchy.get(parent) is None:
        raise BadSeed(f"{part.at('parent')}: there is no {parent}")
    state = part.take("state", str, old.state if old else "ACTIVE")
    if state not in ("ACTIVE", "DELETE_REQUESTED", "SUSPENDED"):
        raise BadSeed(f"{part.at('state')}: expected ACTIVE, DELETE_REQUESTED or SUSPENDED, found {state!r}")
    created = part.time("createTime", old.created if old else world.clock.now())
    display_name = part.take("displayName", str, old.display_name if old else project_id)
    doc = _project_doc(world, part, state, old.doc if old else {})
    node = Node(name, project_id, parent, display_name, state, created, doc)
    world.hierarchy.put(node)
    _iam(world, part, name)
    return node


def _project_doc(world: World, part: Part, state: str, old: Json) -> Json:
    """What is kept beside name and state; when it was deleted among it."""
    doc = {name: value for name, value in old.items() if name not in ("deleted", "was")}
    deleted = part.time("deleteTime", old.get("deleted", world.clock.now()))
    if state == "DELETE_REQUESTED":
        doc["deleted"] = deleted
    return doc
