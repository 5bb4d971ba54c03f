"""The services there are: every folder of `services/` that has a `service.py`."""

from __future__ import annotations

import pkgutil
from functools import cache

from keyadmin.sandbox import inventory
from keyadmin.sandbox import services as folder
from keyadmin.sandbox.api import Api
from keyadmin.sandbox.messages.loading import load
from keyadmin.sandbox.service import Service


@cache
def services() -> dict[str, Service]:
    """Every service by the name of its folder."""
    found: dict[str, Service] = {}
    for module in sorted(pkgutil.iter_modules(folder.__path__), key=lambda module: module.name):
        if module.ispkg:
            found[module.name] = load(f"{folder.__name__}.{module.name}.service").SERVICE
    inventory.TYPES.update({each.name: each for service in found.values() for each in service.assets})
    return found


@cache
def apis() -> dict[str, Api]:
    """Every API by its full name."""
    return {api.name: api for service in services().values() for api in service.apis}


def service_tables() -> str:
    """The SQL of all tables that services keep."""
    return "".join(service.tables for service in services().values())
