"""IAM API v1: service accounts, their policies, roles and permissions; the rules of google.iam.admin.v1.IAM.

Not offered: keys of service accounts, signBlob and signJwt, lintPolicy, queryAuditableServices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keyadmin.sandbox.allow_policy import new_etag
from keyadmin.sandbox.services import iam_account_policies, iam_accounts, iam_permissions, iam_roles, service_accounts
from keyadmin.sandbox.services.iam_api import api
from keyadmin.sandbox.services.service_accounts import Account

if TYPE_CHECKING:
    from keyadmin.sandbox.cloud import LocalCloud

__all__ = ["APIS", "TABLES", "put_account", "put_custom_role"]

TABLES = service_accounts.TABLES
APIS = (api,)
RULES = (iam_accounts, iam_account_policies, iam_roles, iam_permissions)  # the modules that declare this service's methods


def put_account(cloud: LocalCloud, project: str, project_id: str, account_id: str, created: int) -> str:
    """Make a service account unless it is there, within the caller's transaction; its e-mail address."""
    email = f"{account_id}@{project_id}.iam.gserviceaccount.com"
    service_accounts.insert(cloud.store, Account(email, service_accounts.new_unique_id(), project, created, None, {}))
    return email


def put_custom_role(cloud: LocalCloud, name: str, permissions: list[str]) -> None:
    """Make or replace a custom role, within the caller's transaction."""
    doc: dict[str, Any] = {"name": name, "title": name.rpartition("/")[2], "includedPermissions": permissions, "stage": "GA"}
    cloud.policies.put_role(name, doc | {"etag": new_etag(cloud.clock.now())})
