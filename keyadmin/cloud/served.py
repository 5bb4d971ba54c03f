"""A sandbox that is served on this machine: its addresses, and tokens of its service accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from keyadmin.cloud import network
from keyadmin.cloud.credentials import SCOPE
from keyadmin.cloud.endpoints import IAM_CREDENTIALS, SANDBOX, ApiCall
from keyadmin.cloud.routes import Routes
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.cloud.rest import RestTransport


def served(address: str, grpc: str | None, rest: Callable[[], RestTransport]) -> Routes:
    """Where its transports stand; its gRPC address is asked of it where it is not given. Raises usage() for another machine."""
    base = address.rstrip("/")
    parts = urlsplit(base)
    if parts.scheme != "http" or not network.is_loopback(parts.hostname or ""):
        raise usage(f"{address} is not a sandbox's address: http://127.0.0.1:PORT is expected")
    known: dict[str, Any] = {"grpc": grpc} if grpc else {}

    async def target(host: str) -> str:
        if not known:
            known.update(await rest().call(ApiCall(SANDBOX, "Describe", signed=False, paced=False), "GET", "/_sandbox"))
        place = str(known["grpc"])
        if not network.is_loopback(place.rpartition(":")[0]):
            raise usage(f"the sandbox names {place} as its gRPC address, which is not on this machine")
        return place

    return Routes(lambda host: base, target)


async def impersonated(rest: RestTransport, user: str, account: str) -> str:
    """A token of the service account, given to the sandbox user as the IAM Credentials API would give it."""
    answer = await rest.call(
        ApiCall(IAM_CREDENTIALS, "GenerateAccessToken", write=True, signed=False, paced=False),
        "POST",
        f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken",
        body={"scope": [SCOPE]},
        headers={"authorization": f"Bearer {user}"},
    )
    return str(answer["accessToken"])
