"""IAM v1, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.page_table import PageTable
from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.iam import account_policies, accounts, page, permissions, roles, rows, seed
from keyadmin.sandbox.services.iam.api import api

RULES = (account_policies, accounts, permissions, roles)  # the modules that declare the methods

SERVICE = Service(
    apis=(api,),
    tables=rows.TABLES,
    seeding=Seeding(first=seed.first, project=seed.project),
    page=(PageTable(30, page.bindings),),
    gcloud=("iam",),
    discovery=("iam.v1",),
)
