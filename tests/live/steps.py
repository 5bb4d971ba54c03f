"""The calls that a live round makes by itself, to record what Google answers to them over REST."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

GEMINI: Final = "generativelanguage.googleapis.com"
NEEDED: Final = (GEMINI, "apikeys.googleapis.com", "iam.googleapis.com")
ACCOUNT: Final = "keyadmin-live"

# What stands in the plan, in the order in which it is done.
PLAN: Final = (
    ("read the project, the APIs that are on in it, and which of five permissions you hold", "nothing changes"),
    ("make the service account keyadmin-live, read it, delete it", "one service account, gone at the end"),
    ("create an auth key for the Gemini API alone, read it, rename it, list keys, delete it", "one key, gone at the end"),
    ("ask the Gemini API for one model with that key", "one call, free of charge"),
    ("ask for what is not there, and with wrong values, to see Google's errors", "nothing changes"),
)

Send = Callable[..., Awaitable[tuple[int, Any]]]


@dataclass
class Step:
    """One call and its answer, unmasked. `key` = it carried a key string."""

    host: str
    method: str
    path: str
    body: Any
    status: int = 0
    reply: Any = None
    key: bool = False


@dataclass
class Recorder:
    """Makes the calls through `send(host, method, path, body, key)` and keeps them."""

    send: Send
    project: str
    steps: list[Step] = field(default_factory=list)

    async def call(self, host: str, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        """One call."""
        step = Step(host.partition(".")[0], method, path, body, key=key is not None)
        step.status, step.reply = await self.send(host, method, path, body, key)
        self.steps.append(step)
        return step.status, step.reply

    async def finished(self, operation: Any) -> Any:
        """Poll an operation of the API Keys API until it is done; its response."""
        for _ in range(60):
            if not isinstance(operation, dict) or operation.get("done") or "name" not in operation:
                break
            _, operation = await self.call("apikeys.googleapis.com", "GET", f"/v2/{operation['name']}")
            if not operation.get("done"):
                await asyncio.sleep(1.0)
        return operation.get("response", {}) if isinstance(operation, dict) else {}


async def play(recorder: Recorder) -> None:
    """The whole round. What it makes it deletes, whatever happens in between."""
    await _look(recorder)
    made = await _account(recorder)
    try:
        await _key(recorder)
    finally:
        if made:
            name = f"{ACCOUNT}@{recorder.project}.iam.gserviceaccount.com"
            await recorder.call("iam.googleapis.com", "DELETE", f"/v1/projects/{recorder.project}/serviceAccounts/{name}")


async def _look(recorder: Recorder) -> None:
    project = recorder.project
    await recorder.call("cloudresourcemanager.googleapis.com", "GET", f"/v3/projects/{project}")
    await recorder.call("cloudresourcemanager.googleapis.com", "GET", "/v3/projects/keyadmin-live-no-such-project")
    five = ["apikeys.keys.create", "iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create"]
    five += ["resourcemanager.projects.get", "serviceusage.services.enable"]
    path = f"/v3/projects/{project}:testIamPermissions"
    await recorder.call("cloudresourcemanager.googleapis.com", "POST", path, {"permissions": five})
    await recorder.call("cloudresourcemanager.googleapis.com", "POST", path, {"permissions": ["resourcemanager.projects.list"]})
    names = "&".join(f"names=projects/{project}/services/{api}" for api in NEEDED)
    await recorder.call("serviceusage.googleapis.com", "GET", f"/v1/projects/{project}/services:batchGet?{names}")
    await recorder.call("serviceusage.googleapis.com", "GET", f"/v1/projects/{project}/services/no-such.googleapis.com")
    constraint = "iam.managed.disableServiceAccountApiKeyCreation"
    await recorder.call("orgpolicy.googleapis.com", "GET", f"/v2/projects/{project}/policies/{constraint}:getEffectivePolicy")


async def _account(recorder: Recorder) -> bool:
    base = f"/v1/projects/{recorder.project}/serviceAccounts"
    body = {"accountId": ACCOUNT, "serviceAccount": {"displayName": "keyadmin live round"}}
    await recorder.call("iam.googleapis.com", "GET", f"{base}/no-such@{recorder.project}.iam.gserviceaccount.com")
    status, _ = await recorder.call("iam.googleapis.com", "POST", base, body)
    await recorder.call("iam.googleapis.com", "POST", base, body)  # already there
    await recorder.call("iam.googleapis.com", "GET", f"{base}/{ACCOUNT}@{recorder.project}.iam.gserviceaccount.com")
    await recorder.call("iam.googleapis.com", "POST", base, {"accountId": "x"})  # too short
    return status == 200


async def _key(recorder: Recorder) -> None:
    host, base = "apikeys.googleapis.com", f"/v2/projects/{recorder.project}/locations/global/keys"
    key_id = f"keyadmin-live-{secrets.token_hex(4)}"
    body = {
        "displayName": key_id,
        "restrictions": {"apiTargets": [{"service": GEMINI}]},
        "serviceAccountEmail": f"{ACCOUNT}@{recorder.project}.iam.gserviceaccount.com",
    }
    await recorder.call(host, "POST", f"{base}?keyId=No_Such_Form", body)
    await recorder.call(host, "GET", f"{base}/keyadmin-live-no-such-key")
    status, operation = await recorder.call(host, "POST", f"{base}?keyId={key_id}", body)
    if status != 200:
        return
    try:
        await recorder.finished(operation)
        await recorder.call(host, "POST", f"{base}?keyId={key_id}", body)  # already there
        _, found = await recorder.call(host, "GET", f"{base}/{key_id}")
        _, secret = await recorder.call(host, "GET", f"{base}/{key_id}/keyString")
        if isinstance(secret, dict) and secret.get("keyString"):
            await recorder.call(GEMINI, "GET", "/v1beta/models?pageSize=1", key=secret["keyString"])
        renamed = {"displayName": f"{key_id}-2", "etag": found.get("etag") if isinstance(found, dict) else None}
        _, operation = await recorder.call(host, "PATCH", f"{base}/{key_id}?updateMask=displayName", renamed)
        await recorder.finished(operation)
        await recorder.call(host, "PATCH", f"{base}/{key_id}?updateMask=displayName", renamed)  # the etag is old now
        await recorder.call(host, "GET", f"{base}?pageSize=300")
    finally:
        _, operation = await recorder.call(host, "DELETE", f"{base}/{key_id}")
        await recorder.finished(operation)
        await recorder.call(host, "DELETE", f"{base}/{key_id}")  # deleted already


# --- masking and comparing -----------------------------------------------------------------------------------------------

_KEY: Final = re.compile(r"AIza[0-9A-Za-z_\-]{35}|\b[AI]Q\.[0-9A-Za-z_\-]{15,}")
_TOKEN: Final = re.compile(r"ya29\.[\w\-.]+|eyJ[\w\-]+\.[\w\-]+\.[\w\-]+")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}")
_LONG: Final = re.compile(r"\b\d{15,}\b")
_ABOVE: Final = re.compile(r"\b(organizations|folders|billingAccounts)/[\w\-]+")


class Masker:
    """Takes out what says who: project, number, addresses, key strings, tokens, organisations, long numbers."""

    def __init__(self, project: str, number: str) -> None:
        self._named = [(project, "${projectId}")] + ([(number, "${projectNumber}")] if number else [])
        self._addresses: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        """The same with masked strings."""
        if isinstance(value, dict):
            return {self(name): self(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self(each) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for pattern, mask in ((_KEY, "${keyString}"), (_TOKEN, "${token}")):
            text = pattern.sub(mask, text)
        for known, mask in self._named:
            text = re.sub(rf"(?<![\w$]){re.escape(known)}(?!\w)", mask.replace("\\", r"\\"), text)
        text = _ADDRESS.sub(lambda found: self._address(found.group()), text)
        return _LONG.sub("111111111111111111111", _ABOVE.sub(r"\1/${number}", text))

    def _address(self, address: str) -> str:
        if address.startswith(("keyadmin-", "no-such@")):
            return address
        return self._addresses.setdefault(address, f"m{len(self._addresses) + 1:03}@example.com")


def recording(steps: list[Step], masker: Masker, date: str) -> list[dict[str, Any]]:
    """In the format of the recordings that the sandbox is held to."""
    return [
        {
            "source": "keyadmin-live",
            "file": "the round of tests/live",
            "date": date,
            "steps": [
                {
                    "host": step.host,
                    "method": step.method,
                    "path": masker(step.path),
                    "body": masker(step.body),
                    "status": step.status,
                    "reply": masker(step.reply),
                    "qheaders": ["x-goog-api-key"] if step.key else ["authorization"],
                }
                for step in steps
            ],
        }
    ]


def shape(value: Any, name: str = "") -> Any:
    """What is compared: names and types; of errors the code, status, reason and domain as they are."""
    if isinstance(value, dict):
        return {each: shape(inner, each) for each, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0], name)] if value else []
    return value if name in ("code", "status", "reason", "domain", "@type", "done", "state") else type(value).__name__


def differences(recorded: list[Step], sandbox: list[Step]) -> list[str]:
    """Where the sandbox answers otherwise, a line each. Polls of an operation that took longer are passed over."""

    def calls(steps: list[Step]) -> list[Step]:
        return [each for at, each in enumerate(steps) if "/operations/" not in each.path or steps[at - 1].path != each.path]

    lines = []
    for real, ours in zip(calls(recorded), calls(sandbox), strict=False):
        what = f"{real.method} {real.host} {real.path.partition('?')[0]}"
        if real.status != ours.status:
            lines.append(f"{what}: Google {real.status}, the sandbox {ours.status}")
        elif shape(real.reply) != shape(ours.reply):
            lines.append(f"{what}: Google {shape(real.reply)}, the sandbox {shape(ours.reply)}")
    return lines
