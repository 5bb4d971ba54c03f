"""Cloud Logging: who made a key, by the audit log of Admin Activity, which is always on and kept for 400 days.

The log names a key in the last entry of its operation alone (`protoPayload.response.name`); `resourceName` is the project.
Source: https://docs.cloud.google.com/api-keys/docs/audit-logging, and a recorded entry in Panther's public rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from keyadmin.cloud.calls import ListPage, pages
from keyadmin.cloud.endpoints import LOGGING, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.model.key_codec import format_time, parse_time

if TYPE_CHECKING:
    from keyadmin.cloud.policy_log import PolicyLogEntry

KEPT: Final = timedelta(days=400)  # of the bucket _Required (Cloud Logging, quotas and limits)
PERMISSION: Final = "logging.logEntries.list"
MOST_PROJECTS: Final = 100  # resources that a request may name (discovery document, ListLogEntriesRequest)
MOST_KEYS: Final = 50  # names in a filter, which may have 20,000 characters
_PAGE: Final = 1_000
_AROUND: Final = timedelta(hours=1)  # an operation's last entry follows the key's creation within seconds
_SERVICE: Final = "google.api.apikeys.v2.ApiKeys"
_MAKING: Final = ("CreateKey", "CloneKey")


@dataclass(frozen=True, slots=True)
class KeyCreation:
    """Who made a key (full name), and when, by the log. `who` = an e-mail address, else a principal's subject."""

    key: str
    who: str
    at: datetime | None


class AuditLogs:
    """The audit log of projects, over REST: one method, for which Google's client would be a large package. Raises Problem."""

    def __init__(self, rest: RestTransport) -> None:
        self._rest = rest

    async def creations(self, projects: Sequence[str], keys: Mapping[str, datetime | None]) -> dict[str, KeyCreation]:
        """Who made these keys (full name -> creation time, which narrows the search): those that the log knows, by name.

        `projects` = where to look, at most `MOST_PROJECTS`.
        """
        call = ApiCall(LOGGING, "ListLogEntries", projects[0] if len(projects) == 1 else None)
        body = {
            "resourceNames": [f"projects/{project}" for project in projects],
            "filter": _filter(list(keys), [at for at in keys.values() if at is not None]),
            "orderBy": "timestamp asc",
            "pageSize": _PAGE,
        }

        async def fetch(token: str) -> ListPage[KeyCreation | None]:
            asked: Json = body | ({"pageToken": token} if token else {})
            data = await self._rest.call(call, "POST", "/v2/entries:list", body=asked)
            return ListPage([_creation(entry) for entry in data.get("entries", ())], data.get("nextPageToken", ""))

        found = [each async for each in pages(fetch)]
        return {each.key: each for each in found if each is not None}

    async def refusals(self, projects: Sequence[str], since: datetime) -> list[PolicyLogEntry]:
        """What organisation policies refused there since then, the newest first; at most `MOST_PROJECTS`."""
        from keyadmin.cloud import policy_log

        return await policy_log.refusals(self._rest, projects, since)


def _filter(keys: Collection[str], times: Collection[datetime]) -> str:
    """In the Logging query language. Names of keys are the API's own; none of them holds a quotation mark."""
    methods = " OR ".join(f'protoPayload.methodName="{_SERVICE}.{method}"' for method in _MAKING)
    names = " OR ".join(f'protoPayload.response.name="{key}"' for key in keys)
    around: tuple[str, ...] = ()
    if len(times) == len(keys):
        around = (f'timestamp>="{format_time(min(times) - _AROUND)}"', f'timestamp<="{format_time(max(times) + _AROUND)}"')
    return " AND ".join(('log_id("cloudaudit.googleapis.com/activity")', f"({methods})", f"({names})", *around))


def _creation(entry: Mapping[str, Any]) -> KeyCreation | None:
    payload = entry.get("protoPayload", {})
    caller = payload.get("authenticationInfo", {})
    key = payload.get("response", {}).get("name")
    who = caller.get("principalEmail") or caller.get("principalSubject")
    if not isinstance(key, str) or not isinstance(who, str) or not who:
        return None
    return KeyCreation(key, who, parse_time(entry.get("timestamp")))
