"""Writing an accepted finding into `keyadmin.toml`: comments and the rest of the file stay as they are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit import items
from tomlkit.exceptions import TOMLKitError

from keyadmin.audit.acceptance import Acceptance
from keyadmin.audit.accepted import read_accepted
from keyadmin.local.edited import EditedFile, editing, opened
from keyadmin.model.problem import Problem, usage

_MODE: Final = 0o644  # of a new file: it belongs into version control


@dataclass(frozen=True)
class AcceptancePlan:
    """What is to be written. `replaced` = the entry that stands there for the same rule and key, which is changed."""

    path: Path
    entries: tuple[Acceptance, ...]
    replaced: tuple[Acceptance, ...]
    created: bool


def plan(path: Path, entries: tuple[Acceptance, ...], now: datetime, *, found: bool) -> AcceptancePlan:
    """What writing these entries would do. `found` as in `read_accepted`. Raises Problem: the file cannot be used."""
    with opened(path) as file:
        _, replaced = _edited(path, file.data, entries)
        created = file.data is None
    if not created:
        _refuse_untrusted(path, now, found=found)
    return AcceptancePlan(path, entries, replaced, created)


def execute(planned: AcceptancePlan) -> None:
    """Write them, in one step, under the lock of the file. Raises Problem."""
    locked: AbstractContextManager[EditedFile] = editing(planned.path)
    with locked as file:
        file.refuse_others()
        text, _ = _edited(planned.path, file.data, planned.entries)
        file.write(text.encode(), file.mode if file.mode is not None else _MODE)


def _refuse_untrusted(path: Path, now: datetime, *, found: bool) -> None:
    """Raises the Problem for which an audit would leave the file out."""
    from keyadmin.local.trust import read_trusted

    read_trusted(path, found=found)
    read_accepted(path, now, found=False)


def _edited(path: Path, data: bytes | None, entries: tuple[Acceptance, ...]) -> tuple[str, tuple[Acceptance, ...]]:
    """The file's new text, and the entries that are replaced. Raises Problem where it is not TOML, or cannot be edited."""
    try:
        text = (data or b"").decode("utf-8-sig")
        before = tomllib.loads(text)
        document = tomlkit.parse(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, TOMLKitError, RecursionError) as error:
        raise usage(f"{path} is not TOML: {error}", "correct it first; see https://toml.io") from None
    replaced = []
    try:
        listed = _listed(document)
        for entry in entries:
            old = next((each for each in listed if _same(each, entry)), None)
            if old is None:
                listed.append(_table(entry, inline=isinstance(listed, items.Array)))
            else:
                replaced.append(_change(old, entry))
        after = tomllib.loads(text := tomlkit.dumps(document))
    except (TOMLKitError, tomllib.TOMLDecodeError, AttributeError, TypeError, ValueError) as error:
        raise _by_hand(path, entries, str(error)) from None
    if not _only_accepted_differs(before, after, entries):
        raise _by_hand(path, entries, "the rest of the file would change")
    return text, tuple(replaced)


def _listed(document: tomlkit.TOMLDocument) -> items.AoT | items.Array:
    """The list of accepted findings; made at the end of the file where there is none."""
    if "audit" not in document:
        document.add("audit", tomlkit.table(is_super_table=True))
    audit: Any = document["audit"]
    if "accept" not in audit:
        audit.append("accept", tomlkit.aot())
    found = audit["accept"]
    if not isinstance(found, items.AoT | items.Array):
        raise TypeError("audit.accept is not a list")
    return found


def _values(entry: Acceptance) -> dict[str, Any]:
    named = {"rule": entry.rule, "key": entry.key, "project": entry.project, "reason": entry.reason, "owner": entry.owner}
    return {name: value for name, value in named.items() if value} | ({"until": entry.until} if entry.until else {})


def _table(entry: Acceptance, *, inline: bool) -> items.Table | items.InlineTable:
    table = tomlkit.inline_table() if inline else tomlkit.table()
    table.update(_values(entry))
    return table


def _same(written: Mapping[str, Any], entry: Acceptance) -> bool:
    return all(written.get(name, "") == getattr(entry, name) for name in ("rule", "key", "project"))


def _change(written: Any, entry: Acceptance) -> Acceptance:
    """New values in the entry that stands there; gives back what it said."""
    old = replace(entry, reason=str(written.get("reason", "")), owner=str(written.get("owner", "")), until=None)
    for name, value in _values(entry).items():
        if written.get(name) != value:
            written[name] = value
    if not entry.owner and "owner" in written:
        del written["owner"]
    return old


def _only_accepted_differs(before: dict[str, Any], after: dict[str, Any], entries: tuple[Acceptance, ...]) -> bool:
    accepted = after.get("audit", {}).get("accept", [])
    there = all(_values(entry) in accepted for entry in entries)
    return there and _without(before) == _without(after)


def _without(data: Mapping[str, Any]) -> dict[str, Any]:
    audit = {name: value for name, value in data.get("audit", {}).items() if name != "accept"}
    return {name: value for name, value in data.items() if name != "audit"} | ({"audit": audit} if audit else {})


def _by_hand(path: Path, entries: tuple[Acceptance, ...], why: str) -> Problem:
    text = tomlkit.dumps({"audit": {"accept": [_values(entry) for entry in entries]}})
    return usage(f"{path} cannot be edited: {why}", f"write it there yourself:\n{text}")
