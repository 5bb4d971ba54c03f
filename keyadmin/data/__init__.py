"""Data files shipped with the package. `iam-roles.json` names its own source in its `source` field."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def iam_roles() -> dict[str, Any]:
    """`{"permissions": [...], "roles": {name: {"title", "stage", "permission_count", "permissions"}}, "source": ...}`."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("iam-roles.json").read_text("utf-8"))
    return data
