"""APIs that are called with a key, as the sandbox knows them."""

from __future__ import annotations

from keyadmin.sandbox.service import Service
from keyadmin.sandbox.services.keyed.api import APIS, any_api

SERVICE = Service(apis=(*APIS, any_api))
