"""The Gemini API, as far as keyadmin asks it: does this key work, from here, now."""

from __future__ import annotations

from keyadmin.cloud.endpoints import Call
from keyadmin.cloud.marker import check_marker
from keyadmin.cloud.rest import RestDoor
from keyadmin.keys.model import GEMINI
from keyadmin.secret import KeyString


class Gemini:
    """generativelanguage.googleapis.com, called with a key and no credentials."""

    def __init__(self, rest: RestDoor, *, sandbox: bool) -> None:
        self._rest = rest
        self._sandbox = sandbox

    async def check(self, key: KeyString) -> None:
        """Return if the Gemini API takes the key; else raise Problem with the cause.

        Lists one model, which costs nothing. The key travels in a header. A rate limit is an answer here, not waited out.
        """
        check_marker(key, sandbox=self._sandbox)
        await self._rest.call(
            Call(GEMINI, "ListModels", signed=False, paced=False, patient=False),
            "GET",
            "/v1beta/models",
            params={"pageSize": "1"},
            headers={"x-goog-api-key": key.reveal()},
        )
