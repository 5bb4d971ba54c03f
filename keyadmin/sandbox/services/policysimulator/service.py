"""Policy Simulator v1, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Service
from keyadmin.sandbox.services.policysimulator.api import api

SERVICE = Service(apis=(api,), gcloud=("policysimulator",))
