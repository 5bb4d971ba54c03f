"""Refusals by organisation policy in Google's form, and what a dry run writes into the policy log instead."""

from __future__ import annotations

import json
from typing import Any, Final

from keyadmin.sandbox.messages.status import Code, RpcError, error_info, failed_precondition

Json = dict[str, Any]


def violated(resource: str, service: str, found: dict[str, str]) -> RpcError:
    """400 FAILED_PRECONDITION of managed and custom constraints: description by constraint (`customConstraints/custom.X`).

    The form is that of other services and of managed constraints; for keys nobody has shown it yet.
    """
    listed = ", ".join(f"{json.dumps(name)}: {json.dumps(description)}" for name, description in found.items())
    names = ",".join(found)
    return failed_precondition(
        f"Operation denied by org policy on resource '{resource}': [{listed}]",
        error_info(
            "CUSTOM_ORG_POLICY_VIOLATION", "googleapis.com", service=service, customConstraints=names, resource=resource
        ),
    )


# Services of the list "Restricting resource usage" whose APIs are here; Resource Manager, IAM, Service Usage and Organization
# Policy are not on it. unsourced: whether the Gemini API is (https://docs.cloud.google.com/resource-manager/docs/organization-policy/
# restricting-resources-supported-services could not be read to that line).
RESTRICTABLE: Final = frozenset(
    f"{name}.googleapis.com" for name in ("apikeys", "secretmanager", "monitoring", "logging", "aiplatform", "discoveryengine")
)


def service_restricted(project: str, service: str) -> RpcError:
    """403 of a call to a service that `gcp.restrictServiceUsage` denies to a project (canonical name)."""
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Request is disallowed by organization's constraints/gcp.restrictServiceUsage constraint for '{project}' attempting "
        f"to use service '{service}'.",
        error_info("RESOURCE_USAGE_RESTRICTION_VIOLATED", "googleapis.com", consumer=project, service=service),
    )


def dry_run_entry(method: str, service: str, principal: str, resource: str, kind: str, found: dict[str, str]) -> Json:
    """The protoPayload of what a dry run would have refused (google.cloud.audit.AuditLog)."""
    return {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": service,
        "methodName": method,
        "resourceName": resource,
        "authenticationInfo": {"principalEmail": principal},
        "metadata": {
            "@type": "type.googleapis.com/google.cloud.audit.OrgPolicyDryRunAuditMetadata",
            "dryRunResult": "DENIED",
            "liveResult": "ALLOWED",
        },
        "policyViolationInfo": {
            "orgPolicyViolationInfo": {
                "resourceType": kind,
                "violationInfo": [
                    {"constraint": name, "errorMessage": description, "policyType": "CUSTOM_CONSTRAINT"}
                    for name, description in found.items()
                ],
            }
        },
    }
