"""What the sandbox holds without a seed: one organisation, one folder, and projects in the states that people meet.

It is written as a seed (data/default-seed.json) with two additions: `{"daysAgo": 3}` stands for a time, and
`{"copies": 296, "of": {...}}` for a list of so many, `###` in it for the number of each.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from keyadmin.sandbox.messages.times import DAY, rfc3339


def default_seed(now: int) -> dict[str, Any]:
    """The seed as of a time (microseconds)."""

    def filled(value: dict[str, Any]) -> Any:
        if value.keys() == {"daysAgo"}:
            return rfc3339(now - value["daysAgo"] * DAY)
        if value.keys() == {"copies", "of"}:
            pattern = json.dumps(value["of"])
            return [json.loads(pattern.replace("###", f"{number:03}")) for number in range(value["copies"])]
        return value

    text = files("keyadmin.data").joinpath("default-seed.json").read_text("utf-8")
    seed: dict[str, Any] = json.loads(text, object_hook=filled)
    return seed
