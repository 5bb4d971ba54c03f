"""`keyadmin keys ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import Entry, Group

ENTRIES: Final[dict[str, Entry]] = {}

GROUP: Final = Group("Create, list, restrict and verify API keys.", ENTRIES)
