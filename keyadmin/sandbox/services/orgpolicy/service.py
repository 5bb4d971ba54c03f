"""Organization Policy v2, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.orgpolicy import assets, constraints, policies, seed
from keyadmin.sandbox.services.orgpolicy.api import api

RULES = (constraints, policies)  # the modules that declare the methods

SERVICE = Service(
    apis=(api,),
    seeding=Seeding(last=seed.last),
    gcloud=("orgpolicy",),
    discovery=("orgpolicy.v2",),
    assets=assets.ASSETS,
)
