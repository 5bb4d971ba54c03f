"""Long-running operations, of every API, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Service
from keyadmin.sandbox.services.longrunning.api import api

SERVICE = Service(apis=(api,))
