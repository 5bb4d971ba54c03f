"""What a policy file may say: the settings, and the same as a JSON Schema for editors.

Schema: draft 7, which TOML editors read (https://taplo.tamasfe.dev/configuration/directives.html#the-schema-directive).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from keyadmin.handover.registry import kinds
from keyadmin.model.problem import usage

Kind = Literal["texts", "duration", "choice", "text", "flag", "table"]


@dataclass(frozen=True)
class PolicySetting:
    """One setting of a rule. `everywhere` = it may stand in [defaults] too; `item` = the form of each of its texts."""

    kind: Kind
    help: str
    everywhere: bool = False
    choices: tuple[str, ...] = ()
    item: str | None = None


SETTINGS: Final[Mapping[str, PolicySetting]] = {
    "name": PolicySetting("text", "How the rule is called in messages."),
    "projects": PolicySetting(
        "texts", "Projects by id or number, or by patterns with * and ?; a pattern selects ACTIVE ones only."
    ),
    "folders": PolicySetting("texts", "All ACTIVE projects below these folders.", item=r"^folders/[0-9]+$"),
    "organizations": PolicySetting("texts", "All ACTIVE projects of these organisations.", item=r"^organizations/[0-9]+$"),
    "keys": PolicySetting("texts", "Display names, ids or lineages, with * and ?."),
    "annotations": PolicySetting("table", "Only keys that bear all of these annotations."),
    "type": PolicySetting("choice", "Only keys of this type.", everywhere=True, choices=("any", "auth", "standard")),
    "older-than": PolicySetting("duration", "Only keys that are older.", everywhere=True),
    "adopted": PolicySetting("flag", "Only keys that keyadmin was told to rotate, or has rotated."),
    "max-age": PolicySetting("duration", "When a key is due; 90d if nothing is said.", everywhere=True),
    "grace": PolicySetting("duration", "How long the old key keeps working; 24h by default.", everywhere=True),
    "sinks": PolicySetting(
        "texts",
        "Where the new key goes; {project}, {lineage} and {name} stand for the key's own; [] = consumers take it themselves.",
        everywhere=True,
        item=rf"^(stdout|(?:{'|'.join(kind for kind in kinds() if kind != 'stdout')}):.*\S.*)$",
    ),
    "machine": PolicySetting("text", "The machine that has the files and programs of the sinks.", everywhere=True),
    "new-type": PolicySetting(
        "choice", "auth: standard keys get auth keys as successors.", everywhere=True, choices=("keep", "auth")
    ),
}


def named(kind: Kind) -> frozenset[str]:
    """The settings of a kind."""
    return frozenset(name for name, setting in SETTINGS.items() if setting.kind == kind)


EVERYWHERE: Final = frozenset(name for name, setting in SETTINGS.items() if setting.everywhere)
PLACES: Final = ("projects", "folders", "organizations")
SCHEMA_FILE: Final = "keyadmin.schema.json"
VERSION_NAME: Final = "schema-version"
SCHEMA_VERSION: Final = 1
"""Of policy files; one that does not say its version has this one."""
AUDIT_TABLE: Final = "audit"
"""What audits keep in the same file: rotations pass it over."""
ACCEPTED: Final[Mapping[str, str]] = {
    "rule": "The rule whose finding is accepted.",
    "key": "The key: its full name, or its id.",
    "project": "The project, by id or number; without a key all its findings of the rule.",
    "reason": "Why it is accepted.",
    "owner": "Who is responsible for that.",
    "until": "The last day on which it is accepted (UTC).",
}
"""What an entry of [[audit.accept]] may say."""


def check_version(path: Path, data: Mapping[str, Any]) -> None:
    """Raises usage() for a policy file of another version: what it says may not mean the same here."""
    if (version := data.get(VERSION_NAME, SCHEMA_VERSION)) != SCHEMA_VERSION:
        what = f"{path}: {VERSION_NAME} {version} is unknown to this keyadmin, which reads {SCHEMA_VERSION}"
        raise usage(what, "upgrade keyadmin, or write the file for this version")


def schema() -> dict[str, Any]:
    """A policy file as a JSON Schema.

    What it cannot say is checked by `rotation plan`: whether a machine is named for files and programs, whether a sink is
    given at all where [defaults] could have it, and the forms of what stands inside sinks and projects.
    """
    rule = _table(SETTINGS) | {"anyOf": [{"required": [place], "properties": {place: {"minItems": 1}}} for place in PLACES]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:keyadmin:schema:policy:{SCHEMA_VERSION}",
        "title": "keyadmin rotation policy",
        "type": "object",
        "properties": {
            VERSION_NAME: {"const": SCHEMA_VERSION, "description": "The version of what may be in this file."},
            "defaults": _table({name: SETTINGS[name] for name in SETTINGS if name in EVERYWHERE})
            | {"description": "What holds for every rule that does not say otherwise."},
            "rule": {
                "description": "Which keys are rotated, when, and where they go; the first rule that selects a key counts.",
                "type": "array",
                "minItems": 1,
                "items": rule,
            },
            AUDIT_TABLE: {"type": "object", "properties": {"accept": _accepted()}, "additionalProperties": False},
        },
        "anyOf": [{"required": ["rule"]}, {"required": [AUDIT_TABLE]}],
        "additionalProperties": False,
    }


def _accepted() -> dict[str, Any]:
    texts = {name: {"type": "string", "minLength": 1, "description": help_} for name, help_ in ACCEPTED.items()}
    # TOML's own days are no JSON: editors give them to the schema as texts.
    entry = {"type": "object", "properties": texts, "required": ["rule", "reason", "until"], "additionalProperties": False}
    named = {"anyOf": [{"required": ["key"]}, {"required": ["project"]}]}
    return {"description": "Findings of audits that somebody accepted.", "type": "array", "items": entry | named}


def _table(settings: Mapping[str, PolicySetting]) -> dict[str, Any]:
    properties = {name: _value(setting) | {"description": setting.help} for name, setting in settings.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _value(setting: PolicySetting) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "string", "minLength": 1}
    if setting.kind == "texts":
        return {"type": "array", "items": item | ({"pattern": setting.item} if setting.item else {})}
    if setting.kind == "choice":
        return {"enum": list(setting.choices)}
    if setting.kind == "duration":
        return {"type": "string", "pattern": r"^\s*([0-9]{1,9}(\.[0-9]{1,9})?[smhdwSMHDW])+\s*$"}
    if setting.kind == "flag":
        return {"type": "boolean"}
    if setting.kind == "table":
        return {"type": "object", "additionalProperties": {"type": "string"}}
    return item
