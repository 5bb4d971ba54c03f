"""From a key string to the key: whose is it?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from keyadmin.keys.resolve import project_id
from keyadmin.model.key import Key
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

State = Literal["live", "deleted", "purged", "unknown"]


@dataclass(frozen=True)
class StringOwner:
    """What is known of a key string's key. `name` is None once it is purged, `key` None where it may not be read."""

    key_string: KeyString
    parent: str
    name: str | None
    project: str
    key: Key | None

    @property
    def state(self) -> State:
        """Whether the key lives; `unknown` where it may not be read."""
        if self.name is None:
            return "purged"
        if self.key is None:
            return "unknown"
        return "live" if self.key.delete_time is None else "deleted"

    def to_json(self, *, sandbox: bool) -> dict[str, Any]:
        """`{"parent", "name"?, "project", "state", "displayName"?, "sandbox"?}`."""
        out: dict[str, Any] = {"parent": self.parent, "project": self.project, "state": self.state}
        if self.name is not None:
            out["name"] = self.name
        if self.key is not None:
            out |= {"displayName": self.key.display_name, "keyType": self.key.key_type, "restricted": self.key.restricted}
        return out | ({"sandbox": True} if sandbox else {})


async def lookup(cloud: Cloud, key_string: KeyString) -> StringOwner:
    """The project of a key string and, where it may be read, its key. Raises Problem; unknown looks like no access."""
    found = await cloud.keys.lookup(key_string)
    number = found.parent.split("/")[1]
    project = await project_id(cloud, number)
    key: Key | None = None
    if found.name:
        try:
            key = replace(await cloud.keys.get(found.name), project=project)
        except Problem:
            key = None  # lookup needs no permission to read keys; its answer stands without
    return StringOwner(key_string, found.parent, found.name, project, key)
