"""IAM API v1: service accounts and custom roles, the rules of google.iam.admin.v1.IAM."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from keyadmin.sandbox.services import service_accounts

if TYPE_CHECKING:
    from keyadmin.sandbox.cloud import LocalCloud

TABLES = service_accounts.TABLES
APIS = ()


def put_account(cloud: LocalCloud, project: str, project_id: str, account_id: str, created: int) -> str:
    """Make a service account unless it is there, within the caller's transaction; its e-mail address."""
    email = f"{account_id}@{project_id}.iam.gserviceaccount.com"
    cloud.store.run(
        "INSERT OR IGNORE INTO service_accounts VALUES (?, ?, ?, ?, NULL, ?)",
        *(email, str(random.randint(10**20, 10**21 - 1)), project, created, json.dumps({})),  # noqa: S311 - not a secret
    )
    return email


def put_custom_role(cloud: LocalCloud, name: str, permissions: list[str]) -> None:
    """Make or replace a custom role, within the caller's transaction."""
    doc: dict[str, Any] = {"name": name, "title": name.rpartition("/")[2], "includedPermissions": permissions, "stage": "GA"}
    cloud.policies.put_role(name, doc)
