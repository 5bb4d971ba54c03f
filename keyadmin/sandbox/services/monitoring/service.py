"""Cloud Monitoring v3, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Service
from keyadmin.sandbox.services.monitoring.api import api

SERVICE = Service(
    apis=(api,),
    gcloud=("monitoring",),
    discovery=("monitoring.v3",),
)
