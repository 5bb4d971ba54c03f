"""Cloud Logging: what organisation policies refused, or would have refused in a dry run, by the policy log of each project.

Entries: AuditLog with `policyViolationInfo.orgPolicyViolationInfo` (googleapis, google/cloud/audit); of a dry run
`metadata.dryRunResult` is DENIED while `liveResult` is ALLOWED.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keyadmin.cloud.calls import ListPage, pages
from keyadmin.cloud.endpoints import LOGGING, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.model.key_codec import format_time, parse_time

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class PolicyLogEntry:
    """One refusal by one constraint. `dry_run` = it would have been one. `resource` = what it was about, as logged."""

    at: datetime | None
    constraint: str  # custom.X, iam.managed.Y
    method: str
    resource: str
    who: str
    dry_run: bool
    message: str = ""


async def refusals(rest: RestTransport, projects: Sequence[str], since: datetime) -> list[PolicyLogEntry]:
    """What was refused in these projects (at most 100) since then, the newest first. Raises Problem."""
    call = ApiCall(LOGGING, "ListLogEntries", projects[0] if len(projects) == 1 else None)
    body = {
        "resourceNames": [f"projects/{project}" for project in projects],
        "filter": f'log_id("cloudaudit.googleapis.com/policy") AND timestamp>="{format_time(since)}"',
        "orderBy": "timestamp desc",
        "pageSize": _PAGE,
    }

    async def fetch(token: str) -> ListPage[PolicyLogEntry]:
        asked: Json = body | ({"pageToken": token} if token else {})
        data = await rest.call(call, "POST", "/v2/entries:list", body=asked)
        found = [each for entry in data.get("entries", ()) for each in _refusals(entry)]
        return ListPage(found, data.get("nextPageToken", ""))

    return [each async for each in pages(fetch)]


def _refusals(entry: Mapping[str, Any]) -> Iterator[PolicyLogEntry]:
    payload = entry.get("protoPayload", {})
    metadata = payload.get("metadata", {})
    violations = payload.get("policyViolationInfo", {}).get("orgPolicyViolationInfo", {}).get("violationInfo", ())
    for violation in violations:
        yield PolicyLogEntry(
            parse_time(entry.get("timestamp")),
            str(violation.get("constraint", "")).rpartition("/")[2],
            str(payload.get("methodName", "")).rpartition(".")[2],
            str(payload.get("resourceName", "")),
            str(payload.get("authenticationInfo", {}).get("principalEmail", "")),
            metadata.get("dryRunResult") == "DENIED" and metadata.get("liveResult") == "ALLOWED",
            str(violation.get("errorMessage", "")),
        )
