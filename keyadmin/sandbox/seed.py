"""Seeds: JSON that fills the sandbox, merged by id. The format is fixed (contract 2)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyadmin.sandbox import allow_policy, constraints
from keyadmin.sandbox.clock import LATEST, parse_rfc3339, rfc3339
from keyadmin.sandbox.hierarchy import Node
from keyadmin.sandbox.services import apikeys, iam, key_checks, key_rows, key_shapes, key_usage, project_rules, secretmanager
from keyadmin.sandbox.services.key_rows import KeyRow
from keyadmin.sandbox.shape import hand_written
from keyadmin.sandbox.status import RpcError, invalid

if TYPE_CHECKING:
    from keyadmin.sandbox.cloud import LocalCloud

Json = dict[str, Any]

_KEY = hand_written(key_shapes.KEY)


class BadSeed(Exception):
    """The seed is not one: the message names the place (`projects[3].keys[0].createTime`) and what was expected."""

    there = True


class NoSeed(BadSeed):
    """There is no file to read it from."""

    there = False


class _Part:
    """An object of the seed with its place, whose members are taken out and checked; what is left over is unknown."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise BadSeed(f"{where or 'the seed'}: expected an object, found {type(data).__name__}")
        self.data = dict(data)
        self.where = where

    def at(self, name: str) -> str:
        """The place of a member."""
        return f"{self.where}.{name}" if self.where else name

    def take(self, name: str, kind: type | tuple[type, ...], default: Any = None, *, needed: bool = False) -> Any:
        """A member of a kind, or the default."""
        if name not in self.data:
            if needed:
                raise BadSeed(f"{self.at(name)}: is missing")
            return default
        value = self.data.pop(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            wanted = kind.__name__ if isinstance(kind, type) else " or ".join(one.__name__ for one in kind)
            raise BadSeed(f"{self.at(name)}: expected {wanted}, found {type(value).__name__}")
        return value

    def number(self, name: str, default: int, *, most: int) -> int:
        """A whole number from 0 to `most`."""
        value: int = self.take(name, int, default)
        if not 0 <= value <= most:
            raise BadSeed(f"{self.at(name)}: expected a number from 0 to {most}, found {str(value)[:20]}")
        return value

    def matching(self, name: str, value: str, pattern: str, expected: str) -> str:
        """A text of a form; `name` = the member or element it stands in."""
        if not re.fullmatch(pattern, value):
            raise BadSeed(f"{self.at(name)}: expected {expected}, found {value[:80]!r}")
        return value

    def texts(self, name: str, pattern: str, expected: str) -> Iterator[str]:
        """The texts of a list member, each of a form."""
        for index, item in enumerate(self.take(name, list, [])):
            if not isinstance(item, str):
                raise BadSeed(f"{self.at(name)}[{index}]: expected {expected}, found {type(item).__name__}")
            yield self.matching(f"{name}[{index}]", item, pattern, expected)

    def parts(self, name: str) -> Iterator[_Part]:
        """The objects of a list member."""
        for index, item in enumerate(self.take(name, list, [])):
            yield _Part(item, f"{self.at(name)}[{index}]")

    def checked(self, name: str, check: Callable[[Any], Any], default: Any) -> Any:
        """A member passed through a service's own check, whose words are kept with the place."""
        if name not in self.data:
            return default
        try:
            return check(self.data.pop(name))
        except RpcError as error:
            raise BadSeed(f"{self.at(name)}: {error.message}") from None

    def end(self) -> None:
        """Refuse what nobody took."""
        if self.data:
            raise BadSeed(f"{self.at(next(iter(self.data)))}: unknown field")


def read(path: Path) -> Json:
    """A seed file. Raises BadSeed naming file and place; the file is only read."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise NoSeed(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadSeed(f"{path}: is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise BadSeed(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(data, dict):
        raise BadSeed(f"{path}: expected an object at the top, found {type(data).__name__}")
    return data


def apply(cloud: LocalCloud, data: Json) -> None:
    """Merge a seed into the cloud, in one transaction. Raises BadSeed; nothing is changed then."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadSeed("the seed: a text in it is not valid Unicode (a lone surrogate)") from None
    with cloud.store.change():
        seed = _Part(data, "")
        for part in seed.parts("organizations"):
            _node(cloud, part, "organizations")
        for part in seed.parts("folders"):
            _node(cloud, part, "folders")
        _custom_roles(cloud, seed)
        for part in seed.parts("projects"):
            _project(cloud, part)
        _org_policies(cloud, seed)
        gemini = _Part(seed.take("gemini", dict, {}), "gemini")
        reject = gemini.take("rejectStandardKeys", bool)
        gemini.end()
        if reject is not None:
            cloud.store.run("INSERT OR REPLACE INTO meta VALUES ('reject-standard-keys', ?)", str(int(reject)))
        inventory = _Part(seed.take("assetInventory", dict, {}), "assetInventory")
        shown = inventory.take("versionedResources", bool)
        inventory.end()
        if shown is not None:
            cloud.store.run("INSERT OR REPLACE INTO meta VALUES ('asset-versioned-resources', ?)", str(int(shown)))
        if fleet := seed.take("fleet", dict):
            from keyadmin.sandbox.fleet import make

            part = _Part(fleet, "fleet")
            projects, keys = part.number("projects", 100, most=100_000), part.number("keysPerProject", 5, most=1_000)
            parent = part.take("parent", str)
            part.end()
            if parent and cloud.hierarchy.get(parent) is None:
                raise BadSeed(f"fleet.parent: there is no {parent}")
            make(cloud, projects, keys, parent)
        seed.end()
    cloud.store.generation += 1


def _time(cloud: LocalCloud, part: _Part, name: str, default: int) -> int:
    value: int = part.checked(name, _moment, default)
    return value


def _node(cloud: LocalCloud, part: _Part, kind: str) -> None:
    name = part.take("name", str, needed=True)
    part.matching("name", name, rf"{kind}/[0-9]{{1,20}}", f"{kind}/NUMBER")
    parent = part.take("parent", str, needed=kind == "folders") if kind == "folders" else None
    if parent is not None and cloud.hierarchy.get(parent) is None:
        raise BadSeed(f"{part.at('parent')}: there is no {parent}")
    old = cloud.hierarchy.get(name)
    created = old.created if old else cloud.clock.now()
    display_name = part.take("displayName", str, old.display_name if old else name)
    cloud.hierarchy.put(Node(name, None, parent, display_name, "ACTIVE", created, old.doc if old else {}))
    _iam(cloud, part, name)
    part.end()


def _iam(cloud: LocalCloud, part: _Part, resource: str) -> None:
    """Members by role: each role given replaces the unconditional bindings of that role."""
    given = part.take("iam", dict, {})
    for role, members in given.items():
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise BadSeed(f"{part.at('iam')}.{role}: expected a list of members")
    if given:
        policy = dict(cloud.policies.get(resource))
        kept = [b for b in policy.get("bindings", ()) if b["role"] not in given or "condition" in b]
        policy["bindings"] = kept + [{"role": role, "members": list(members)} for role, members in given.items()]
        policy["etag"] = allow_policy.new_etag(cloud.clock.now(), policy.get("etag", ""))
        policy.setdefault("version", 1)
        cloud.policies.put(resource, policy)


def _custom_roles(cloud: LocalCloud, seed: _Part) -> None:
    for name, permissions in seed.take("customRoles", dict, {}).items():
        if not isinstance(permissions, list) or not all(isinstance(item, str) for item in permissions):
            raise BadSeed(f"customRoles.{name}: expected a list of permissions")
        if name.count("/") != 3 or name.split("/")[0] not in ("organizations", "projects") or name.split("/")[2] != "roles":
            raise BadSeed(f"customRoles.{name}: expected organizations/N/roles/ID or projects/ID/roles/ID")
        iam.put_custom_role(cloud, name, permissions)


def _org_policies(cloud: LocalCloud, seed: _Part) -> None:
    for name, values in seed.take("orgPolicies", dict, {}).items():
        node = cloud.hierarchy.get(name)
        if node is None:
            raise BadSeed(f"orgPolicies.{name}: there is no such organisation, folder or project")
        if not isinstance(values, dict) or not all(isinstance(value, bool) for value in values.values()):
            raise BadSeed(f"orgPolicies.{name}: expected constraints with true or false")
        for constraint, value in values.items():
            constraints.put(cloud.store, node.name, constraint, value, cloud.clock.now())


def _project(cloud: LocalCloud, part: _Part) -> None:
    project_id = part.take("projectId", str, needed=True)
    part.matching("projectId", project_id, r"[a-z][a-z0-9.:-]{0,60}", "a project id")
    old = cloud.hierarchy.project(project_id)
    number = part.take("projectNumber", (str, int), old.number if old else None)
    if number is not None:
        part.matching("projectNumber", str(number), r"[1-9][0-9]{0,19}", "a project number")
    name = f"projects/{number or cloud.hierarchy.new_number()}"
    if (holder := cloud.hierarchy.get(name)) is not None and holder.project_id != project_id:
        raise BadSeed(f"{part.at('projectNumber')}: {number} belongs to {holder.project_id or holder.name}")
    if old is not None and old.name != name:
        raise BadSeed(f"{part.at('projectNumber')}: {project_id} has the number {old.number}")
    parent = part.take("parent", str, old.parent if old else None)
    if parent is not None and cloud.hierarchy.get(parent) is None:
        raise BadSeed(f"{part.at('parent')}: there is no {parent}")
    state = part.take("state", str, old.state if old else "ACTIVE")
    if state not in ("ACTIVE", "DELETE_REQUESTED", "SUSPENDED"):
        raise BadSeed(f"{part.at('state')}: expected ACTIVE, DELETE_REQUESTED or SUSPENDED, found {state!r}")
    created = _time(cloud, part, "createTime", old.created if old else cloud.clock.now())
    display_name = part.take("displayName", str, old.display_name if old else project_id)
    doc = _project_doc(cloud, part, state, old.doc if old else {})
    cloud.hierarchy.put(Node(name, project_id, parent, display_name, state, created, doc))
    for service in part.texts("services", r"[A-Za-z0-9.-]{1,253}", "a service name"):
        cloud.store.run("INSERT OR IGNORE INTO services VALUES (?, ?, ?)", name, service, created)
    _iam(cloud, part, name)
    for account in part.texts("serviceAccounts", r"[a-z0-9-]{1,63}(@[^/\s]+)?", "a name"):
        iam.put_account(cloud, name, project_id, account.partition("@")[0], created)
    for secret, values in part.take("secrets", dict, {}).items():
        part.matching("secrets", secret, r"[A-Za-z0-9_-]{1,255}", "names of secrets")
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadSeed(f"{part.at('secrets')}.{secret}: expected a list of values")
        secretmanager.put_secret(cloud, name, secret, values)
    key_rows.put(cloud.store, [_key(cloud, key, name, project_id) for key in part.parts("keys")])
    part.end()


def _project_doc(cloud: LocalCloud, part: _Part, state: str, old: Json) -> Json:
    """What Resource Manager keeps beside name and state: labels, and when it was deleted."""
    doc = {name: value for name, value in old.items() if name not in ("deleted", "was")}
    if labels := part.take("labels", dict, old.get("labels", {})):
        if not all(isinstance(value, str) for value in labels.values()):
            raise BadSeed(f"{part.at('labels')}: expected texts as values")
        part.data["labels"] = labels
        part.checked("labels", project_rules.check_labels, None)
        doc["labels"] = labels
    deleted = _time(cloud, part, "deleteTime", old.get("deleted", cloud.clock.now()))
    if state == "DELETE_REQUESTED":
        doc["deleted"] = deleted
    return doc


def _key(cloud: LocalCloud, part: _Part, project: str, project_id: str) -> KeyRow:
    uid = str(uuid.uuid4())
    key_id = part.take("keyId", str, uid)
    if key_id != uid and not _uuid_like(key_id):
        part.data["keyId"] = key_id
        part.checked("keyId", key_checks.key_id, None)
    elif key_id != uid:
        uid = key_id  # keys made without an id carry their uid as id
    old = key_rows.get(cloud.store, project, key_id)
    created = _time(cloud, part, "createTime", old.created if old else cloud.clock.now())
    account = part.take("serviceAccountEmail", str)
    if account:
        if not account.endswith(f"@{project_id}.iam.gserviceaccount.com"):
            raise BadSeed(f"{part.at('serviceAccountEmail')}: expected NAME@{project_id}.iam.gserviceaccount.com")
        iam.put_account(cloud, project, project_id, account.partition("@")[0], created)
    row = apikeys.new_row(
        project,
        key_id,
        old.uid if old else uid,
        created,
        display_name=part.checked("displayName", _of_key("displayName", "", key_checks.display_name), ""),
        restrictions=part.checked("restrictions", _of_key("restrictions", {}, key_checks.restrictions), {}),
        annotations=part.checked("annotations", _of_key("annotations", {}, key_checks.checked_annotations), {}),
        account=account,
    )
    if old is not None:
        row.key_string = old.key_string
    deleted = part.checked("deleteTime", _moment, None)
    if deleted is not None:
        row.deleted = deleted
        row.doc["deleteTime"] = rfc3339(deleted)
    row.condition = part.take("condition", str)
    if row.condition not in (None, "leaked", "expired"):
        raise BadSeed(f"{part.at('condition')}: expected leaked or expired, found {row.condition!r}")
    used = part.checked("lastUsed", _moment, None)
    if used is not None:
        key_usage.record(cloud.store, row.uid, apikeys.GEMINI, used)
    part.end()
    return row


def _of_key(name: str, default: Any, check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Checks a member as CreateKey would, in Google's words."""
    return lambda value: check(_KEY.parse({name: value}).get(name, default))


def _moment(text: Any) -> int:
    """RFC 3339 as microseconds, in years that a clock can show."""
    micros = parse_rfc3339(text)
    if not 0 <= micros < LATEST:
        raise invalid(f"Invalid time: {text!r} is not in the years 1970 to 9998.")
    return micros


def _uuid_like(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return len(text) == 36
