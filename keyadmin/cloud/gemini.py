"""The Gemini API, as far as keyadmin asks it: does this key work, from here, now; and a token made with it."""

from __future__ import annotations

from datetime import datetime

from keyadmin.cloud.endpoints import Call
from keyadmin.cloud.marker import check_marker
from keyadmin.cloud.rest import RestDoor
from keyadmin.keys.codec import format_time
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

    async def create_token(self, key: KeyString, uses: int, expires: datetime, session_start: datetime) -> KeyString:
        """An ephemeral token for the Live API, made with a key. Raises Problem with the cause.

        `uses` = how many sessions it may begin, 0 = any number, until `session_start`; `expires` ends them. Both times are
        less than 20 hours ahead (google-genai 3.4, types.CreateAuthTokenConfig).
        """
        check_marker(key, sandbox=self._sandbox)
        answer = await self._rest.call(
            Call(GEMINI, "CreateToken", write=True, signed=False, paced=False, patient=False),
            "POST",
            "/v1alpha/auth_tokens",
            body={"uses": uses, "expireTime": format_time(expires), "newSessionExpireTime": format_time(session_start)},
            headers={"x-goog-api-key": key.reveal()},
        )
        return KeyString(str(answer.get("name", "")))
