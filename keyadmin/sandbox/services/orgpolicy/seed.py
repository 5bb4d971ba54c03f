"""Organisation policies in seeds."""

from __future__ import annotations

from keyadmin.sandbox.seed_part import BadSeed, Part
from keyadmin.sandbox.state import constraints
from keyadmin.sandbox.world import World


def last(world: World, seed: Part) -> None:
    """`orgPolicies`, by node and constraint."""
    for name, values in seed.take("orgPolicies", dict, {}).items():
        node = world.hierarchy.get(name)
        if node is None:
            raise BadSeed(f"orgPolicies.{name}: there is no such organisation, folder or project")
        if not isinstance(values, dict) or not all(isinstance(value, bool) for value in values.values()):
            raise BadSeed(f"orgPolicies.{name}: expected constraints with true or false")
        for constraint, value in values.items():
            constraints.put(world.store, node.name, constraint, value, world.clock.now())
