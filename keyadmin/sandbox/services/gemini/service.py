"""The Gemini API, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.gemini import seed
from keyadmin.sandbox.services.gemini.api import APIS

SERVICE = Service(
    apis=APIS,
    seeding=Seeding(last=seed.last),
)
