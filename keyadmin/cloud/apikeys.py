"""API Keys API v2: keys in and out as keyadmin's own values.

Over REST what involves `serviceAccountEmail` or `checkExistingUsage`, which the published protobuf does not have;
GetKeyString, LookupKey and UndeleteKey through Google's gRPC client.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from keyadmin.cloud.calls import Operation, finished
from keyadmin.cloud.endpoints import API_KEYS_GRPC, APIKEYS, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.cloud.sandbox_key_guard import check_marker
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.key_codec import key_from_json, restrictions_to_json
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.channels import GrpcTransport

UsageCheck = Literal["CHECK", "SKIP"]

UNRESTRICTED: Final = Restrictions()
PAGE: Final = 300  # the limit of keys a project, so one page as a rule
_NAME: Final = re.compile(r"projects/[^/?#]+/locations/global/keys/[^/?#]+")
_CAMEL: Final = re.compile(r"_([a-z])")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Whose key a key string is. `name` is None once the key was purged."""

    parent: str
    name: str | None


class Keys:
    """Keys of any project the caller may see. All methods raise Problem."""

    def __init__(self, rest: RestTransport, grpc: Callable[[], GrpcTransport], *, sandbox: bool) -> None:
        self._rest = rest
        self._grpc = grpc
        self._sandbox = sandbox
        self._ids: dict[str, str] = {}  # project number -> the id by which it was asked for

    async def create(
        self,
        project: str,
        key_id: str,
        *,
        display_name: str,
        restrictions: Restrictions = UNRESTRICTED,
        annotations: Mapping[str, str] | None = None,
        service_account_email: str | None = None,
    ) -> Key:
        """A new key, with its key string.

        The id is chosen beforehand, so that a repeat cannot make a second key: where the answer to the first try was
        lost, the key that it made is handed back (without its key string if the caller may not read that).
        """
        wanted = _wanted(project, key_id, display_name, restrictions, annotations, service_account_email)
        return await self._made(await self._start(wanted), wanted)

    async def start_create(
        self,
        project: str,
        key_id: str,
        *,
        display_name: str,
        restrictions: Restrictions = UNRESTRICTED,
        annotations: Mapping[str, str] | None = None,
        service_account_email: str | None = None,
    ) -> str:
        """As `create`, without waiting: the operation's name. Empty where a lost first try had made the key already."""
        wanted = _wanted(project, key_id, display_name, restrictions, annotations, service_account_email)
        return str((await self._start(wanted))["name"])

    async def _start(self, wanted: Key) -> Json:
        body: Json = {"displayName": wanted.display_name, "restrictions": restrictions_to_json(wanted.restrictions)}
        if wanted.annotations:
            body["annotations"] = dict(wanted.annotations)
        if wanted.service_account_email:
            body["serviceAccountEmail"] = wanted.service_account_email

        async def on_repeat(problem: Problem) -> Json | None:
            return await self._made_before(problem, wanted)

        return await self._rest.call(
            ApiCall(APIKEYS, "CreateKey", wanted.project, write=True),
            "POST",
            f"/v2/{_parent(wanted.project)}/keys",
            params={"keyId": wanted.key_id},
            body=body,
            on_repeat=on_repeat,
        )

    async def _made_before(self, problem: Problem, wanted: Key) -> Json | None:
        """After a lost answer the id is taken: by our own first try, if the key there is what was asked for."""
        if problem.cause is not Cause.ALREADY_EXISTS:
            return None
        problem.notes.append("an earlier try got no answer; it may be what made this key")
        try:
            found = await self.get(wanted.name)
        except Problem:
            return None  # what cannot be read cannot be taken for ours: the refusal stands, with its note
        if found.delete_time is not None or not _agrees(found, wanted):
            return None
        return {"name": "", "done": True, "found": found}

    async def _made(self, operation: Json, wanted: Key) -> Key:
        if "found" not in operation:
            call = ApiCall(APIKEYS, "CreateKey", wanted.project)
            return self._key(await finished(_operation(operation), self._poll(call), call), wanted.project)
        found: Key = operation["found"]
        try:
            return replace(found, key_string=await self.key_string(wanted.name))
        except Problem as problem:
            if problem.cause is not Cause.MISSING_IAM_PERMISSION:
                raise
            return found

    async def get(self, name: str) -> Key:
        """The key, deleted ones included; without its key string."""
        # unsourced: that GetKey answers for a soft-deleted key; where it does not, a repeated delete's refusal stands.
        project = _project(name)
        data = await self._rest.call(ApiCall(APIKEYS, "GetKey", project), "GET", f"/v2/{_quoted(name)}")
        return self._key(data, project)

    async def list(self, project: str, *, deleted: bool = False) -> AsyncIterator[Key]:
        """The project's keys; `deleted` adds those deleted in the last 30 days."""
        call = ApiCall(APIKEYS, "ListKeys", project)

        params = {"pageSize": str(PAGE), **({"showDeleted": "true"} if deleted else {})}
        path = f"/v2/{_parent(project)}/keys"
        async for key in self._rest.pages(call, path, "keys", lambda data: self._key(data, project), params):
            yield key

    async def update(
        self,
        name: str,
        mask: Collection[str],
        changes: Key,
        etag: str | None = None,
        usage_check: UsageCheck | None = None,
    ) -> Key:
        """Set what `mask` names (display_name, restrictions, annotations, or sub-paths) to what `changes` has; unset = cleared.

        With `etag` a key changed since is refused (conflict). Where the answer to a first try was lost and the key has
        the wanted values, that is success.
        """
        return await self._changed("UpdateKey", name, await self._update(name, mask, changes, etag, usage_check))

    async def start_update(
        self,
        name: str,
        mask: Collection[str],
        changes: Key,
        etag: str | None = None,
        usage_check: UsageCheck | None = None,
    ) -> str:
        """As `update`, without waiting: the operation's name. Empty where a lost first try had done it already."""
        return str((await self._update(name, mask, changes, etag, usage_check)).get("name", ""))

    async def _update(
        self, name: str, mask: Collection[str], changes: Key, etag: str | None, usage_check: UsageCheck | None
    ) -> Json:
        body: Json = {"displayName": changes.display_name} if changes.display_name else {}
        if changes.annotations:
            body["annotations"] = dict(changes.annotations)
        if restrictions := restrictions_to_json(changes.restrictions):
            body["restrictions"] = restrictions
        if etag:
            body["etag"] = etag
        params = {"updateMask": ",".join(_camel(path) for path in sorted(mask))} | _usage(usage_check)

        async def on_repeat(_: Problem) -> Json | None:
            found = await self._unless_refused(name)
            tops = {path.partition(".")[0] for path in mask}
            if found is not None and all(getattr(found, top) == getattr(changes, top) for top in tops):
                return {"found": found}
            return None

        call = ApiCall(APIKEYS, "UpdateKey", _project(name), write=True)
        return await self._rest.call(call, "PATCH", f"/v2/{_quoted(name)}", params=params, body=body, on_repeat=on_repeat)

    async def delete(self, name: str, etag: str | None = None, usage_check: UsageCheck | None = None) -> Key:
        """Delete the key; it can be brought back for 30 days. The answer's key string is dropped."""
        return await self._changed("DeleteKey", name, await self._delete(name, etag, usage_check))

    async def start_delete(self, name: str, etag: str | None = None, usage_check: UsageCheck | None = None) -> str:
        """As `delete`, without waiting: the operation's name. Empty where a lost first try had done it already."""
        return str((await self._delete(name, etag, usage_check)).get("name", ""))

    async def _delete(self, name: str, etag: str | None, usage_check: UsageCheck | None) -> Json:
        params = ({"etag": etag} if etag else {}) | _usage(usage_check)

        async def on_repeat(_: Problem) -> Json | None:
            found = await self._unless_refused(name)
            return {"found": found} if found is not None and found.delete_time is not None else None

        call = ApiCall(APIKEYS, "DeleteKey", _project(name), write=True)
        return await self._rest.call(call, "DELETE", f"/v2/{_quoted(name)}", params=params, on_repeat=on_repeat)

    async def undelete(self, name: str) -> Key:
        """Bring a deleted key back. Its operation is polled over REST: the protobuf lacks the service account."""
        operation = await self.start_undelete(name)
        return await self._changed("UndeleteKey", name, {"name": operation}) if operation else await self.get(name)

    async def start_undelete(self, name: str) -> str:
        """As `undelete`, without waiting: the operation's name. Empty where a lost first try had done it already."""

        async def on_repeat(_: Problem) -> Any | None:
            found = await self._unless_refused(name)
            return found if found is not None and found.delete_time is None else None

        answer = await self._grpc().call(
            API_KEYS_GRPC, "undelete_key", {"name": name}, project=_project(name), write=True, on_repeat=on_repeat
        )
        return "" if isinstance(answer, Key) else str(answer.operation.name)

    async def key_string(self, name: str) -> KeyString:
        """The secret itself."""
        answer = await self._grpc().call(API_KEYS_GRPC, "get_key_string", {"name": name}, project=_project(name))
        return KeyString(answer.key_string)

    async def lookup(self, key: KeyString) -> Lookup:
        """Which key a key string belongs to. The marker rule holds: sandbox keys for sandboxes only, and no others."""
        check_marker(key, sandbox=self._sandbox)
        answer = await self._grpc().call(API_KEYS_GRPC, "lookup_key", {"key_string": key.reveal()})
        return Lookup(answer.parent, answer.name or None)

    async def _changed(self, method: str, name: str, operation: Json) -> Key:
        if "found" in operation:
            found: Key = operation["found"]
            return found
        call = ApiCall(APIKEYS, method, _project(name))
        data = await finished(_operation(operation), self._poll(call), call)
        return replace(self._key(data, _project(name)), key_string=None)

    def _key(self, data: Json, asked: str) -> Key:
        """Names come back with the project's number; the id, once it was used, is kept in `Key.project`."""
        number = str(data.get("name", "")).removeprefix("projects/").partition("/")[0]
        if asked != number:
            self._ids[number] = asked
        return key_from_json(data, self._ids.get(number, asked))

    async def _unless_refused(self, name: str) -> Key | None:
        """The key as it is now; None where it cannot be read, so that the first refusal stands."""
        try:
            return await self.get(name)
        except Problem:
            return None

    def _poll(self, call: ApiCall) -> Any:
        async def poll(name: str) -> Operation:
            reading = ApiCall(APIKEYS, "GetOperation", call.project)
            return _operation(await self._rest.call(reading, "GET", f"/v2/{_quoted(name)}"))

        return poll


def _operation(data: Json) -> Operation:
    return Operation(str(data.get("name", "")), bool(data.get("done")), data.get("error"), data.get("response", {}))


def _wanted(
    project: str,
    key_id: str,
    display_name: str,
    restrictions: Restrictions,
    annotations: Mapping[str, str] | None,
    service_account_email: str | None,
) -> Key:
    """The key that is asked for, as far as the caller chooses it."""
    return Key(
        f"{_parent(project)}/keys/{key_id}",
        display_name=display_name,
        project=project,
        restrictions=restrictions,
        annotations=dict(annotations or {}),
        service_account_email=service_account_email,
    )


def _agrees(found: Key, wanted: Key) -> bool:
    """Whether a key that is there is the one that was asked for."""
    return (
        found.display_name == wanted.display_name
        and found.annotations == wanted.annotations
        and _plain(found.restrictions) == _plain(wanted.restrictions)
        and found.service_account_email == wanted.service_account_email
    )


def _plain(restrictions: Restrictions) -> Restrictions:
    """Without the difference between an empty kind and an absent one, which a service may not keep."""
    return replace(
        restrictions,
        referrers=restrictions.referrers or None,
        ips=restrictions.ips or None,
        android=restrictions.android or None,
        ios=restrictions.ios or None,
    )


def _usage(check: UsageCheck | None) -> dict[str, str]:
    return {"checkExistingUsage": check} if check else {}


def _camel(path: str) -> str:
    return _CAMEL.sub(lambda found: found.group(1).upper(), path)


def _parent(project: str) -> str:
    return f"projects/{quote(project, safe=':')}/locations/global"


def _project(name: str) -> str:
    """The project by which a key is asked for."""
    if not _NAME.fullmatch(name):
        raise Problem(Cause.INVALID_ARGUMENT, f"{name!r} is not a key's full name (projects/P/locations/global/keys/ID)")
    return name.split("/")[1]


def _quoted(name: str) -> str:
    return quote(name, safe="/:")
