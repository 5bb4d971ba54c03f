"""The plan as a file: JSON, for its owner alone, with a digest by which an edited one is told from the original.

Nothing is trusted for standing in it: what is not understood is refused with its place, the rest is checked against the keys
when the plan is applied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from keyadmin.audit.fix.change import KINDS, NARROWING, ROTATING, Evidence, FixChange, LeftAlone
from keyadmin.audit.fix.parts import PlanPart, wrong
from keyadmin.audit.fix.plan import FixPlan, FixScope, is_run
from keyadmin.audit.model import Severity
from keyadmin.keys.resolve import FULL_NAME
from keyadmin.local.files import read_text, write_text
from keyadmin.local.folders import make_private
from keyadmin.local.locks import unwritable
from keyadmin.model.key_codec import format_time, restrictions_from_json, restrictions_to_json
from keyadmin.model.problem import Exit, Problem

SCHEMA_VERSION: Final = 1
DOCUMENT: Final = "keyadmin-fix-plan"
_SEVERITIES: Final = tuple(severity.word for severity in Severity)
_WORST_PAUSE: Final = timedelta(days=365)


def plan_to_json(plan: FixPlan) -> dict[str, Any]:
    """The document, its digest included."""
    scope: dict[str, Any] = {"projects": list(plan.scope.projects)} if plan.scope.projects else {}
    scope |= {"parent": plan.scope.parent} if plan.scope.parent else {}
    out: dict[str, Any] = {
        "schemaVersion": SCHEMA_VERSION,
        "document": DOCUMENT,
        "run": plan.run,
        "created": format_time(plan.created),
        "sandbox": plan.sandbox,
        "scope": scope | {"organizations": list(plan.scope.organizations)},
        "waves": [{"wave": wave.number, "changes": len(wave.changes), "pause": _seconds(wave.pause)} for wave in plan.waves],
        "changes": [change_to_json(change) for change in plan.changes],
        "left": [left_to_json(each) for each in plan.left],
    }
    return out | {"digest": digest(out)}


def change_to_json(change: FixChange) -> dict[str, Any]:
    """One change, as it stands in the plan and in reports."""
    return {
        "kind": change.kind,
        "key": change.name,
        "project": change.project,
        "displayName": change.display_name,
        "wave": change.wave,
        "severity": change.severity.word,
        "etag": change.etag,
        "fingerprint": change.fingerprint,
        "before": restrictions_to_json(change.before),
        "after": None if change.after is None else restrictions_to_json(change.after),
        "why": change.why,
        "evidence": None if change.evidence is None else _evidence_to_json(change.evidence),
        "owner": None if change.owner is None else list(change.owner),
    }


def digest(document: Mapping[str, Any]) -> str:
    """Of everything but the digest itself."""
    kept = {name: value for name, value in document.items() if name != "digest"}
    text = json.dumps(kept, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def write_plan(path: Path, plan: FixPlan, *, folder: bool = False) -> None:
    """Replace the file in one step, mode 0600; `folder` = make its folder where it is missing. Raises Problem."""
    if folder:
        try:
            make_private(path.parent)
        except OSError as error:
            raise unwritable(path, error) from error
    write_text(path, json.dumps(plan_to_json(plan), indent=1, ensure_ascii=False) + "\n")


def read_plan(path: Path) -> FixPlan:
    """A plan, its form checked. Raises Problem (exit 2) with the place of what is wrong."""
    try:
        text = read_text(path, what="the plan")
    except Problem as problem:
        problem.exit_code = Exit.USAGE
        raise
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise wrong(path, f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}") from None
    except RecursionError:
        raise wrong(path, "", "nested too deeply") from None
    return _plan(PlanPart(path, "", data))


def _plan(part: PlanPart) -> FixPlan:
    if part.text("document", "") != DOCUMENT:
        raise part.wrong("document", f"expected {DOCUMENT!r}: the file is another document")
    if (version := part.number("schemaVersion", least=1)) != SCHEMA_VERSION:
        raise part.wrong("schemaVersion", f"{version} is unknown to this keyadmin, which writes {SCHEMA_VERSION}")
    run = part.text("run")
    if not is_run(run):
        raise part.wrong("run", f"{run!r} is not the id of a run")
    changes = tuple(_change(each) for each in part.parts("changes"))
    _check_pairs(part.path, changes)
    return FixPlan(
        run=run,
        created=part.time("created"),
        sandbox=part.flag("sandbox"),
        scope=_scope(part.part("scope")),
        changes=changes,
        left=tuple(_left(each) for each in part.parts("left", [])),
        pauses=_pauses(part),
        edited=part.text("digest", "") != digest(part.data),
    )


def _check_pairs(path: Path, changes: Sequence[FixChange]) -> None:
    """A key stands in the plan once, or is contained and, in a later wave, replaced. Raises Problem (exit 2)."""
    seen: dict[str, int] = {}
    for place, change in enumerate(changes):
        other = seen.setdefault(change.name, place)
        if other == place:
            continue
        first, then = sorted((changes[other], change), key=lambda each: each.kind in ROTATING)
        if any(each.name == change.name for each in changes[other + 1 : place]) or not _pair(first, then):
            raise wrong(path, f"changes[{place}].key", f"the key is in changes[{other}] too")
        if first.wave >= then.wave:
            what = f"the key is replaced in wave {then.wave} and contained in wave {first.wave}: that goes first"
            raise wrong(path, f"changes[{place}].wave", what)


def _pair(first: FixChange, then: FixChange) -> bool:
    return first.kind in NARROWING and then.kind in ROTATING


def _scope(part: PlanPart) -> FixScope:
    projects, parent = tuple(part.texts("projects", [])), part.text("parent", "")
    if projects and parent:
        raise part.wrong("parent", "projects and a parent do not go together")
    if parent and not (parent.startswith(("folders/", "organizations/")) and parent.partition("/")[2].isdigit()):
        raise part.wrong("parent", f"expected folders/NUMBER or organizations/NUMBER, found {parent[:60]!r}")
    return FixScope(projects, parent or None, tuple(part.texts("organizations", [])))


def _pauses(part: PlanPart) -> tuple[tuple[int, timedelta], ...]:
    out: dict[int, timedelta] = {}
    for each in part.parts("waves", []):
        pause = each.duration("pause", timedelta())
        if pause > _WORST_PAUSE:
            raise each.wrong("pause", "longer than a year")
        out[each.number("wave", least=1)] = pause
    return tuple((number, pause) for number, pause in sorted(out.items()) if pause)


def _change(part: PlanPart) -> FixChange:
    kind = part.choice("kind", KINDS)
    name = part.text("key")
    found = FULL_NAME.fullmatch(name)
    if found is None or name.startswith("//") or not found["project"].isdigit():
        raise part.wrong("key", f"expected projects/NUMBER/locations/global/keys/ID, found {name[:80]!r}")
    if (part.data.get("after") is None) == (kind in NARROWING):
        raise part.wrong("after", f"{'missing' if kind in NARROWING else 'not for'} a change of the kind {kind}")
    etag = part.text("etag")
    if not etag:
        raise part.wrong("etag", "empty: no key can be told from one that was changed")
    evidence, owner = part.data.get("evidence"), part.data.get("owner")
    return FixChange(
        kind=kind,
        name=name,
        project=part.text("project"),
        display_name=part.text("displayName", ""),
        etag=etag,
        fingerprint=part.text("fingerprint"),
        before=part.restrictions("before", restrictions_from_json),
        after=part.restrictions("after", restrictions_from_json) if kind in NARROWING else None,
        why=part.text("why", ""),
        severity=Severity[part.choice("severity", _SEVERITIES).upper()],
        evidence=None if evidence is None else _evidence(part.part("evidence")),
        owner=None if owner is None else tuple(part.texts("owner")),
        wave=part.number("wave", least=1),
    )


def _evidence(part: PlanPart) -> Evidence:
    calls = part.part("calls")
    counted = {service: calls.number(service, least=0) for service in calls.data}
    last = part.time("last") if part.data.get("last") is not None else None
    return Evidence(part.duration("window"), counted, part.number("refused", least=0), last)


def _evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    last: datetime | None = evidence.last
    return {
        "window": _seconds(evidence.window),
        "calls": dict(evidence.calls),
        "refused": evidence.refused,
        "last": None if last is None else format_time(last),
    }


def left_to_json(left: LeftAlone, command: str = "command") -> dict[str, Any]:
    """A key that is left alone; `command` = how what to type is called: a report calls it its fix."""
    return {
        "key": left.name,
        "project": left.project,
        "displayName": left.display_name,
        "severity": left.severity.word,
        "rules": list(left.rules),
        "reason": left.reason,
        "why": left.why,
        command: left.command,
    }


def _left(part: PlanPart) -> LeftAlone:
    return LeftAlone(
        part.text("key"),
        part.text("project"),
        part.text("displayName", ""),
        Severity[part.choice("severity", _SEVERITIES).upper()],
        tuple(part.texts("rules", [])),
        part.text("reason", "other"),  # type: ignore[arg-type]
        part.text("why", ""),
        part.text("command", ""),
    )


def _seconds(value: timedelta) -> str:
    return f"{value.total_seconds():.0f}s"
