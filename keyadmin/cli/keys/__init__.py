"""`keyadmin keys ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import Entry, Group

_MAKE: Final = "Make and find"
_CHANGE: Final = "Change"
_STRING: Final = "The key string"

ENTRIES: Final[dict[str, Entry]] = {
    "create": Entry("keyadmin.cli.keys.create:create", "Create a key that works, restricted and verified.", _MAKE),
    "clone": Entry("keyadmin.cli.keys.clone:clone", "Create a key with another key's restrictions.", _MAKE),
    "list": Entry("keyadmin.cli.keys.list:list_", "List keys, as AI Studio does or all of them.", _MAKE, feature="list"),
    "describe": Entry("keyadmin.cli.keys.describe:describe", "Show everything about one key but its key string.", _MAKE),
    "restrict": Entry(
        "keyadmin.cli.keys.restrict:restrict", "Restrict a key to APIs and to clients.", _CHANGE, feature="restrict"
    ),
    "unrestrict": Entry("keyadmin.cli.keys.unrestrict:unrestrict", "Take restrictions off a key.", _CHANGE, feature="restrict"),
    "rename": Entry("keyadmin.cli.keys.rename:rename", "Give a key another display name.", _CHANGE, feature="rename"),
    "annotate": Entry("keyadmin.cli.keys.annotate:annotate", "Add and remove a key's annotations.", _CHANGE, feature="rename"),
    "delete": Entry("keyadmin.cli.keys.delete:delete", "Delete a key, for 30 days recoverably.", _CHANGE, feature="delete"),
    "undelete": Entry("keyadmin.cli.keys.undelete:undelete", "Bring a deleted key back.", _CHANGE, feature="undelete"),
    "rotate": Entry(
        "keyadmin.cli.keys.rotate:rotate",
        "Replace a key by a new one, hand it over, retire the old one.",
        _CHANGE,
        feature="rotate",
    ),
    "migrate": Entry("keyadmin.cli.keys.rotate:migrate", "Replace a standard key by an auth key.", _CHANGE, feature="migrate"),
    "compromised": Entry(
        "keyadmin.cli.keys.compromised:compromised", "Answer a leak: new key, old one deleted.", _CHANGE, feature="rotate"
    ),
    "usage": Entry("keyadmin.cli.keys.usage:usage", "Say when keys were last used, and for what.", _MAKE),
    "hand-over": Entry("keyadmin.cli.keys.hand_over:hand_over", "Hand a key to a file, a secret or a program.", _STRING),
    "show": Entry("keyadmin.cli.keys.show:show", "Print a key string.", _STRING, feature="show"),
    "verify": Entry(
        "keyadmin.cli.keys.verify:verify", "Check whether a key works for the Gemini API.", _STRING, feature="verify"
    ),
    "lookup": Entry("keyadmin.cli.keys.lookup:lookup", "Find the key that a key string belongs to.", _STRING, feature="lookup"),
}

GROUP: Final = Group("Create, list, restrict and verify API keys.", ENTRIES)
