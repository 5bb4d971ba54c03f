"""Resource Manager v3, v1 and v2, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.resourcemanager import api, assets, folders, organizations, page, seed, tags, v1

SERVICE = Service(
    apis=(api.api, folders.api, organizations.api, *tags.APIS, *v1.APIS),
    seeding=Seeding(project=seed.project),
    page=(page.PROJECTS,),
    gcloud=("cloudresourcemanager",),
    discovery=("cloudresourcemanager.v3", "cloudresourcemanager.v1", "cloudresourcemanager.v2"),
    assets=assets.ASSETS,
)
