"""The rehearsal on the command line: asked for, shown to people and to programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyadmin.cli.session import Session
from keyadmin.guard import constraints
from keyadmin.guard import preview as google
from keyadmin.guard.model import GuardPlan
from keyadmin.guard.preview import Previewed
from keyadmin.guard.rehearse import KeyRefusal, Rehearsal, rehearse

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

SHOWN = 20  # keys, to people


@dataclass(frozen=True)
class Rehearsed:
    """The rehearsal and Google's preview beside it, where that was asked for."""

    rehearsal: Rehearsal
    preview: Previewed | None = None


async def rehearsed(cloud: Cloud, session: Session, plan: GuardPlan, *, preview: bool) -> Rehearsed:
    """Rehearse the constraints of a plan on the keys of its scope."""
    found = await rehearse(cloud, plan.scope, plan.constraints, session.observer)
    if not preview:
        return Rehearsed(found)
    tags = plan.request.tags if plan.request is not None else ()
    return Rehearsed(found, await google.ask(cloud, plan.scope, plan.constraints, tags, found, session.observer))


def lines(session: Session, plan: GuardPlan, seen: Rehearsed) -> list[str]:
    """For people: the verdict, the keys, keyadmin's own work, Google's preview."""
    found = seen.rehearsal
    out = [f"Rehearsal: {found.verdict}{', these:' if found.refused else '.'}"]
    shown = found.refused if session.format != "table" else found.refused[:SHOWN]
    out += [f"  {_named(each)}: {', '.join(each.constraints)}" for each in shown]
    if len(shown) < len(found.refused):
        out.append(f"  and {len(found.refused) - len(shown)} more; --format json has them all")
    if found.unknown:
        out.append(f"Not known of {len(found.unknown)} keys: what Google makes of fields that are not set is not documented.")
    out += [f"Not read: project {project}: {why}" for project, why in found.failed]
    if work := found.work.lines():
        out += ["Of keyadmin's own work this would refuse:", *(f"  {line}" for line in work)]
        cures = dict.fromkeys(name for each in found.refused for name in each.constraints)
        out += ["What cures a key:", *(f"  {name}: keys restrict KEY {constraints.BY_NAME[name].cure}" for name in cures)]
    if plan.request is not None and plan.request.tags:
        out.append("Keys of projects with an excepted tag are among them: tags were not read.")
    if seen.preview is not None:
        out += ["Google's own preview:", *(f"  {each.words}" for each in seen.preview.comparisons)]
        if seen.preview.unknown:
            out.append(f"  {seen.preview.unknown}")
    return out


def _named(each: KeyRefusal) -> str:
    name = f"{each.key.display_name!r} " if each.key.display_name else ""
    return f"{name}{each.key.key_id} of project {each.key.project}"


def to_json(seen: Rehearsed) -> dict[str, Any]:
    """For programs."""
    found, work = seen.rehearsal, seen.rehearsal.work
    out: dict[str, Any] = {
        "keys": found.keys,
        "refused": [
            {"key": each.key.name, "keyName": each.key.display_name, "project": each.key.project, "by": list(each.constraints)}
            for each in found.refused
        ],
        "unknown": [{"key": each.key.name, "by": list(each.unknown)} for each in found.unknown],
        "errors": [{"project": project, "message": why} for project, why in found.failed],
        "ownWork": {
            "notes": work.notes,
            "successors": work.successors,
            "migrations": work.migrations,
            "splits": work.splits,
            "mixedKeys": work.mixed,
        },
        "notes": list(found.notes),
    }
    if seen.preview is not None:
        out["preview"] = {
            "constraints": [
                {
                    "constraint": each.constraint,
                    "same": each.both,
                    "hereAlone": list(each.here_alone),
                    "googleAlone": list(each.there_alone),
                    "scanned": each.scanned,
                }
                for each in seen.preview.comparisons
            ],
            "unknown": seen.preview.unknown or None,
        }
    return out
