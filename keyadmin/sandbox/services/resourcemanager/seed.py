"""What a seed says of projects beyond their place, state and policy."""

from __future__ import annotations

from dataclasses import replace

from keyadmin.sandbox.seed_part import BadSeed, Part
from keyadmin.sandbox.services.resourcemanager.project_rules import check_labels
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World


def project(world: World, part: Part, node: Node) -> None:
    """`labels` of a project."""
    if "labels" not in part.data:
        return
    labels = part.take("labels", dict)
    if not all(isinstance(value, str) for value in labels.values()):
        raise BadSeed(f"{part.at('labels')}: expected texts as values")
    part.data["labels"] = labels
    part.checked("labels", check_labels, None)
    if labels:
        world.hierarchy.put(replace(node, doc=node.doc | {"labels": labels}))
