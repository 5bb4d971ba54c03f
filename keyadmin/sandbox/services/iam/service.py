"""IAM v1, as the sandbox knows it."""

from __future__ import annotations

from keyadmin.sandbox.service import Seeding, Service
from keyadmin.sandbox.services.iam import (
    account_policies,
    accounts,
    deny_policies,
    keys,
    page,
    permissions,
    roles,
    rows,
    seed,
    workload_pools,
)
from keyadmin.sandbox.services.iam.api import api

RULES = (account_policies, accounts, keys, permissions, roles)  # the modules that declare the methods

SERVICE = Service(
    apis=(api, deny_policies.api, workload_pools.api),
    tables=rows.TABLES + keys.TABLES + workload_pools.TABLES,
    seeding=Seeding(first=seed.first, project=seed.project),
    page=(page.BINDINGS,),
    gcloud=("iam",),
    discovery=("iam.v1", "iam.v2"),
)
