"""How Service Usage refuses: a code in the PreconditionFailure's subject, a reason, and a help token in the message.

Recorded in public threads of 2022 to 2026.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from keyadmin.data import services
from keyadmin.sandbox.messages.status import Code, RpcError, error_info

DOMAIN = "serviceusage.googleapis.com"


def _error(code: Code, message: str, subject: str, reason: str, *details: dict[str, Any], **metadata: str) -> RpcError:
    # The token is opaque; the same refusal gets the same one here, through whichever transport.
    token = base64.urlsafe_b64encode(hashlib.sha512(message.encode()).digest()).decode().rstrip("=")
    return RpcError(
        code,
        f"{message}\nHelp Token: A{token}",
        {
            "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
            "violations": [{"type": "googleapis.com", "subject": subject}],
        },
        error_info(reason, DOMAIN, **metadata),
        *details,
    )


def denied(message: str, permission: str, project: str) -> RpcError:
    """403 AUTH_PERMISSION_DENIED; `project` as the caller wrote it, without `projects/`."""
    return _error(
        Code.PERMISSION_DENIED,
        message,
        f"?error_code=110002&service={DOMAIN}&permission={permission}&resource={project}",
        "AUTH_PERMISSION_DENIED",
        permission=permission,
        resource=project,
        service=DOMAIN,
    )


def no_project(project: str) -> RpcError:
    """403 for a project that does not exist."""
    return _error(
        Code.PERMISSION_DENIED,
        f"Project '{project}' not found or permission denied.",
        f"?error_code=210002&type=Project&resource_id={project}",
        "RESOURCES_NOT_FOUND",
        type="Project",
        resource_id=project,
    )


def no_service(names: list[str]) -> RpcError:
    """403 for services that are not in the catalogue: Google's words, and beside them that the catalogue lacks them."""
    text = ",".join(names)
    mark = {
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        "locale": "en-US",
        "message": f"Sandbox: not among the {len(services())} services of its catalogue: {text[:300]}. A seed can switch on "
        "what Google has beyond them.",
    }
    return _error(
        Code.PERMISSION_DENIED,
        f"Not found or permission denied for service(s): {text}.",
        "?error_code=220002" + "".join(f"&services={name}" for name in names),
        "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
        mark,
        services=text,
    )


def needed_by(service: str, dependents: list[str]) -> RpcError:
    """400: enabled services need this one."""
    text = ",".join(dependents)
    return _error(
        Code.FAILED_PRECONDITION,
        f"The service {service} is depended on by the following active service(s): {text}; Please specify "
        "disable_dependent_services=true if you want to proceed with disabling all services.",
        f"?error_code=100001&service_name={service}" + "".join(f"&services={name}" for name in dependents),
        "COMMON_SU_SERVICE_HAS_DEPENDENT_SERVICES",
        service_name=service,
        services=text,
    )


def in_use(service: str) -> RpcError:
    """400: the service was used in the last 30 days."""
    return _error(
        Code.FAILED_PRECONDITION,
        f"The service {service} has usage in the last 30 days. Please specify check_if_service_has_usage=SKIP if you want "
        "to proceed with disabling the service.",
        f"?error_code=100002&service_name={service}",
        "COMMON_SU_SERVICE_HAS_USAGE",
        service_name=service,
    )


def no_names() -> RpcError:
    """400: a batch of nothing."""
    # unsourced: the wording and the code's number; the reason is known
    return _error(Code.INVALID_ARGUMENT, "At least one service must be named.", "?error_code=300001", "SU_MISSING_NAMES")
