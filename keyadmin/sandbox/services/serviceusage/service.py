"""Service Usage v1, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.serviceusage import assets, identities, seed
from keyadmin.sandbox.services.serviceusage.api import api

SERVICE = Service(
    apis=(api, identities.api),
    seeding=Seeding(project=seed.project),
    gcloud=("serviceusage",),
    discovery=("serviceusage.v1", "serviceusage.v1beta1"),
    assets=assets.ASSETS,
)
