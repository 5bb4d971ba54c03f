"""The sink `kubernetes`: one entry of a Secret, by server-side apply.

Server-side apply (kubernetes.io, "Server-Side Apply") keeps entries and managers of others apart: what another manager owns
is a conflict, never overwritten. An apply takes away what the same manager applied before and leaves out now, so the entries
that keyadmin owns already are sent along. `stringData` is not used: what it writes is tracked for nobody (kubernetes #118519).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from keyadmin.handover.http import HttpAnswer, HttpSession, refused
from keyadmin.handover.kubernetes import config
from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkNeeds, SinkSpec
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

MANAGER: Final = "keyadmin"
DEFAULT_ENTRY: Final = "GEMINI_API_KEY"
_APPLY: Final = "application/apply-patch+yaml"  # takes JSON, which is YAML
_RESTARTED: Final = "keyadmin-restarted-for"
_KINDS: Final = {"deployment": "deployments", "statefulset": "statefulsets", "daemonset": "daemonsets"}
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_TRIES: Final = 4  # of a write that others' writes overtake
_WRITTEN: Final = "kubernetes:[CONTEXT/]NAMESPACE/SECRET[:KEY][?restart=deployment/NAME]"


@dataclass(frozen=True)
class SecretEntry:
    """An entry of a Secret. `context` empty = the pod's own cluster; `restart` = (kind, name) of what reads it."""

    context: str
    namespace: str
    secret: str
    entry: str
    restart: tuple[str, str] | None = None

    def written(self) -> str:
        """As it stands behind the colon."""
        context = f"{self.context}/" if self.context else ""
        restart = f"?restart={'/'.join(self.restart)}" if self.restart else ""
        return f"{context}{self.namespace}/{self.secret}:{self.entry}{restart}"


def parse(value: str) -> SecretEntry:
    """Read from the right: contexts may hold `/` and `:`, as EKS's do. Raises usage()."""
    rest, _, query = value.partition("?restart=") if "?restart=" in value else (value, "", "")
    head, slash, last = rest.rpartition("/")
    secret, _, entry = last.partition(":")
    context, _, namespace = head.rpartition("/")
    entry = entry or DEFAULT_ENTRY
    if not slash or not re.fullmatch(_LABEL, namespace) or not re.fullmatch(_SUBDOMAIN, secret) or len(secret) > 253:
        raise usage(f"invalid sink 'kubernetes:{value}': write {_WRITTEN}")
    if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", entry):
        raise usage(f"invalid entry {entry!r} of a Secret: use letters, digits and - _ . only")
    return SecretEntry(context, namespace, secret, entry, _restart(value, query))


def _restart(value: str, query: str) -> tuple[str, str] | None:
    if not query:
        return None
    kind, _, name = query.partition("/")
    if kind not in _KINDS or not re.fullmatch(_SUBDOMAIN, name):
        raise usage(f"invalid restart in 'kubernetes:{value}': write ?restart={'|'.join(_KINDS)}/NAME")
    return kind, name


class KubernetesSink(Sink):
    """Writes the entry and nothing else of the Secret, and makes the Secret if there is none."""

    kind = "kubernetes"
    pattern = _WRITTEN
    reads_back: ClassVar[str] = "yes"
    old_versions: ClassVar[str] = "replaced; pods that read the Secret as variables keep the old key until they restart"
    beware: ClassVar[str] = (
        "pods that read the Secret as variables keep the old key until they restart: ?restart=deployment/NAME"
    )
    tested_against: ClassVar[str] = "a server of the tests, held to Kubernetes' documents; no real cluster yet"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._place = parse(spec.value)
        where = f" of the context {self._place.context}" if self._place.context else ""
        self._name = f"the Secret {self._place.namespace}/{self._place.secret}{where}"

    @classmethod
    def parse(cls, value: str) -> str:
        """The entry, with the context of the kubeconfig taken once where none is named and this is not a pod."""
        found = parse(value)
        if not found.context and not config.in_cluster():
            found = SecretEntry(config.current_context(), *(found.namespace, found.secret, found.entry, found.restart))
        return found.written()

    @classmethod
    def place(cls, value: str) -> str | None:
        """The entry; what is restarted does not count."""
        found = parse(value)
        return f"kubernetes:{found.context}/{found.namespace}/{found.secret}:{found.entry}"

    @classmethod
    def needs(cls, value: str) -> SinkNeeds:
        """Verbs of Kubernetes' RBAC."""
        words = ["Kubernetes RBAC in the namespace: get, create and patch secrets"]
        if "?restart=" in value:
            words.append("Kubernetes RBAC in the namespace: get and patch what is restarted (apps)")
        return SinkNeeds(words=tuple(words))

    async def preflight(self) -> None:
        """The Secret can be read and may be written by kind. Raises Problem."""
        async with HttpSession(await config.target(self._place.context)) as session:
            await self._secret(session)

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Apply the entry. Raises Problem: no permission, another manager's entry, an immutable Secret."""
        async with HttpSession(await config.target(self._place.context)) as session:
            changed, version = await self._apply(session, base64.b64encode(key.reveal().encode()).decode())
            restarted = await self._restart(session, version)
        said = f"applied to {self._name} as {self._place.entry}" if changed else f"{self._name} has it already"
        return Delivery(changed or bool(restarted), said + restarted)

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the entry is this key."""
        async with HttpSession(await config.target(self._place.context)) as session:
            secret = await self._secret(session)
        found = (secret or {}).get("data", {}).get(self._place.entry)
        return bool(found == base64.b64encode(key.reveal().encode()).decode())

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self._place.namespace}/secrets/{self._place.secret}"

    async def _secret(self, session: HttpSession) -> Mapping[str, Any] | None:
        """The Secret as it is, None where there is none. Raises Problem for one that must not be written."""
        answer = await session.call("GET", self._path)
        if answer.status == 404 and answer.data is not None:
            return None
        if not answer.ok or not isinstance(answer.data, dict):
            raise self._refused(answer, f"{self._name} cannot be read", "get")
        secret: dict[str, Any] = answer.data
        if secret.get("immutable"):
            raise Problem(
                Cause.CONFLICT,
                f"{self._name} is immutable: Kubernetes lets nobody change it",
                fix=("name another Secret, or delete this one and let keyadmin create it again",),
            )
        if secret.get("type", "Opaque") != "Opaque":
            raise Problem(
                Cause.INVALID_ARGUMENT,
                f"{self._name} has the type {secret['type']}, whose entries mean something to Kubernetes",
                fix=("name a Secret of type Opaque",),
            )
        return secret

    async def _apply(self, session: HttpSession, encoded: str) -> tuple[bool, str]:
        """Whether the entry was written, and the Secret's version."""
        for attempt in range(_TRIES):
            secret = await self._secret(session)
            data = (secret or {}).get("data") or {}
            if secret is not None and data.get(self._place.entry) == encoded:
                return False, str(secret["metadata"]["resourceVersion"])
            answer = await session.call("PATCH", self._applying(), self._wanted(secret, encoded), content_type=_APPLY)
            if answer.ok and isinstance(answer.data, dict):
                return True, str(answer.data["metadata"]["resourceVersion"])
            if answer.status == 409 and not _managers(answer) and attempt + 1 < _TRIES:
                continue  # somebody else changed the Secret after it was read
            if answer.status == 409:
                raise self._conflict(answer)
            raise self._refused(answer, f"{self._name} was not written", "patch")
        raise AssertionError("the last attempt returns or raises")

    def _applying(self) -> str:
        return f"{self._path}?fieldManager={MANAGER}&force=false"

    def _wanted(self, secret: Mapping[str, Any] | None, encoded: str) -> dict[str, Any]:
        metadata: dict[str, Any] = {"name": self._place.secret, "namespace": self._place.namespace}
        mine: dict[str, str] = {}
        if secret is not None:
            metadata["resourceVersion"] = secret["metadata"]["resourceVersion"]
            data = secret.get("data") or {}
            mine = {name: data[name] for name in _owned(secret) if name in data}
        entries = mine | {self._place.entry: encoded}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": entries}

    async def _restart(self, session: HttpSession, version: str) -> str:
        """Roll the workload out anew, once for each version of the Secret; words where that was done."""
        if self._place.restart is None:
            return ""
        kind, name = self._place.restart
        path = f"/apis/apps/v1/namespaces/{self._place.namespace}/{_KINDS[kind]}/{name}"
        answer = await session.call("GET", path)
        if not answer.ok or not isinstance(answer.data, dict):
            raise self._refused(answer, f"the key is in {self._name}, but {kind} {name} cannot be read", "get", _KINDS[kind])
        template = answer.data.get("spec", {}).get("template", {}).get("metadata", {})
        if (template.get("annotations") or {}).get(_RESTARTED) == version:
            return ""
        notes = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat(timespec="seconds"), _RESTARTED: version}
        patch = {"spec": {"template": {"metadata": {"annotations": notes}}}}
        answer = await session.call("PATCH", path, patch, content_type="application/merge-patch+json")
        if not answer.ok:
            what = f"the key is in {self._name}, but {kind} {name} was not restarted"
            raise self._refused(answer, what, "patch", _KINDS[kind])
        return f"; {kind} {name} restarts"

    def _conflict(self, answer: HttpAnswer) -> Problem:
        managers = " and ".join(_managers(answer)) or "another writer"
        return Problem(
            Cause.CONFLICT,
            f"{self._name}: the entry {self._place.entry} belongs to {managers}, and keyadmin does not take it over",
            fix=(
                f"hand the key to what {managers} reads from, or name another entry: kubernetes:{self._place.namespace}/"
                f"{self._place.secret}:OTHER_NAME",
            ),
        )

    def _refused(self, answer: HttpAnswer, what: str, verb: str, resource: str = "secrets") -> Problem:
        said = str(answer.data.get("message", "")) if isinstance(answer.data, dict) else ""
        fix: tuple[str, ...] = ()
        if answer.status == 401:
            fix = ("see whether kubectl works there: kubectl auth whoami",)
        elif answer.status == 403:
            fix = (
                f"a cluster admin allows it: kubectl create role keyadmin --verb=get,create,patch --resource={resource} "
                f"-n {self._place.namespace}",
                f"see: kubectl auth can-i {verb} {resource} -n {self._place.namespace}",
            )
        elif answer.status == 404:
            fix = (f"make it first: kubectl create namespace {self._place.namespace}, or name an existing one",)
        elif answer.status >= 500:
            fix = ("run again when the cluster answers",)
        return refused("Kubernetes", answer, what, said, *fix)


def _owned(secret: Mapping[str, Any]) -> list[str]:
    """The entries that keyadmin applied before, by the Secret's managed fields."""
    out: list[str] = []
    for each in secret["metadata"].get("managedFields") or ():
        if each.get("manager") == MANAGER and each.get("operation") == "Apply":
            fields = (each.get("fieldsV1") or {}).get("f:data") or {}
            out += [name.removeprefix("f:") for name in fields if name.startswith("f:")]
    return out


def _managers(answer: HttpAnswer) -> list[str]:
    """Who owns what an apply wants to change; empty where a 409 is about the version alone."""
    causes = ((answer.data or {}).get("details") or {}).get("causes") or [] if isinstance(answer.data, dict) else []
    said = (str(each.get("message")) for each in causes if each.get("reason") == "FieldManagerConflict")
    found = (re.search(r'conflict with "([^"]+)"', text) for text in said)
    return list(dict.fromkeys(match[1] for match in found if match))
