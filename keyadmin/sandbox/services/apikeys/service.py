"""API Keys API v2, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.apikeys import assets, page, rows, seed, usage
from keyadmin.sandbox.services.apikeys.api import api

SERVICE = Service(
    apis=(api,),
    tables=rows.TABLES + usage.TABLES,
    seeding=Seeding(project=seed.project, last=seed.last),
    page=(page.KEYS,),
    gcloud=("apikeys",),
    discovery=("apikeys.v2",),
    assets=assets.ASSETS,
)
