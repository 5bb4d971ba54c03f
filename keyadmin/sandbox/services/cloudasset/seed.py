"""What a seed says of Cloud Asset Inventory."""

from __future__ import annotations

from keyadmin.sandbox.seed_part import Part
from keyadmin.sandbox.world import World


def last(world: World, seed: Part) -> None:
    """`assetInventory`: whether results hold the resources themselves."""
    part = Part(seed.take("assetInventory", dict, {}), "assetInventory")
    shown = part.take("versionedResources", bool)
    part.end()
    if shown is not None:
        world.set("asset-versioned-resources", str(int(shown)))
