"""Who pays for a call, and whether the call may be charged there: Google's front end, the same for every API.

The project that pays is the one of `X-Goog-User-Project`; without it that of the key, or of the service account that calls, or,
for people, gcloud's own. The API must be on in the project that pays, whatever the call is about
(https://cloud.google.com/docs/quotas/quota-project; python-resource-manager #129, terraform-provider-google #11435). That is
checked for quota projects and for keys; in gcloud's project all is on. In a service account's own project it is not checked,
other than at Google: seeds seldom say which APIs are on there.
"""

from __future__ import annotations

from keyadmin.sandbox.api import Call, Json
from keyadmin.sandbox.messages.status import (
    Code,
    RpcError,
    consumer_deleted,
    consumer_suspended,
    error_info,
    help_link,
    retry_info,
    service_disabled,
)
from keyadmin.sandbox.state.hierarchy import Node, project_of

GCLOUD = "764086051850"  # gcloud's own project: pays for people without a quota project (recorded)


def project(call: Call) -> Node | None:
    """The project that pays, if it is one of the sandbox's."""
    if call.caller.quota_project:
        return call.world.hierarchy.project(call.caller.quota_project)
    if call.method.api.payer is not None and (found := call.method.api.payer(call)) is not None:
        return found
    own = project_of(call.principal)
    return call.world.hierarchy.project(own) if own else None


def check(call: Call) -> None:
    """Refuse a call that may not be charged: rights on the quota project first, then the API there."""
    reference = call.caller.quota_project
    if reference is None:
        return  # keys are checked with their project, in that order (apikeys/access.py); see the module's text for the others
    node = project(call)
    if node is None or not call.holds("serviceusage.services.use", node.name):
        raise _denied(call, reference)
    host = call.method.api.host
    if node.state != "ACTIVE":
        raise (consumer_suspended if node.state == "SUSPENDED" else consumer_deleted)(host, node.name)
    if host and not call.world.serves(node.name, host):
        raise service_disabled(host, call.method.api.title, node.number)


def _denied(call: Call, reference: str) -> RpcError:
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Caller does not have required permission to use project {reference}. Grant the caller the "
        "roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use "
        "permission, by visiting https://console.developers.google.com/iam-admin/iam/project?project="
        f"{reference} and then retry. Propagation of the new permission may take a few minutes.",
        error_info("USER_PROJECT_DENIED", "googleapis.com", consumer=f"projects/{reference}", service=call.method.api.host),
    )


def charge(call: Call, request: Json) -> None:
    """Count the call against the quotas of who pays. Raises RESOURCE_EXHAUSTED, in the words of the API or of the front end."""
    payer = project(call)
    holder = payer.name if payer else call.caller.quota_project or call.principal
    exceeded = call.world.faults.charge(call.method.full_name, holder)
    if exceeded is None:
        return
    own = call.method.api.over_quota
    error = own(request, *exceeded) if own is not None else None
    raise error or _over(call, payer.number if payer else GCLOUD, *exceeded)


def _over(call: Call, number: str, limit: int, wait: float) -> RpcError:
    """Recorded of Resource Manager, 2025; the details as public threads show them."""
    host = call.method.api.host
    kind = "Write" if call.method.writes else "Read"
    return RpcError(
        Code.RESOURCE_EXHAUSTED,
        f"Quota exceeded for quota metric '{kind} requests' and limit '{kind} requests per minute' of service '{host}' for "
        f"consumer 'project_number:{number}'.",
        error_info(
            "RATE_LIMIT_EXCEEDED",
            "googleapis.com",
            service=host,
            consumer=f"projects/{number}",
            quota_metric=f"{host}/{kind.lower()}_requests",
            quota_limit=f"{kind}RequestsPerMinutePerProject",
            quota_limit_value=str(limit),
            quota_location="global",
            quota_unit="1/min/{project}",
        ),
        help_link("Request a higher quota limit.", "https://cloud.google.com/docs/quotas/help/request_increase"),
        retry_info(wait),
    )
