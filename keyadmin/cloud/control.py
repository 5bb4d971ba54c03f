"""The sandbox's own surface, `/_sandbox`: where it is, filling it, starting it over. Google has nothing like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyadmin.cloud.endpoints import SANDBOX, ApiCall
from keyadmin.cloud.rest import RestTransport
from keyadmin.model.problem import usage


@dataclass(frozen=True, slots=True)
class Served:
    """Where a sandbox is: `rest` = http://HOST:PORT (`unix:PATH` for the embedded one), `grpc` = HOST:PORT."""

    rest: str
    grpc: str
    version: str


class SandboxControl:
    """Calls to `/_sandbox`. Raises usage() for a connection to Google."""

    def __init__(self, rest: RestTransport, *, sandbox: bool) -> None:
        if not sandbox:
            raise usage("only a sandbox can be seeded or reset; this is Google", "add --sandbox")
        self._rest = rest

    async def describe(self) -> Served:
        """Where the transports are and which version serves them."""
        answer = await self._rest.call(_call("Describe"), "GET", "/_sandbox")
        return Served(str(answer.get("rest", "")), str(answer.get("grpc", "")), str(answer.get("version", "")))

    async def seed(self, data: dict[str, Any]) -> str:
        """Merge a seed by id, all of it or nothing; the sandbox's time (RFC 3339).

        Raises Problem(invalid-argument) that names the place of a mistake.
        """
        return str((await self._rest.call(_call("Seed"), "POST", "/_sandbox/seed", body=data)).get("now", ""))

    async def reset(self) -> str:
        """Back to the seed that the sandbox was started with; the sandbox's time (RFC 3339)."""
        return str((await self._rest.call(_call("Reset"), "POST", "/_sandbox/reset", body={})).get("now", ""))


def _call(method: str) -> ApiCall:
    return ApiCall(SANDBOX, method, write=method != "Describe", signed=False, paced=False)
