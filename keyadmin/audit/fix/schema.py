"""The plan and the journal as JSON Schemas, for editors and for programs that read them.

Schema: draft 7. What it cannot say is checked when the plan is read: a key stands in it once, or twice where it is
contained and, in a later wave, replaced; its digest, its age.
"""

from __future__ import annotations

from typing import Any, Final

from keyadmin.audit.fix.change import KINDS
from keyadmin.audit.fix.journal import DOCUMENT as JOURNAL
from keyadmin.audit.fix.journal import STEPS
from keyadmin.audit.fix.plan_file import DOCUMENT, SCHEMA_VERSION
from keyadmin.audit.model import Severity

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_SPAN: Final = {"type": "string", "pattern": r"^\s*([0-9]{1,9}(\.[0-9]{1,9})?[smhdwSMHDW])+\s*$"}
_WAVE: Final = {"type": "integer", "minimum": 1}
_NAME: Final = {"type": "string", "pattern": "^projects/[0-9]+/locations/global/keys/[a-z0-9-]+$"}
_RUN: Final = {"type": "string", "pattern": "^fix-[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$"}
_TEXTS: Final = {"type": "array", "items": _TEXT}


def _object(needed: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(needed)}


def _clients(member: str, items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {member: {"type": "array", "items": items}}, "additionalProperties": False}


def _restrictions() -> dict[str, Any]:
    app = {"type": "object", "properties": {"sha1Fingerprint": _TEXT, "packageName": _TEXT}, "additionalProperties": False}
    target = _object(("service",), service=_TEXT, methods=_TEXTS) | {"additionalProperties": False}
    return {
        "type": "object",
        "properties": {
            "apiTargets": {"type": "array", "items": target},
            "browserKeyRestrictions": _clients("allowedReferrers", _TEXT),
            "serverKeyRestrictions": _clients("allowedIps", _TEXT),
            "androidKeyRestrictions": _clients("allowedApplications", app),
            "iosKeyRestrictions": _clients("allowedBundleIds", _TEXT),
        },
        "additionalProperties": False,
    }


def _change() -> dict[str, Any]:
    counts = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
    evidence = _object(
        ("window", "calls", "refused"),
        window=_SPAN,
        calls=counts,
        refused={"type": "integer", "minimum": 0},
        last={"anyOf": [_TIME, {"type": "null"}]},
    )
    return _object(
        ("kind", "key", "project", "wave", "severity", "etag", "fingerprint", "before", "after"),
        kind={"enum": list(KINDS)},
        key=_NAME,
        project=_TEXT,
        displayName=_TEXT,
        wave=_WAVE,
        severity={"enum": [severity.word for severity in Severity]},
        etag={"type": "string", "minLength": 1},
        fingerprint=_TEXT,
        before=_restrictions(),
        after={"anyOf": [_restrictions(), {"type": "null"}]},
        why=_TEXT,
        evidence={"anyOf": [evidence, {"type": "null"}]},
        owner={"anyOf": [_TEXTS, {"type": "null"}]},
    )


def _head(name: str, title: str) -> dict[str, Any]:
    return {"$schema": _DRAFT, "$id": f"urn:keyadmin:schema:{name}:{SCHEMA_VERSION}", "title": title}


def plan_schema() -> dict[str, Any]:
    """A plan of repairs."""
    scope = _object((), projects=_TEXTS, parent={"type": "string", "pattern": "^(folders|organizations)/[0-9]+$"})
    scope["properties"]["organizations"] = _TEXTS
    whole = _object(
        ("schemaVersion", "document", "run", "created", "scope", "changes"),
        schemaVersion={"const": SCHEMA_VERSION},
        document={"const": DOCUMENT},
        run=_RUN,
        created=_TIME,
        sandbox={"type": "boolean"},
        scope=scope,
        waves={"type": "array", "items": _object(("wave",), wave=_WAVE, pause=_SPAN)},
        changes={"type": "array", "items": _change()},
        left={"type": "array", "items": _object(("key", "severity", "reason", "why", "command"))},
        digest=_TEXT,
    )
    return {**_head("fix-plan", "keyadmin plan of repairs"), **whole}


def journal_schema() -> dict[str, Any]:
    """A line of a journal: the head, what was done with a key, or with a wave."""
    head = _object(("schemaVersion", "document", "run", "at"), document={"const": JOURNAL}, run=_RUN, at=_TIME)
    key = _object(
        ("at", "key", "change", "step"),
        at=_TIME,
        key=_NAME,
        change={"enum": list(KINDS)},
        step={"enum": list(STEPS)},
        before=_restrictions(),
        after=_restrictions(),
        etag=_TEXT,
        deleted=_TIME,
        detail=_TEXT,
        cause=_TEXT,
    )
    wave = _object(("at", "wave", "step"), at=_TIME, wave=_WAVE, step={"enum": ["ended", "judged"]}, verdict=_TEXT)
    return {**_head("fix-journal", "a line of the journal of a keyadmin repair"), "anyOf": [head, key, wave]}
