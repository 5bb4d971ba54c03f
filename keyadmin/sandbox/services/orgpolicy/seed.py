"""Custom constraints and organisation policies in seeds."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.messages import json_form
from keyadmin.sandbox.messages.shape import Shape, shape_of
from keyadmin.sandbox.messages.status import RpcError
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.seed_part import BadSeed, Part
from keyadmin.sandbox.services.orgpolicy import checks
from keyadmin.sandbox.state.org_policies import Setting
from keyadmin.sandbox.world import World

Json = dict[str, Any]

_TYPES = "google.cloud.orgpolicy.v2"


def last(world: World, seed: Part) -> None:
    """`customConstraints`, then `orgPolicies` by node and constraint."""
    for index, item in enumerate(seed.take("customConstraints", list, [])):
        _custom(world, f"customConstraints[{index}]", item)
    for name, values in seed.take("orgPolicies", dict, {}).items():
        node = world.hierarchy.get(name)
        if node is None:
            raise BadSeed(f"orgPolicies.{name}: there is no such organisation, folder or project")
        if not isinstance(values, dict):
            raise BadSeed(f"orgPolicies.{name}: expected constraints with true, false or a policy")
        for constraint, value in values.items():
            world.org_policies.put(node.name, _setting(world, f"orgPolicies.{name}.{constraint}", constraint, value))


def _parsed(shape: Shape, where: str, data: Any) -> Json:
    try:
        return json_form.parse(shape, data)
    except RpcError as error:
        raise BadSeed(f"{where}: {error.message}") from None


def _custom(world: World, where: str, item: Any) -> None:
    """A custom constraint as the API takes it: `{"name": "organizations/1000/customConstraints/custom.X", ...}`."""
    data = _parsed(shape_of(f"{_TYPES}.CustomConstraint"), where, item)
    organization, _, name = data.get("name", "").partition("/customConstraints/")
    node = world.hierarchy.get(organization)
    if node is None or node.kind != "organizations":
        raise BadSeed(f"{where}.name: expected organizations/N/customConstraints/custom.NAME of an existing organisation")
    try:
        doc = checks.custom(data)
    except RpcError as error:
        raise BadSeed(f"{where}: {error.message}") from None
    world.org_policies.put_custom(node.name, name, doc | {"updateTime": rfc3339(world.clock.now())})


def _setting(world: World, where: str, constraint: str, value: Any) -> Setting:
    """`true`, `false`, or a policy's `spec` and `dryRunSpec`."""
    if isinstance(value, bool):
        return Setting(constraint, world.clock.now(), {"spec": {"rules": [{"enforce": value}]}})
    if not isinstance(value, dict) or not value or set(value) - {"spec", "dryRunSpec"}:
        raise BadSeed(f"{where}: expected true, false, or an object with spec and dryRunSpec")
    data = _parsed(shape_of(f"{_TYPES}.Policy"), where, value)
    try:
        return Setting(constraint, world.clock.now(), checks.document(constraint, data))
    except RpcError as error:
        raise BadSeed(f"{where}: {error.message}") from None
