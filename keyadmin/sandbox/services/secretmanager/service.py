"""Secret Manager v1, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.secretmanager import rows, seed
from keyadmin.sandbox.services.secretmanager.api import api

SERVICE = Service(
    apis=(api,),
    tables=rows.TABLES,
    seeding=Seeding(project=seed.project),
    gcloud=("secretmanager",),
    discovery=("secretmanager.v1",),
)
