"""Organization Policy v2, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.orgpolicy import seed
from keyadmin.sandbox.services.orgpolicy.api import api

SERVICE = Service(
    apis=(api,),
    seeding=Seeding(last=seed.last),
    gcloud=("orgpolicy",),
    discovery=("orgpolicy.v2",),
)
