"""The Gemini API, as far as keyadmin asks it: does this key work, from here, now; and a token made with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from keyadmin.cloud.endpoints import ApiCall
from keyadmin.cloud.network import way_out
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.cloud.sandbox_key_guard import check_marker
from keyadmin.model.key import GEMINI
from keyadmin.model.key_codec import format_time
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import KeyString


class Gemini:
    """generativelanguage.googleapis.com, called with a key and no credentials."""

    def __init__(self, rest: RestTransport, *, sandbox: bool) -> None:
        self._rest = rest
        self._sandbox = sandbox

    async def check(self, key: KeyString) -> None:
        """Return if the Gemini API takes the key; else raise Problem with the cause.

        Raises Problem(network-unreachable) where no answer of the Gemini API came. Lists one model, which costs nothing. The
        key travels in a header. A rate limit is an answer here, not waited out.
        """
        check_marker(key, sandbox=self._sandbox)
        answer = await self._call(
            ApiCall(GEMINI, "ListModels", signed=False, paced=False, patient=False),
            *("GET", "/v1beta/models", key),
            params={"pageSize": "1"},
        )
        if not isinstance(answer.get("models"), list):  # a listing is the only proof: something on the way may say 200 too
            raise Problem(
                Cause.NETWORK_UNREACHABLE,
                f"{GEMINI} could not be asked: the answer was JSON without a list of models, which is not Google's",
                service=GEMINI,
                fix=way_out(GEMINI),
            )

    async def models(self, key: KeyString) -> tuple[str, ...]:
        """The models that the key may use, by their names without `models/`. Raises Problem with the cause."""
        check_marker(key, sandbox=self._sandbox)
        answer = await self._call(
            ApiCall(GEMINI, "ListModels", signed=False, paced=False, patient=False),
            *("GET", "/v1beta/models", key),
            params={"pageSize": "1000"},
        )
        return tuple(str(model.get("name", "")).removeprefix("models/") for model in answer.get("models", ()))

    async def create_token(self, key: KeyString, uses: int, expires: datetime, session_start: datetime) -> KeyString:
        """An ephemeral token for the Live API, made with a key. Raises Problem with the cause.

        `uses` = how many sessions it may begin, 0 = any number, until `session_start`; `expires` ends them. Both times are
        less than 20 hours ahead (google-genai 3.4, types.CreateAuthTokenConfig).
        """
        check_marker(key, sandbox=self._sandbox)
        answer = await self._call(
            ApiCall(GEMINI, "CreateToken", write=True, signed=False, paced=False, patient=False),
            *("POST", "/v1alpha/auth_tokens", key),
            body={"uses": uses, "expireTime": format_time(expires), "newSessionExpireTime": format_time(session_start)},
        )
        return KeyString(str(answer.get("name", "")))

    async def _call(self, call: ApiCall, verb: str, path: str, key: KeyString, **asked: Any) -> Json:
        try:
            return await self._rest.call(call, verb, path, headers={"x-goog-api-key": key.reveal()}, **asked)
        except Problem as problem:
            raise _of_the_key(problem) from None


def _of_the_key(problem: Problem) -> Problem:
    """No credentials were sent: what is said of them is said of the key, whose service account is its credentials."""
    if problem.exit is not Exit.CREDENTIALS:
        return problem
    return replace(
        problem,
        cause=Cause.API_KEY_INVALID,
        message="the Gemini API answers the key as it answers callers whom it does not know (401): the service account of an "
        "auth key may be disabled or deleted",
        fix=(
            "keyadmin keys describe KEY    # names its service account",
            "gcloud iam service-accounts enable ACCOUNT    # or undelete, within 30 days",
            "or, where the account is gone for good: keyadmin keys create --name NAME, and delete this one",
        ),
    )
