"""Which service lives where and which transport a call to it takes: a fixed table, not a layer.

REST JSON where the published protobuf cannot carry what is needed (`serviceAccountEmail`, `checkExistingUsage` of the API
Keys API), where there is no gRPC client, where a client's package weighs megabytes for a handful of calls (IAM, Secret
Manager, Monitoring, Cloud Asset Inventory, Organisation Policy), and for the two reads of projects that most commands begin
with: they would pay half a second for the import of Resource Manager's client. Google's own gRPC clients for everything else.
LookupKey is never sent over REST: its key string would stand in a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from keyadmin.model.key import GEMINI

APIKEYS: Final = "apikeys.googleapis.com"
RESOURCE_MANAGER: Final = "cloudresourcemanager.googleapis.com"
SERVICE_USAGE: Final = "serviceusage.googleapis.com"
IAM: Final = "iam.googleapis.com"
IAM_CREDENTIALS: Final = "iamcredentials.googleapis.com"
SECRET_MANAGER: Final = "secretmanager.googleapis.com"  # noqa: S105 (a host name)
ASSET: Final = "cloudasset.googleapis.com"
ORG_POLICY: Final = "orgpolicy.googleapis.com"
POLICY_SIMULATOR: Final = "policysimulator.googleapis.com"
MONITORING: Final = "monitoring.googleapis.com"
LOGGING: Final = "logging.googleapis.com"
ACCOUNTS: Final = "openidconnect.googleapis.com"
SANDBOX: Final = "sandbox"  # the sandbox's own /_sandbox

Transport = Literal["rest", "grpc"]


@dataclass(frozen=True, slots=True)
class GrpcApi:
    """One of Google's generated asyncio clients; the module is imported at the first call."""

    host: str
    module: str
    client: str


API_KEYS_GRPC: Final = GrpcApi(APIKEYS, "google.cloud.api_keys_v2", "ApiKeysAsyncClient")
PROJECTS: Final = GrpcApi(RESOURCE_MANAGER, "google.cloud.resourcemanager_v3", "ProjectsAsyncClient")
FOLDERS: Final = GrpcApi(RESOURCE_MANAGER, "google.cloud.resourcemanager_v3", "FoldersAsyncClient")
ORGANIZATIONS: Final = GrpcApi(RESOURCE_MANAGER, "google.cloud.resourcemanager_v3", "OrganizationsAsyncClient")
SERVICES: Final = GrpcApi(SERVICE_USAGE, "google.cloud.service_usage_v1", "ServiceUsageAsyncClient")

_REST_ALONE: Final = frozenset(
    {ACCOUNTS, ASSET, GEMINI, IAM, IAM_CREDENTIALS, LOGGING, MONITORING, ORG_POLICY, POLICY_SIMULATOR, SANDBOX, SECRET_MANAGER}
)
_REST: Final[Mapping[str, frozenset[str]]] = {
    APIKEYS: frozenset({"CreateKey", "GetKey", "ListKeys", "UpdateKey", "DeleteKey", "GetOperation"}),
    RESOURCE_MANAGER: frozenset({"GetProject", "SearchProjects", "GetAncestry", "GetIamPolicy", "SetIamPolicy"}),
}


def transport(service: str, method: str) -> Transport:
    """The one transport that this method takes."""
    return "rest" if service in _REST_ALONE or method in _REST.get(service, ()) else "grpc"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """What is about to be asked: what errors, the pace and the retry rule need to know of it.

    `repeatable` = sending it twice does no harm. `paced` = it counts against the quota project's calls a minute.
    `patient` = a rate limit is waited out. `signed` = it carries the caller's credentials. `charged` = charged to `project`
    whatever else is charged. `renews` = a refusal of the token fetches another. `uncharged` = no
    quota project is named, whatever was asked for.
    """

    service: str
    method: str
    project: str | None = None
    write: bool = False
    repeatable: bool = True
    paced: bool = True
    patient: bool = True
    signed: bool = True
    charged: bool = False
    renews: bool = True
    uncharged: bool = False
