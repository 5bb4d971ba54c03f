"""The services there are: where a new one is made known to both doors."""

from __future__ import annotations

import importlib
from functools import cache

from keyadmin.sandbox.api import Api

# Modules under keyadmin.sandbox.services; each has `APIS` (a tuple of Api) and perhaps `TABLES` (SQL).
MODULES = (
    "longrunning",
    "apikeys",
    "resourcemanager",
    "resourcemanager_v1",
    "iam",
    "iamcredentials",
    "orgpolicy",
    "serviceusage",
    "secretmanager",
    "cloudasset",
    "monitoring",
    "gemini",
)


@cache
def _modules() -> tuple[object, ...]:
    return tuple(importlib.import_module(f"keyadmin.sandbox.services.{name}") for name in MODULES)


@cache
def apis() -> dict[str, Api]:
    """Every service by its full name."""
    return {api.name: api for module in _modules() for api in module.APIS}  # type: ignore[attr-defined]


def service_tables() -> str:
    """The SQL of all tables that services keep."""
    return "".join(getattr(module, "TABLES", "") for module in _modules())
