"""What a run has to tell, and the forms that it is told in: JSON, Slack's, Google Chat's. Never a key string.

Slack: https://docs.slack.dev/messaging/formatting-message-text (escaping), Google Chat:
https://developers.google.com/workspace/chat/format-messages
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal

from keyadmin.model.key_codec import format_time
from keyadmin.model.secret import redact

SCHEMA_VERSION: Final = 1
LONGEST: Final = 3_000  # characters of a message to people; Google Chat takes 4,096
MOST_EVENTS: Final = 1_000  # in one document to a webhook
_LINES: Final = 10

Form = Literal["json", "slack", "google-chat"]
FORMS: Final[tuple[Form, ...]] = ("json", "slack", "google-chat")
_BY_HOST: Final[dict[str, Form]] = {
    "hooks.slack.com": "slack",
    "hooks.slack-gov.com": "slack",
    "chat.googleapis.com": "google-chat",
}


@dataclass(frozen=True)
class Notice:
    """What a run tells. `about` = the command; `events` = its parts, `lines` = those that a person has to know of.

    `streamed` = a program gets the events alone, one JSON object a line, as they happened.
    """

    about: str
    time: datetime
    title: str
    failed: bool
    lines: Sequence[str] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    sandbox: bool = False
    streamed: bool = False

    def document(self) -> dict[str, Any]:
        """The JSON form. Of very many events the first are in it, with how many are not."""
        left = len(self.events) - MOST_EVENTS
        return {
            "schemaVersion": SCHEMA_VERSION,
            "about": self.about,
            "time": format_time(self.time),
            **({"sandbox": True} if self.sandbox else {}),
            "failed": self.failed,
            "title": self.title,
            "summary": dict(self.summary),
            "events": [dict(event) for event in islice(self.events, MOST_EVENTS)],
            **({"eventsLeftOut": left} if left > 0 else {}),
        }

    def text(self) -> str:
        """For people: the title, and what they have to know, cut to what a chat takes."""
        lines = [f"{'[sandbox] ' if self.sandbox else ''}{self.title}", *self.lines[:_LINES]]
        if len(self.lines) > _LINES:
            lines.append(f"and {len(self.lines) - _LINES} more")
        text = redact("\n".join(lines))
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

    def body(self, form: Form) -> bytes:
        """What a webhook gets."""
        if form == "json":
            return _json(self.document())
        text = self.text()
        if form == "slack":  # or a key's name could call a whole channel
            escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        else:  # there is no escaping: <users/all> is a mention
            escaped = text.replace("<", "‹").replace(">", "›")
        return json.dumps({"text": escaped}).encode()

    def for_program(self) -> bytes:
        """What a program gets on its standard input: JSON, an object a line."""
        objects = self.events if self.streamed else [self.document()]
        return b"".join(_json(each) + b"\n" for each in objects)


def form_of(host: str) -> Form:
    """The form that a host takes."""
    return _BY_HOST.get(host.lower(), "json")


def _json(data: Mapping[str, Any]) -> bytes:
    return redact(json.dumps(data, ensure_ascii=False)).encode("utf-8", "backslashreplace")
