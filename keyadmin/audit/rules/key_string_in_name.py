"""The rule `key-string-in-name`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import command
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of
from keyadmin.model.key import Key
from keyadmin.model.key_search import search
from keyadmin.model.secret import mask

_SHORTEST: Final = 20  # characters of a key string
_HARMLESS: Final = re.compile(r"[a-z0-9 ._:/-]*")  # key strings have capitals, or escapes in their place


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys whose display name, id or annotations hold a key string, whosever it is."""
    for key in facts.live:
        if string := _string(key.display_name):  # the way out is to rename it
            yield finding_of(RULE, facts, key, f"its display name holds a key string ({mask(string)})")
        elif (key.annotations or not _HARMLESS.fullmatch(key.name)) and (found := next(_held(key), None)):
            where, string, fix = found
            yield finding_of(RULE, facts, key, f"{where} holds a key string ({mask(string)})", fix)


def _held(key: Key) -> Iterator[tuple[str, str, str]]:
    """Where else a key string stands, the string, and what takes it away."""
    for name, value in key.annotations.items():
        if string := _string(name):
            yield "the name of an annotation", string, command("keys annotate", key, clear=True)
        if string := _string(value):
            yield f"its annotation {name}", string, command("keys annotate", key, remove=name)
    if string := _string(key.key_id):
        yield "its id", string, command("keys describe", key)


def _string(text: str) -> str:
    """The first key string in a text, plain or encoded; empty where there is none."""
    if len(text) < _SHORTEST or _HARMLESS.fullmatch(text):
        return ""
    found = search(text.encode("utf-8", "surrogatepass"))
    return found[0].key if found else ""


RULE: Final = AuditRule(
    id="key-string-in-name",
    severity=Severity.HIGH,
    title="A key string in the name of a key",
    help=(
        "A display name, an annotation or an id holds a key string. Names are shown to everybody who may list keys, in "
        "inventories, logs and invoices, and none of these hides them: whoever may read names has the key. It does not "
        "matter whether the string is this key's own or another's."
    ),
    fix=(
        "Rename it, and replace the key whose string it is: keyadmin keys lookup says which, keyadmin keys rotate replaces "
        "it. Logs and inventories keep the old name."
    ),
    source=BEST_PRACTICES_PAGE,
    check=check,
)
