"""`keyadmin keys ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup

_MAKE: Final = "Create and find"
_CHANGE: Final = "Change"
_STRING: Final = "The key string"

ENTRIES: Final[dict[str, CommandEntry]] = {
    "create": CommandEntry("keyadmin.cli.keys.create:create", "Create a key that works, restricted and verified.", _MAKE),
    "clone": CommandEntry("keyadmin.cli.keys.clone:clone", "Create a key with another key's restrictions.", _MAKE),
    "list": CommandEntry(
        "keyadmin.cli.keys.list:list_", "List keys: those AI Studio shows, or all of them.", _MAKE, feature="list"
    ),
    "describe": CommandEntry("keyadmin.cli.keys.describe:describe", "Show all about a key except its key string.", _MAKE),
    "usage": CommandEntry("keyadmin.cli.keys.usage:usage", "Show when keys were last used, and for what.", _MAKE),
    "hand-over": CommandEntry("keyadmin.cli.keys.hand_over:hand_over", "Hand a key to a file, a secret or a program.", _STRING),
    "show": CommandEntry("keyadmin.cli.keys.show:show", "Print a key string.", _STRING, feature="show"),
    "verify": CommandEntry(
        "keyadmin.cli.keys.verify:verify", "Check whether a key works for the Gemini API.", _STRING, feature="verify"
    ),
    "lookup": CommandEntry(
        "keyadmin.cli.keys.lookup:lookup", "Find the key that a key string belongs to.", _STRING, feature="lookup"
    ),
    "restrict": CommandEntry(
        "keyadmin.cli.keys.restrict:restrict", "Restrict a key to APIs and to clients.", _CHANGE, feature="restrict"
    ),
    "unrestrict": CommandEntry(
        "keyadmin.cli.keys.unrestrict:unrestrict", "Remove restrictions from a key.", _CHANGE, feature="restrict"
    ),
    "rename": CommandEntry("keyadmin.cli.keys.rename:rename", "Give a key another display name.", _CHANGE, feature="rename"),
    "annotate": CommandEntry(
        "keyadmin.cli.keys.annotate:annotate", "Add and remove a key's annotations.", _CHANGE, feature="rename"
    ),
    "delete": CommandEntry(
        "keyadmin.cli.keys.delete:delete", "Delete a key; it can be brought back for 30 days.", _CHANGE, feature="delete"
    ),
    "undelete": CommandEntry("keyadmin.cli.keys.undelete:undelete", "Bring a deleted key back.", _CHANGE, feature="undelete"),
    "rotate": CommandEntry(
        "keyadmin.cli.keys.rotate:rotate",
        "Replace a key: create, hand over, retire the old one.",
        _CHANGE,
        feature="rotate",
    ),
    "migrate": CommandEntry(
        "keyadmin.cli.keys.rotate:migrate", "Replace a standard key with an auth key.", _CHANGE, feature="migrate"
    ),
    "compromised": CommandEntry(
        "keyadmin.cli.keys.compromised:compromised", "Answer a leak: replace the key and delete it.", _CHANGE, feature="rotate"
    ),
}

GROUP: Final = CommandGroup("Create, list, restrict and verify API keys.", ENTRIES)
