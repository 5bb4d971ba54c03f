"""Predefined roles that exist and that Google refuses on a kind of resource, each with the thread or page that says so.

A role that is not named here is taken wherever it is set: which roles a resource takes is published nowhere as a whole.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

_TERRAFORM = "https://github.com/hashicorp/terraform-provider-google/issues"

REFUSED: Final[dict[str, dict[str, str]]] = {
    "serviceAccounts": {
        "roles/container.clusterAdmin": "https://github.com/crossplane-contrib/provider-gcp/issues/381",
        "roles/cloudfunctions.invoker": "https://github.com/crossplane-contrib/provider-gcp/issues/381",
        "roles/monitoring.viewer": "https://github.com/hashicorp/terraform/issues/20285",
        "roles/appengine.deployer": "https://github.com/hashicorp/terraform/issues/25623",
        "roles/storage.objectViewer": f"{_TERRAFORM}/1751",
        "roles/storage.admin": f"{_TERRAFORM}/5415",
        "roles/storage.objectCreator": "https://github.com/googleapis/google-cloud-python/issues/10499",
        "roles/cloudsql.client": f"{_TERRAFORM}/1225",
    },
    "projects": {
        "roles/storage.legacyBucketReader": "https://github.com/forseti-security/forseti-security/pull/3114",
    },
    "folders": {
        "roles/billing.user": "https://github.com/GoogleCloudPlatform/terraform-google-secured-data-warehouse/issues/193",
    },
}
# What QueryGrantableRoles leaves out: roles whose lowest-level resource, as the reference names it, lies above or elsewhere.
# They can be set all the same: recorded policies of projects hold roles/resourcemanager.organizationAdmin.
_ABOVE: Final[dict[str, tuple[str, ...]]] = {
    "projects": (
        *("roles/resourcemanager.organization*", "roles/resourcemanager.folder*", "roles/resourcemanager.projectCreator"),
        *("roles/iam.organizationRole*", "roles/storage.legacy*"),
    ),
    "folders": ("roles/resourcemanager.organization*", "roles/iam.organizationRole*", "roles/storage.legacy*"),
    "organizations": ("roles/storage.legacy*",),
}


def refused(kind: str, role: str) -> bool:
    """Whether a role is refused on `projects`, `folders`, `organizations` or `serviceAccounts`."""
    return any(fnmatchcase(role, pattern) for pattern in REFUSED.get(kind, ()))


def grantable(kind: str, role: str) -> bool:
    """Whether QueryGrantableRoles names a role for `projects`, `folders` or `organizations`."""
    return not refused(kind, role) and not any(fnmatchcase(role, pattern) for pattern in _ABOVE.get(kind, ()))
