"""Data files shipped with the package. Each says in itself where it comes from."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def services() -> dict[str, tuple[str, str]]:
    """Google's services: `{name: (title, summary)}`, in the order of names; a summary may be empty."""
    text = files(__package__).joinpath("service-catalogue.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: (row[1], row[2] if len(row) > 2 else "") for row in sorted(rows)}


@cache
def iam_roles() -> dict[str, Any]:
    """`{"permissions": [...], "roles": {name: {"title", "stage", "permission_count", "permissions"}}, "source": ...}`."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("iam-roles.json").read_text("utf-8"))
    return data
