"""Predefined roles that exist and that Google refuses on a kind of resource, each with the thread or page that says so.

A role that is not named here is taken wherever it is set: which roles a resource takes is published nowhere as a whole.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

_TERRAFORM = "https://github.com/hashicorp/terraform-provider-google/issues"
_PLACES = "https://cloud.google.com/iam/docs/roles-permissions/resourcemanager (lowest-level resources)"

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
        "roles/resourcemanager.organizationAdmin": _PLACES,
        "roles/resourcemanager.organizationViewer": _PLACES,
        "roles/resourcemanager.projectCreator": _PLACES,
        "roles/resourcemanager.folder*": _PLACES,
        "roles/iam.organizationRole*": "https://cloud.google.com/iam/docs/roles-permissions/iam (lowest-level resources)",
        "roles/storage.legacy*": "https://cloud.google.com/storage/docs/access-control/iam-roles (buckets alone)",
    },
    "folders": {
        "roles/billing.user": "https://github.com/GoogleCloudPlatform/terraform-google-secured-data-warehouse/issues/193",
        "roles/resourcemanager.organizationAdmin": _PLACES,
        "roles/iam.organizationRole*": "https://cloud.google.com/iam/docs/roles-permissions/iam (lowest-level resources)",
        "roles/storage.legacy*": "https://cloud.google.com/storage/docs/access-control/iam-roles (buckets alone)",
    },
    "organizations": {
        "roles/storage.legacy*": "https://cloud.google.com/storage/docs/access-control/iam-roles (buckets alone)",
    },
}


def refused(kind: str, role: str) -> bool:
    """Whether a role is refused on `projects`, `folders`, `organizations` or `serviceAccounts`."""
    return any(fnmatchcase(role, pattern) for pattern in REFUSED.get(kind, ()))
