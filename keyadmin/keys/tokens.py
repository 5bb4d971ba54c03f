"""Ephemeral tokens for the Live API: what a browser or an app is given in the place of a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from keyadmin.model.key_codec import format_time
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

LONGEST: Final = timedelta(hours=20)  # "must be less than 20 hours in the future" (google-genai 3.4)


@dataclass(frozen=True)
class TokenTerms:
    """What the token is good for. `uses` = sessions it may begin within `session_start`, 0 = any number; `expires` ends all.

    Raises usage() when made of what the API refuses.
    """

    uses: int
    expires: timedelta
    session_start: timedelta

    def __post_init__(self) -> None:
        if self.uses < 0:
            raise usage(f"--uses is {self.uses}: at least 1, or 0 for no limit")
        for option, value in (("--expire", self.expires), ("--session-start", self.session_start)):
            if not timedelta() < value < LONGEST:
                raise usage(f"{option} is more than nothing and less than 20h, the longest that a token lives")
        if self.session_start > self.expires:
            raise usage("--session-start is later than --expire: no session could begin then", "make --expire longer")


@dataclass(frozen=True)
class Token:
    """A token that was made; a secret, shown only because it was asked for."""

    token: KeyString
    uses: int
    expires: datetime
    session_start: datetime

    def to_json(self) -> dict[str, Any]:
        """The REST AuthToken plus what it is good for; `name` is the token itself."""
        return {
            "name": self.token.reveal(),
            "uses": self.uses,
            "expireTime": format_time(self.expires),
            "newSessionExpireTime": format_time(self.session_start),
        }


async def create(cloud: Cloud, key: KeyString, terms: TokenTerms, *, clock_known: bool) -> Token:
    """Make a token with a key. Its times are told by the server's clock, which a check of the key shows where need be.

    Raises Problem with the cause for a key that the Gemini API does not take.
    """
    if not clock_known:
        try:
            await cloud.gemini.check(key)
        except Problem as problem:
            # A key restricted to some methods may make tokens all the same; the refusal has told the time.
            if problem.cause is not Cause.API_KEY_SERVICE_BLOCKED:
                raise
    now = cloud.now()
    expires, session_start = now + terms.expires, now + terms.session_start
    return Token(await cloud.gemini.create_token(key, terms.uses, expires, session_start), terms.uses, expires, session_start)
