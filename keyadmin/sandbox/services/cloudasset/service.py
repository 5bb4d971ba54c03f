"""Cloud Asset Inventory v1, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.cloudasset import seed
from keyadmin.sandbox.services.cloudasset.api import api

SERVICE = Service(
    apis=(api,),
    seeding=Seeding(last=seed.last),
    gcloud=("cloudasset",),
    discovery=("cloudasset.v1",),
)
