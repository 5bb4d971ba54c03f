"""What a seed says of the Gemini API."""

from __future__ import annotations

from keyadmin.sandbox.seed_part import Part
from keyadmin.sandbox.world import World


def last(world: World, seed: Part) -> None:
    """`gemini`: whether standard keys are rejected."""
    part = Part(seed.take("gemini", dict, {}), "gemini")
    reject = part.take("rejectStandardKeys", bool)
    part.end()
    if reject is not None:
        world.set("reject-standard-keys", str(int(reject)))
