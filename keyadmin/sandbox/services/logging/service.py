"""Cloud Logging API v2, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Service
from keyadmin.sandbox.services.logging.api import api

SERVICE = Service(apis=(api,), gcloud=("logging",), discovery=("logging.v2",))
