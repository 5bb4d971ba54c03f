"""The findings of a scan as SARIF 2.1.0, in the subset that GitHub's code scanning reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from keyadmin.leaks.hit import Hit
from keyadmin.leaks.verdict import Leak, Life

Json = dict[str, Any]

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
RULE: Final = "key-string"
MOST_RESULTS: Final = 25_000
"""Results of one run that GitHub takes (its documentation, SARIF support for code scanning)."""

_LEVELS: Final[dict[Life, str]] = {"alive": "error", "unknown": "warning", "dead": "note"}
_HELP: Final = (
    "Whoever can read the file, or the history of the repository, can use the key: calls are charged to its project. Replace "
    "the key, take it out of the file, and delete it; taking it out of the history alone does not help, for it was seen."
)


def document(leaks: Sequence[Leak], version: str, *, gaps: Sequence[str] = (), sandbox: bool = False) -> Json:
    """The SARIF log, ready to be written as JSON: a result for each place."""
    results = [_result(leak, hit) for leak in leaks for hit in leak.hits]
    run: Json = {
        "tool": {"driver": {"name": "keyadmin", "version": version, "semanticVersion": version, "rules": [_rule()]}},
        "automationDetails": {"id": "keyadmin-scan/"},
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder in which keyadmin was started."}}},
        "invocations": [
            {
                "executionSuccessful": not gaps,
                "toolExecutionNotifications": [{"level": "warning", "message": {"text": _plain(gap)}} for gap in gaps],
            }
        ],
        "results": results[:MOST_RESULTS],
        "properties": {"places": len(results), **({"sandbox": True} if sandbox else {})},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule() -> Json:
    return {
        "id": RULE,
        "name": "KeyString",
        "shortDescription": {"text": "A Google API key string."},
        "fullDescription": {"text": _HELP},
        "help": {"text": _HELP, "markdown": _HELP},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["api-keys", "google-cloud", "security"], "precision": "very-high", "security-severity": "8.0"},
    }


def _result(leak: Leak, hit: Hit) -> Json:
    steps = " ".join(f"What to do: {step}." for step in leak.fix[:1])
    mark = hashlib.sha256(f"{RULE}\n{hit.path}\n{hit.fingerprint}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return {
        "ruleId": RULE,
        "ruleIndex": 0,
        "level": _LEVELS[leak.life],
        "message": {"text": _plain(f"{hit.key.masked} ({leak.life}): {leak.reason}. {steps}".strip())},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(hit.path), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": max(1, hit.line)},
                }
            }
        ],
        # Code scanning goes by the first of the two alone (its documentation).
        "partialFingerprints": {"primaryLocationLineHash": f"{mark}:1", "keyadminScan/v1": mark},
        "properties": {
            "fingerprint": hit.fingerprint,
            "life": leak.life,
            "maskedKey": hit.key.masked,
            **({"commit": hit.commit} if hit.commit else {}),
            **({"project": leak.project} if leak.project else {}),
        },
    }


def _uri(path: str) -> str:
    """Relative to the current folder where it lies below it, as code scanning wants it."""
    if os.path.isabs(path):
        relative = os.path.relpath(path)
        path = path if relative.startswith("..") else relative
    return quote(os.fsencode(PurePath(os.path.normpath(path)).as_posix()))


def _plain(text: str) -> str:
    """`text` without what a SARIF message takes for a link or a placeholder: names of files are written by others."""
    return text.translate(str.maketrans("[]{}", "()()"))
